"""When certificates end: as much of X.509 as that takes, without a library of cryptography.

Nothing here says whether a certificate is to be trusted. Source: RFC 5280, sections 4.1 and 4.1.2.5; ITU-T X.690.
"""

import base64
import binascii
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime

_BLOCK = re.compile(rb"-----BEGIN CERTIFICATE-----(.*?)-----END CERTIFICATE-----", re.DOTALL)
_MARK = re.compile(rb"-----(BEGIN|END) [A-Z0-9 ]+-----\s*")
_VERSION = 0xA0
_UTC_TIME, _GENERALIZED_TIME = 0x17, 0x18
_SHORT_FORM = 0x80
_LONGEST_LENGTH = 4
_CENTURY_TURNS = 50  # a two-digit year from here on is of the last century
_ENCODINGS = {0x0C: "utf-8", 0x13: "ascii", 0x14: "latin-1", 0x16: "ascii", 0x1C: "utf-32-be", 0x1E: "utf-16-be"}
_NAMES = {
    bytes.fromhex("550403"): "CN",
    bytes.fromhex("550406"): "C",
    bytes.fromhex("550407"): "L",
    bytes.fromhex("550408"): "ST",
    bytes.fromhex("55040a"): "O",
    bytes.fromhex("55040b"): "OU",
    bytes.fromhex("0992268993f22c640119"): "DC",
}


class Unreadable(ValueError):  # noqa: N818 - a finding about a file, not a failure of ours
    """What should be certificates is something else."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Certificate:
    """Whose a certificate is (as in `CN=shop.bank.example, O=Bank`), and from when to when it holds."""

    subject: str
    not_before: datetime
    not_after: datetime

    def holds(self, now: datetime) -> bool:
        """Whether `now` lies in its time."""
        return self.not_before <= now <= self.not_after


@dataclass(frozen=True, slots=True)
class _Element:
    tag: int
    content: bytes


def certificates(pem: bytes) -> tuple[Certificate, ...]:
    """The certificates in a PEM file, in its order. Raises `Unreadable` when one is damaged, or there is none."""
    marks = [_MARK.fullmatch(line) for line in pem.splitlines() if line.startswith(b"-")]
    kinds = [mark[1] if mark else b"" for mark in marks]
    if kinds != [b"BEGIN", b"END"] * (len(marks) // 2):
        message = "it ends in the middle of a certificate"
        raise Unreadable(message)
    found = tuple(_certificate(block) for block in _BLOCK.findall(pem))
    if not found:
        message = "it holds no certificate"
        raise Unreadable(message)
    return found


def soonest(pem: bytes) -> Certificate:
    """The one of the certificates in a PEM file that ends first. Raises `Unreadable`."""
    return min(certificates(pem), key=lambda one: one.not_after)


def _certificate(block: bytes) -> Certificate:
    try:
        der = base64.b64decode(b"".join(block.split()), validate=True)
        (whole,) = _elements(der)
        signed = list(_elements(next(_elements(whole.content)).content))
        fields = signed[1:] if signed[0].tag == _VERSION else signed
        # serial number, algorithm, issuer, validity, subject
        not_before, not_after = (_time(one) for one in _elements(fields[3].content))
        return Certificate(subject=_name(fields[4]), not_before=not_before, not_after=not_after)
    except (ValueError, IndexError, StopIteration, binascii.Error) as error:
        message = "a certificate in it is damaged"
        raise Unreadable(message) from error


def _elements(data: bytes) -> Iterator[_Element]:
    at = 0
    while at < len(data):
        tag, length, start = data[at], data[at + 1], at + 2
        if length >= _SHORT_FORM:
            size = length - _SHORT_FORM
            if not 0 < size <= _LONGEST_LENGTH:
                message = "a length that DER does not have"
                raise ValueError(message)
            length = int.from_bytes(data[start : start + size], "big")
            start += size
        at = start + length
        if at > len(data):
            message = "an element longer than what holds it"
            raise ValueError(message)
        yield _Element(tag, data[start:at])


def _time(element: _Element) -> datetime:
    text = element.content.decode("ascii")
    if element.tag == _UTC_TIME:
        text = ("19" if int(text[:2]) >= _CENTURY_TURNS else "20") + text
    elif element.tag != _GENERALIZED_TIME:
        message = "a time that is none"
        raise ValueError(message)
    return datetime.strptime(text, "%Y%m%d%H%M%SZ").replace(tzinfo=UTC)


def _name(element: _Element) -> str:
    parts = []
    for group in _elements(element.content):
        for one in _elements(group.content):
            kind, value = _elements(one.content)
            name = _NAMES.get(kind.content)
            if name is not None:
                parts.append(f"{name}={_text(value)}")
    return ", ".join(reversed(parts))


def _text(element: _Element) -> str:
    text = element.content.decode(_ENCODINGS.get(element.tag, "latin-1"), errors="replace")
    return "".join(sign if sign.isprintable() else "?" for sign in text)

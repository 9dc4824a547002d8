"""Why a text is no block of addresses, and what was meant: the sentence that a network engineer needs.

Only texts that the parser refused come here, so this may be slow and must be kind.
"""

import ipaddress
import re
from collections.abc import Callable
from dataclasses import dataclass

from .block import IPV4_BITS, IPV6_BITS, Block

NOT_A_BLOCK = "AD101"
HOST_BITS = "AD102"
LENGTH = "AD103"
LEADING_ZERO = "AD104"
NETMASK = "AD105"
RANGE = "AD106"
NO_LENGTH = "AD107"
MIXED = "AD108"

_SHOWN = 60
_LEADING_ZERO = re.compile(r"(?:^|\.)0[0-9]")
_DOTTED = re.compile(r"[0-9]{1,3}(?:\.[0-9]{1,3}){3}")
_NUMBER = re.compile(r"[0-9]{1,9}", re.ASCII)
_SEPARATOR = re.compile(r"[,;|\t]")
_EXAMPLE = "write a block such as 10.0.0.0/24 or 2001:db8::/56"


@dataclass(frozen=True, slots=True)
class Fault:
    """What is wrong with a text that should be a block, and what to write instead.

    `meant` is the block where the text can mean but one; for host bits, the block that holds the address.
    """

    code: str
    message: str
    hint: str
    meant: Block | None = None


def explain(text: str) -> Fault:
    """The fault of a text that is no canonical block."""
    shown = repr(text if len(text) <= _SHOWN else text[:_SHOWN] + "...")
    for judge in _JUDGES:
        found = judge(text, shown)
        if found:
            return found
    return Fault(NOT_A_BLOCK, f"{shown} is not a block of addresses", _EXAMPLE)


def _empty(text: str, _shown: str) -> Fault | None:
    return None if text.strip() else Fault(NOT_A_BLOCK, "no block of addresses", _EXAMPLE)


def _with_space(text: str, shown: str) -> Fault | None:
    """`10.0.0.0 / 24`, and what only a copy from a document has, as a no-break space."""
    bare = "".join(text.split()).replace("\u200b", "").replace("\ufeff", "")
    meant = _block(bare) if bare != text else None
    return Fault(NOT_A_BLOCK, f"{shown} has spaces in it", f"write {meant}", meant) if meant else None


def _crowded(text: str, shown: str) -> Fault | None:
    """`10.0.0.0/24;web`: another column, behind a separator that the header has not."""
    parts = _SEPARATOR.split(text, maxsplit=1)
    meant = _block(parts[0]) if len(parts) > 1 else None
    if meant is None:
        return None
    hint = f"write {meant} alone; between columns stands what the header has between its own"
    return Fault(NOT_A_BLOCK, f"{shown} is more than a block of addresses", hint)


def _range(text: str, shown: str) -> Fault | None:
    """`10.0.0.0-10.0.0.255`."""
    low, dash, high = (part.strip() for part in text.partition("-"))
    first, last = _address(low), _address(high)
    if not dash or first is None or last is None or first.version != last.version or int(first) > int(last):
        return None
    bits = first.max_prefixlen
    prefix = bits - (int(last) - int(first) + 1).bit_length() + 1
    meant = _block(f"{first}/{prefix}")
    if meant and meant.end == int(last) + 1:
        return Fault(RANGE, f"{shown} is a range, not a block", f"write {meant}", meant)
    hint = "a range that is not one block: write each of its blocks in a row of its own"
    return Fault(RANGE, f"{shown} is a range, not a block", hint)


def _netmask(text: str, shown: str) -> Fault | None:
    """`10.0.0.0/255.255.255.0`, `10.0.0.0 255.255.255.0` and, from an access list, `10.0.0.0 0.0.0.255`."""
    address, mask = [*re.split(r"[/\s]+", text.strip(), maxsplit=1), ""][:2]
    if not _DOTTED.fullmatch(address) or not _DOTTED.fullmatch(mask):
        return None
    try:
        network = ipaddress.IPv4Network(f"{address}/{mask}", strict=False)
    except ValueError:
        return None
    block = Block.of(str(network))
    if int(ipaddress.IPv4Address(address)) != block.first:
        return Fault(HOST_BITS, f"{shown} has host bits set, and a netmask", f"write {network} for the block", block)
    return Fault(NETMASK, f"{shown} has a netmask, not a prefix length", f"write {network}", block)


def _leading_zero(text: str, shown: str) -> Fault | None:
    """`010.0.0.0/8`, which is 10 to some programs and, as octal, 8 to others."""
    address, slash, length = text.partition("/")
    if ":" in address or not _LEADING_ZERO.search(address):
        return None
    plain = ".".join(str(int(part)) if _NUMBER.fullmatch(part) else part for part in address.split("."))
    if _address(plain) is None:
        return None
    message = f"{shown} has a leading zero, which some programs read as octal"
    return Fault(LEADING_ZERO, message, f"write {plain}{slash}{length}")


def _length(text: str, shown: str) -> Fault | None:
    """`10.0.0.0/33`, `10.0.0.0/+24`, `10.0.0.0/024`."""
    address, slash, length = text.partition("/")
    found = _address(address)
    if found is None or not slash:
        return None
    bits = found.max_prefixlen
    number = int(length) if _NUMBER.fullmatch(length) else None
    if number is None or (number > bits and found.version == 6):  # noqa: PLR2004 - an IP version
        message = f"{shown}: the prefix length must be a number from 0 to {bits}"
        return Fault(LENGTH, message, f"as in {address}/{bits // 4 * 3}")
    if number > bits:
        if number <= IPV6_BITS and number % 4 == 0:
            message = f"{shown} is an IPv4 address with the length of an IPv6 prefix"
            return Fault(MIXED, message, f"an IPv4 prefix has at most {IPV4_BITS} bits")
        message = f"{shown}: an IPv4 prefix has at most {IPV4_BITS} bits"
        return Fault(LENGTH, message, f"write {address}/{IPV4_BITS} for the one address")
    if str(number) != length:
        return Fault(LENGTH, f"{shown}: the prefix length {length} has a leading zero", f"write {address}/{number}")
    return None


def _no_length(text: str, shown: str) -> Fault | None:
    """A bare address: one host, or a block whose length was forgotten."""
    found = _address(text)
    if found is None:
        return None
    message = f"{shown} has no prefix length"
    return Fault(NO_LENGTH, message, f"write {text}/{found.max_prefixlen} for the one address, or the block's length")


def _mapped(text: str, shown: str) -> Fault | None:
    """IPv4 written as IPv6, with host bits or not: `::ffff:10.0.0.0/120`."""
    address, _, length = text.partition("/")
    found = _address(address)
    if not isinstance(found, ipaddress.IPv6Address) or found.ipv4_mapped is None or not _NUMBER.fullmatch(length):
        return None
    prefix = int(length) - (IPV6_BITS - IPV4_BITS)
    hint = f"write {found.ipv4_mapped}/{prefix}" if 0 <= prefix <= IPV4_BITS else "write it as an IPv4 block"
    return Fault(MIXED, f"{shown} is an IPv4 address in the form of IPv6", hint)


def _host_bits(text: str, shown: str) -> Fault | None:
    """`10.0.0.5/24`: the block that holds it is meant, or the one address."""
    try:
        network = ipaddress.ip_network(text, strict=False)
    except ValueError:
        return None
    address = text.partition("/")[0]
    hint = f"write {network} for the block, or {address}/{network.max_prefixlen} for the address"
    return Fault(HOST_BITS, f"{shown} has host bits set", hint, Block.of(str(network)))


def _address(text: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        found = ipaddress.ip_address(text)
    except ValueError:
        return None
    return None if "%" in text else found


def _block(text: str) -> Block | None:
    try:
        return Block.of(text)
    except ValueError:
        return None


_JUDGES: tuple[Callable[[str, str], Fault | None], ...] = (
    _empty,
    _with_space,
    _crowded,
    _range,
    _netmask,
    _leading_zero,
    _mapped,
    _length,
    _no_length,
    _host_bits,
)

"""Names of hosts: what is none is refused where it is written, before it can break a request or a look-up.

Source: RFC 1035, 2.3.4 (63 bytes a label, 253 a name); RFC 9110, 7.2 (an address of IPv6 stands in brackets).
"""

import re

_LABEL = r"[A-Za-z0-9_](?:[A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?"
_ASCII = re.compile(rf"{_LABEL}(?:\.{_LABEL})*\.?")
_LONGEST = 253
_PLACE = re.compile(r"(?P<host>\[[0-9a-fA-F:.]+\]|[^\s:/?#@\[\]]+)(?::(?P<port>\d{1,5}))?")
LARGEST_PORT = 65535


def is_host(text: str) -> bool:
    """Whether it is a name that can be looked up, or an address; one of IPv6 without its brackets."""
    if ":" in text:
        return _is_6(text)
    if text.isascii():
        return len(text) <= _LONGEST and bool(_ASCII.fullmatch(text))
    try:
        return is_host(text.encode("idna").decode())
    except UnicodeError:
        return False


def parted(authority: str) -> tuple[str, int | None] | None:
    """The host, without brackets, and the port of `HOST[:PORT]`; None where it is no such thing."""
    found = _PLACE.fullmatch(authority)
    if found is None:
        return None
    host, port = found["host"], int(found["port"]) if found["port"] else None
    is_6 = host.startswith("[")
    host = host.strip("[]")
    if not is_host(host) or is_6 != (":" in host) or (port is not None and not 1 <= port <= LARGEST_PORT):
        return None
    return host, port


def bracketed(host: str) -> str:
    """The host as it stands before a port."""
    return f"[{host}]" if ":" in host else host


def in_ascii(authority: str) -> str:
    """It as requests write it; what cannot be written stays, and is no host."""
    if authority.isascii():
        return authority
    try:
        return authority.encode("idna").decode()
    except UnicodeError:
        return authority


def _is_6(text: str) -> bool:
    import ipaddress  # noqa: PLC0415 - most profiles have names

    try:
        ipaddress.IPv6Address(text.partition("%")[0])
    except ValueError:
        return False
    return "%" not in text or text.partition("%")[2].isalnum()

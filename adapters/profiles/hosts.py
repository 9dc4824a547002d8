"""Names of hosts: what is none is refused where it is written, before it can break a request or a look-up.

Source: RFC 1035, 2.3.4 (63 bytes a label, 253 a name); RFC 9110, 7.2 (an address of IPv6 stands in brackets).
"""

import re

_LABEL = r"[A-Za-z0-9_](?:[A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?"
_ASCII = re.compile(rf"{_LABEL}(?:\.{_LABEL})*\.?")
_LONGEST = 253
_PLACE = re.compile(r"(?P<host>\[[0-9a-fA-F:.]+\]|[^\s:/?#@\[\]]+)(?::(?P<port>\d{1,5}))?")
_PORT = re.compile(r"\d{1,5}")
LARGEST_PORT = 65535
_NO_PORT = f"its port is not between 1 and {LARGEST_PORT}"


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


def why_not(authority: str) -> str:  # noqa: PLR0911 - one sentence for each reason
    """Why it is no `HOST[:PORT]`, without any of its text."""
    if not authority.strip():
        return "it is empty"
    if re.search(r"\s", authority):
        return "it has a space"
    if "://" in authority:
        return "it is a URL, with a scheme"
    if "@" in authority:
        return "it has an @, and so a user or a password"
    if re.search(r"[/?#]", authority):
        return "it has a path or a query"
    if authority.count(":") > 1 and "[" not in authority:
        return "an IPv6 address stands in brackets, as [::1]:443"
    host, colon, port = authority.rpartition(":")
    if not colon or authority.endswith("]"):
        return "that is no name of a host"
    if not host:
        return "the host before the port is empty"
    if not (port.isascii() and port.isdecimal()):
        return "its port is no number"
    return "that is no name of a host" if _PORT.fullmatch(port) and 1 <= int(port) <= LARGEST_PORT else _NO_PORT


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

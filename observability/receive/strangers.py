"""Whether a request without a token may be a web page's: one that a browser was led to send here.

A page of another site can make its own name lead to this address (DNS rebinding) and then send what it likes. Only a
name that somebody owns can be led astray, so addresses and names without a dot are never such a page's.
"""

import ipaddress
from collections.abc import Callable, Mapping
from urllib.parse import urlsplit

from .refusal import BadRequest, Reason


def check_no_stranger(headers: Mapping[str, str], is_ours: Callable[[str], bool]) -> None:
    """Raise `BadRequest` for a name that is not ours and for pages that are not."""
    host = headers.get("host", "")
    if host and not is_ours(host) and not _is_nobodys(_name(f"//{host}")):
        message = f"{host[:100]!r} is not one of my names: --allow-host NAME makes it one, or send a token"
        raise BadRequest(421, Reason.STRANGER, message)
    origin = headers.get("origin", "")
    if origin and not is_ours(urlsplit(origin).netloc if _name(origin) else ""):
        message = f"pages of {origin[:100]!r} may not send here"
        raise BadRequest(403, Reason.STRANGER, message)


def _name(url: str) -> str:
    try:
        return urlsplit(url).hostname or ""
    except ValueError:
        return ""


def _is_nobodys(name: str) -> bool:
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return bool(name) and "." not in name
    return True

"""The key of a user: the text that is hashed, together with the route's salt, into the side.

What is read here is what the compiled configuration reads, to the byte: a header's value as it is; of a cookie the
first pair with that name and printable ASCII behind the `=`, up to the next `;`, spaces inside kept; the client's
address as text. A repeated sticky header is the one case that cannot be told from here: Envoy hashes a list then.
"""

import re
from collections.abc import Mapping

from .estate import Sticky, StickyKind, WithoutKey


def own_key(sticky: Sticky, headers: Mapping[str, str], client: str | None) -> str | None:
    """The key that the request itself carries, or None. `headers` by lower-case name; `client` an IP address."""
    match sticky.kind:
        case StickyKind.HEADER:
            return headers.get(sticky.name.lower()) or None
        case StickyKind.COOKIE:
            return cookie_value(headers.get("cookie", ""), sticky.name)
        case StickyKind.CLIENT_ADDRESS:
            return client


def sticky_key(sticky: Sticky, headers: Mapping[str, str], client: str | None) -> str | None:
    """The key that decides the request's side: its own, else the client's address where a header is assigned by it.

    None: legacy serves the request, or (a cookie that is issued) a side is drawn for it.
    """
    key = own_key(sticky, headers, client)
    if key is None and sticky.kind is StickyKind.HEADER and sticky.without_key is WithoutKey.ASSIGN:
        return client
    return key


def cookie_value(cookies: str, name: str) -> str | None:
    """The value of the first cookie `name` that says something in a Cookie header, or None."""
    for pair in cookies.split(";"):
        found = re.fullmatch(rf"[ \t]*{re.escape(name)}=([!-~].*)", pair)
        if found:
            return found[1]
    return None

"""NetBox's prefixes, from its REST API: one page after the other, from one host, over verified TLS.

The rule: the token goes to the host that the user named and nowhere else, so a redirection, a further page on another
host, and plain HTTP to another machine are refused.
"""

import ipaddress
import json
import ssl
import urllib.error
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from http.client import HTTPException
from typing import Any
from urllib.parse import urlencode, urlsplit, urlunsplit

from strangler_fig.diagnostics import Diagnostic, Refused

from .errors import NetboxFailed

BAD_URL = "LV103"

_PAGE = 1000
_MOST_PAGES = 10_000
_MOST_BYTES = 64 * 2**20
_TIMEOUT_SECONDS = 30.0
_PREFIXES = "/api/ipam/prefixes/"


@dataclass(frozen=True, slots=True, kw_only=True)
class Netbox:
    """Where a NetBox is: its address (or that of a filtered list of prefixes), a token, and who vouches for its TLS."""

    url: str
    token: str | None = None
    ca_file: str | None = None


def prefixes(netbox: Netbox) -> Iterator[dict[str, Any]]:
    """Every prefix, as NetBox tells it. Raises `Refused` for an address that is none, and `NetboxFailed`."""
    following: str | None = _first(netbox.url)
    opener = _opener(netbox)
    for _page in range(_MOST_PAGES):
        if following is None:
            return
        page = _get(opener, following, netbox.token)
        results = page.get("results")
        if not isinstance(results, list):
            message = f"{following} does not answer as NetBox's API does: no results"
            raise NetboxFailed(message)
        yield from (one for one in results if isinstance(one, dict))
        following = _next(following, page.get("next"))
    message = f"NetBox at {netbox.url} has more than {_MOST_PAGES:,} pages"
    raise NetboxFailed(message)


def _next(here: str, following: Any) -> str | None:
    """The page after this one, asked of the same origin, whatever NetBox takes its own scheme and port to be."""
    if not isinstance(following, str) or not following:
        return None
    mine, parts = urlsplit(here), urlsplit(following)
    if parts.hostname != mine.hostname:
        message = f"NetBox at {mine.hostname} sends on to {parts.hostname}: the token is not sent there"
        raise NetboxFailed(message)
    return urlunsplit((mine.scheme, mine.netloc, parts.path, parts.query, ""))


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    """Lets a redirection be the failure that it is here."""

    def redirect_request(self, *_request: object) -> None:
        """Follow nothing."""


def _opener(netbox: Netbox) -> urllib.request.OpenerDirector:
    try:
        context = ssl.create_default_context(cafile=netbox.ca_file)
    except (OSError, ssl.SSLError) as error:
        message = f"{netbox.ca_file} cannot be read as certificates: {error}"
        raise Refused([Diagnostic(code=BAD_URL, message=message)]) from error
    return urllib.request.build_opener(_NoRedirect, urllib.request.HTTPSHandler(context=context))


def _get(opener: urllib.request.OpenerDirector, url: str, token: str | None) -> dict[str, Any]:
    """One page."""
    headers = {"Accept": "application/json"}
    if token:  # the tokens of NetBox 4.5 and later begin with nbt_
        headers["Authorization"] = f"{'Bearer' if token.startswith('nbt_') else 'Token'} {token}"
    request = urllib.request.Request(url, headers=headers)  # noqa: S310 - http and https alone, see _first
    try:
        with opener.open(request, timeout=_TIMEOUT_SECONDS) as answer:
            data = answer.read(_MOST_BYTES + 1)
    except urllib.error.HTTPError as error:
        error.close()
        hint = "; does the token (environment, --token-env) read prefixes?" if error.code in (401, 403) else ""
        moved = f"; it sends on to {error.headers.get('Location')}: name that" if 300 <= error.code < 400 else ""  # noqa: PLR2004
        message = f"NetBox answered {error.code} {error.reason} to {url}{hint}{moved}"
        raise NetboxFailed(message) from error
    except (OSError, HTTPException) as error:
        reason = getattr(error, "reason", None) or error
        message = f"NetBox does not answer at {url}: {reason}"
        raise NetboxFailed(message) from error
    try:
        page = json.loads(data) if len(data) <= _MOST_BYTES else None
    except (ValueError, RecursionError) as error:
        message = f"{url} does not answer as NetBox's API does: {error}"
        raise NetboxFailed(message) from error
    if not isinstance(page, dict):
        message = f"{url} does not answer as NetBox's API does"
        raise NetboxFailed(message)
    return page


def _first(url: str) -> str:
    """The address of the first page. Raises `Refused`."""
    parts = urlsplit(url)
    if parts.scheme not in ("https", "http") or not parts.hostname:
        _refuse(f"{url!r} is not the address of a NetBox", "as in https://netbox.example")
    if parts.username or parts.password:
        _refuse("a NetBox address has no user and password in it", "the token comes from the environment")
    if parts.scheme == "http" and not _is_this_machine(parts.hostname or ""):
        _refuse(f"{url} would send the token in the clear", "use https")
    path = parts.path if "/api/" in parts.path else parts.path.rstrip("/") + _PREFIXES
    query = "&".join(part for part in (parts.query, urlencode({"limit": _PAGE})) if part)
    return urlunsplit((parts.scheme, parts.netloc, path, query, ""))


def _refuse(message: str, hint: str) -> None:
    raise Refused([Diagnostic(code=BAD_URL, message=message, hint=hint)])


def _is_this_machine(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"

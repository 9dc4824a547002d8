"""One request to a service: what is sent, and whether it may be sent twice.

A handler may hand on headers that came from outside; those that frame a message, that name the host or the codings that
only the client understands, and the router's own, never pass.
"""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode

from strangler_fig.names import HEADER_PREFIX

from ..profiles.values import ServiceProfile

IDEMPOTENCY_HEADER = "idempotency-key"
SAFE = frozenset({"GET", "HEAD", "OPTIONS"})
IDEMPOTENT = SAFE | {"PUT", "DELETE"}
_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_VALUE = re.compile(r"[\t\x20-\x7e\x80-\xff]*")
# One connection's business, the length of a body that may be another one here, or what the profile and urllib3 say.
_FRAMING = frozenset(
    {
        "accept-encoding",
        "connection",
        "content-length",
        "expect",
        "host",
        "keep-alive",
        "proxy-authorization",
        "proxy-connection",
        "te",
        "trailer",
        "transfer-encoding",
        "upgrade",
    }
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """A request as it is sent; `target` has the base path and the query, names of headers are in lower case."""

    method: str
    target: str
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes | None = None

    @property
    def path(self) -> str:
        """The target without its query, which may hold what no log should."""
        return self.target.partition("?")[0]

    @property
    def is_safe(self) -> bool:
        """Whether it changes nothing."""
        return self.method in SAFE

    @property
    def may_be_repeated(self) -> bool:
        """Whether sending it twice is as good as once."""
        return self.method in IDEMPOTENT or IDEMPOTENCY_HEADER in self.headers


def make(profile: ServiceProfile, method: str, path: str, options: Mapping[str, Any]) -> Call:
    """The call that `HttpService.request` was asked for. Raises `ValueError` where `path` could leave the service."""
    _stay_inside(path)
    target = profile.base_path + path
    if query := options.get("query"):
        target += ("&" if "?" in path else "?") + urlencode(query, doseq=True)
    body, content_type = payload(options.get("body"), options.get("json_body"))
    headers = handed_on(options.get("headers") or {})
    headers.setdefault("host", profile.host)
    if content_type:
        headers.setdefault("content-type", content_type)
    if key := str(options.get("idempotency_key") or "").strip():
        headers[IDEMPOTENCY_HEADER] = key
    return Call(method=method.upper(), target=target, headers=headers, body=body)


def _stay_inside(path: str) -> None:
    """Refuse what could name another host, or climb out of the base path: paths are made of what clients sent."""
    if not path.startswith("/"):
        message = f"the path {path!r} does not begin with /"
        raise ValueError(message)
    if "#" in path:
        message = f"the path {path.partition('#')[0]!r} goes on with a fragment: write %23"
        raise ValueError(message)
    segments = re.split(r"[/\\]|%2f|%5c", path.partition("?")[0].lower())
    # Some servers take what follows a semicolon away before they look at the dots.
    if any(re.split(";|%3b", one)[0].replace("%2e", ".") in {".", ".."} for one in segments):
        message = f"the path {path!r} has a dot segment"
        raise ValueError(message)


def handed_on(headers: Mapping[str, str]) -> dict[str, str]:
    """The headers that may go on to a service, in lower case; an empty idempotency key is none.

    Raises `ValueError`, without the value, for what cannot be a header.
    """
    found: dict[str, str] = {}
    for name, value in headers.items():
        if not _NAME.fullmatch(name) or not _VALUE.fullmatch(value):
            message = (
                f"Invalid header name {name!r}" if not _NAME.fullmatch(name) else f"Invalid header value of {name}"
            )
            raise ValueError(message)
        lower = name.lower()
        is_ours = lower in _FRAMING or lower.startswith(HEADER_PREFIX)
        if not is_ours and (value.strip() or lower != IDEMPOTENCY_HEADER):
            found[lower] = value
    return found


def payload(body: bytes | str | None, json_body: object) -> tuple[bytes | None, str | None]:
    """The bytes of a body and the content type that goes with them."""
    if json_body is not None:
        return json.dumps(json_body, allow_nan=False).encode(), "application/json"
    return (body.encode(), "text/plain;charset=UTF-8") if isinstance(body, str) else (body, None)

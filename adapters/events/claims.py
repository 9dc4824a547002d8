"""The identity's claims, as the router hands them on: a compact JWS (RFC 7515, HS256), or plain JSON.

With a key in the environment only what it signed is believed, and only until it expires. Without one, claims are
believed because the router's headers are: the caller needed the permission to invoke this function.
"""

import base64
import binascii
import hashlib
import hmac
import json
import os
from typing import Any

from strangler_fig.names import CLAIMS_HEADER

from ..errors import EventUnreadable

KEY, FORMER_KEY = "ADAPTERS_CLAIMS_KEY", "ADAPTERS_CLAIMS_KEY_FORMER"
"""Environment variables: the key that the estate's identity signs with, and the one before it while it is renewed."""
_PARTS = 3
_LEEWAY_SECONDS = 5.0


def read_claims(value: str, now: float) -> dict[str, object] | None:
    """The claims; None when the router vouches for nobody. `now` in seconds since 1970.

    Claims that cannot be read or believed are a fault, not an anonymous request: the handler would answer another
    question. Raises: EventUnreadable.
    """
    if not value:
        return None
    keys = [key.encode() for name in (KEY, FORMER_KEY) if (key := os.environ.get(name))]
    parts = value.split(".")
    if len(parts) == _PARTS and not value.startswith("{"):
        return _of_signed(parts, keys, now)
    if keys:
        message = f"{CLAIMS_HEADER} is not signed"
        raise EventUnreadable(message)
    return _mapping(value.encode() if value.startswith("{") else _decoded(value))


def _of_signed(parts: list[str], keys: list[bytes], now: float) -> dict[str, object]:
    head, body, signature = parts
    claims = _mapping(_decoded(body))
    if _mapping(_decoded(head)).get("alg") != "HS256":
        message = f"{CLAIMS_HEADER} is not signed with HS256"
        raise EventUnreadable(message)
    signed, given = f"{head}.{body}".encode(), _decoded(signature)
    if keys and not any(hmac.compare_digest(hmac.new(key, signed, hashlib.sha256).digest(), given) for key in keys):
        message = f"{CLAIMS_HEADER} is signed with another key"
        raise EventUnreadable(message)
    expires = claims.get("exp")
    if isinstance(expires, (int, float)) and expires + _LEEWAY_SECONDS < now:
        message = f"{CLAIMS_HEADER} is no longer valid"
        raise EventUnreadable(message)
    return claims


def _decoded(text: str) -> bytes:
    try:
        return base64.b64decode(text + "=" * (-len(text) % 4), b"-_", validate=True)
    except (ValueError, binascii.Error) as error:
        message = f"{CLAIMS_HEADER} is not base64url"
        raise EventUnreadable(message) from error


def _mapping(data: bytes) -> dict[str, Any]:
    try:
        found = json.loads(data)
    except (ValueError, RecursionError) as error:  # JSONDecodeError and UnicodeDecodeError are ValueErrors
        message = f"{CLAIMS_HEADER} is neither JSON nor base64url of JSON"
        raise EventUnreadable(message) from error
    if not isinstance(found, dict):
        message = f"{CLAIMS_HEADER} holds {type(found).__name__}, not an object"
        raise EventUnreadable(message)
    return found

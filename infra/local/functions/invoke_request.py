"""What a request to Invoke asks for: its kind, its payload, its client context; each with the error for a bad one.

Source: Lambda API reference, Invoke (2015-03-31).
"""

import base64
import enum
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from .api_error import MAX_EVENT, ApiError, event_too_large, invalid_content, invalid_parameter

_MAX_CLIENT_CONTEXT = 3_583
_NO_PAYLOAD = b"{}"


class Kind(enum.Enum):
    """How a function is invoked."""

    SYNC = "RequestResponse"
    EVENT = "Event"
    DRY_RUN = "DryRun"


_KINDS = {kind.value: kind for kind in Kind}


@dataclass(frozen=True, slots=True, kw_only=True)
class InvokeRequest:
    """A request that is in order; `client_context` is JSON on one line."""

    kind: Kind
    payload: bytes
    client_context: str | None
    wants_log: bool

    @classmethod
    def read(cls, headers: Mapping[str, str], body: bytes) -> "InvokeRequest | ApiError":
        """The request that these headers and this body are, or what is wrong with them."""
        named = headers.get("x-amz-invocation-type", Kind.SYNC.value)
        kind = _KINDS.get(named)
        payload = body or _NO_PAYLOAD
        if kind is None:
            return invalid_parameter(f"X-Amz-Invocation-Type must be one of {', '.join(_KINDS)}, not {named}")
        if kind is Kind.EVENT and len(payload) > MAX_EVENT:
            return event_too_large(len(payload))
        context = None
        try:
            _parse(payload)
            if kind is Kind.SYNC and "x-amz-client-context" in headers:
                context = _client_context(headers["x-amz-client-context"])
        except (ValueError, RecursionError) as error:
            return invalid_content(str(error))
        wants_log = kind is Kind.SYNC and headers.get("x-amz-log-type") == "Tail"
        return cls(kind=kind, payload=payload, client_context=context, wants_log=wants_log)


def _client_context(header: str) -> str:
    """The context re-written without line breaks, so that it can travel in a header of the Runtime API."""
    if len(header) > _MAX_CLIENT_CONTEXT:
        message = f"the client context is longer than {_MAX_CLIENT_CONTEXT} bytes"
        raise ValueError(message)
    return json.dumps(_parse(base64.b64decode(header, validate=True)))


def _parse(text: bytes) -> Any:
    return _DECODER.decode(text.decode())


def _refuse_constant(name: str) -> None:
    message = f"{name} is not JSON"
    raise ValueError(message)


_DECODER = json.JSONDecoder(parse_constant=_refuse_constant)

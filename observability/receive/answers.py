"""The door's answers in the sender's own encoding: OTLP wants an (empty) response, or a `google.rpc.Status`."""

import orjson
from starlette.responses import Response

from .decode import JSON, PROTOBUF
from .refusal import BadRequest

_MESSAGE_TAG = b"\x12"
"""Field 2 of google.rpc.Status, a string. Source: googleapis, google/rpc/status.proto."""
_SEVEN_BITS = 7


def taken(kind: str) -> Response:
    """Everything is stored: no partial success to tell of."""
    return Response(b"{}" if kind == JSON else b"", media_type=kind)


def refused(kind: str, bad: BadRequest) -> Response:
    """Why nothing was taken, and when to come again."""
    headers = {"WWW-Authenticate": "Bearer"} if bad.status == 401 else {}  # noqa: PLR2004 - HTTP's own number
    if bad.retry_after_seconds is not None:
        headers["Retry-After"] = str(bad.retry_after_seconds)
    body = orjson.dumps({"message": bad.message}) if kind == JSON else _status(bad.message)
    return Response(body, bad.status, headers, media_type=kind if kind == JSON else PROTOBUF)


def _status(message: str) -> bytes:
    data = message.encode(errors="replace")
    return _MESSAGE_TAG + _varint(len(data)) + data


def _varint(number: int) -> bytes:
    out = bytearray()
    while number >> _SEVEN_BITS:
        out.append(number & 0x7F | 0x80)
        number >>= _SEVEN_BITS
    out.append(number)
    return bytes(out)

"""A request's body within bounds: as many bytes as are allowed on the wire, and as many after decompression.

Envoy sends chunked bodies without a length, so the length is counted, never believed.
"""

import zlib
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass

from .refusal import BadRequest, Reason

_GZIP = 16 + zlib.MAX_WBITS
_PIECE = 256 * 2**10


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """Bytes of one body as it comes, and when it is decompressed."""

    wire: int = 8 * 2**20
    decompressed: int = 32 * 2**20


async def read_body(chunks: AsyncIterator[bytes], limits: Limits, announced: str, grew: Callable[[int], None]) -> bytes:
    """The body as it came; `grew` is told of each piece and may refuse it. Raises `BadRequest` when it is too long."""
    if announced.isdecimal() and len(announced) < 20 and int(announced) > limits.wire:  # noqa: PLR2004 - 64 bits
        raise _too_large(limits.wire, "")
    body = bytearray()
    async for chunk in chunks:
        grew(len(chunk))
        body += chunk
        if len(body) > limits.wire:
            raise _too_large(limits.wire, "")
    return bytes(body)


def decompressed(body: bytes, encoding: str, limits: Limits) -> bytes:
    """The body without its encoding. Raises `BadRequest` for a bomb, damage, or an encoding that is unknown."""
    kind = encoding.strip().lower()
    if kind in ("", "identity"):
        return body
    if kind not in ("gzip", "x-gzip", "deflate"):
        message = f"Content-Encoding {encoding!r} is not known here: send gzip, deflate or identity"
        raise BadRequest(415, Reason.WRONG_ENCODING, message)
    inflater = zlib.decompressobj(zlib.MAX_WBITS if kind == "deflate" else _GZIP)
    parts: list[bytes] = []
    length = 0
    rest = body
    try:
        while rest and not inflater.eof:
            part = inflater.decompress(rest, min(_PIECE, limits.decompressed + 1 - length))
            rest = inflater.unconsumed_tail
            parts.append(part)
            length += len(part)
            if length > limits.decompressed:
                raise _too_large(limits.decompressed, " after decompression")
            if not part and not rest:
                break
    except zlib.error as error:
        message = f"the body is not whole {kind}: {error}"
        raise BadRequest(400, Reason.MALFORMED, message) from error
    if not inflater.eof:
        message = f"the body is not whole {kind}: it ends too soon"
        raise BadRequest(400, Reason.MALFORMED, message)
    return b"".join(parts)


def _too_large(limit: int, where: str) -> BadRequest:
    message = f"the body is larger than {limit} bytes{where}: send smaller batches"
    return BadRequest(413, Reason.TOO_LARGE, message)

"""Unpacking an answer's body: `gzip` and `deflate`, and never half of it.

urllib3 takes a stream that ends too early for a whole one; the framing of the message does not tell, since a proxy that
lost its origin may frame what it has. Each stage is lazy and gives small pieces, so whoever counts them can stop.
"""

import zlib
from collections.abc import Iterable, Iterator

from ..errors import ConnectionLost, Rejected

_PIECE = 65536
_MOST_CODINGS = 5
_GZIP, _ZLIB, _RAW = 16 + zlib.MAX_WBITS, zlib.MAX_WBITS, -zlib.MAX_WBITS
_GZIP_BEGINS = b"\x1f"
_DEFLATED, _CHECK = 8, 31
"""Of a zlib header: its method, and what its two bytes can be divided by. Source: RFC 1950, 2.2."""


def codings_of(value: str) -> tuple[str, ...] | None:
    """The codings of a `content-encoding`, the first applied first; None where one of them is not known here."""
    found = tuple(name for one in value.lower().split(",") if (name := one.strip()) and name != "identity")
    return found if all(one in {"gzip", "x-gzip", "deflate"} for one in found) else None


def unpacked(parts: Iterable[bytes], codings: tuple[str, ...]) -> Iterator[bytes]:
    """The content in small pieces; no byte at all is an empty one. Raises `ConnectionLost` where the end is missing.

    Raises `Rejected` for what is not what it says.
    """
    if len(codings) > _MOST_CODINGS:
        message = f"the answer is packed {len(codings)} times"
        raise Rejected(message)
    found = iter(parts)
    for coding in reversed(codings):
        found = _deflated(found) if coding == "deflate" else _gzipped(found)
    return found


def _gzipped(parts: Iterator[bytes]) -> Iterator[bytes]:
    """All members of a gzip stream; what follows them and is none is no part of it."""
    member = None
    for part in parts:
        data = part
        while data:
            if member is None or member.eof:
                if member is not None and not data.startswith(_GZIP_BEGINS):
                    yield from _rest(parts)
                    return
                member = zlib.decompressobj(_GZIP)
            yield from _pieces(member, data)
            data = member.unused_data
    _whole(member)


def _deflated(parts: Iterator[bytes]) -> Iterator[bytes]:
    """What was packed with zlib's header, as it is written, or without, as some do."""
    stream, head = None, b""
    for part in parts:
        data = part
        if stream is None:
            head += part
            if len(head) < 2:  # noqa: PLR2004 - the header's bytes
                continue
            is_zlib = head[0] & 15 == _DEFLATED and int.from_bytes(head[:2], "big") % _CHECK == 0
            stream, data = zlib.decompressobj(_ZLIB if is_zlib else _RAW), head
        if not stream.eof:
            yield from _pieces(stream, data)
    if stream is None and head:
        stream = zlib.decompressobj(_ZLIB)
    _whole(stream)


def _pieces(stream: "zlib._Decompress", data: bytes) -> Iterator[bytes]:
    try:
        while data:
            yield stream.decompress(data, _PIECE)
            data = stream.unconsumed_tail
    except zlib.error as error:
        message = f"the answer is not packed as it says: {error}"
        raise Rejected(message) from error


def _rest(parts: Iterator[bytes]) -> Iterator[bytes]:
    """Read to the end, so that the connection can be used again; nothing of it counts."""
    for _ in parts:
        yield b""


def _whole(stream: "zlib._Decompress | None") -> None:
    if stream is not None and not stream.eof:
        message = "the packed answer ended before its end"
        raise ConnectionLost(message)

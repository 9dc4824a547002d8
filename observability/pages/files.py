"""The files that a browser needs, under a path that has the digest of them all: so they may be kept for ever.

Modules name each other by relative paths, so one digest in the page's first line pins the whole set, and a new release
is another folder to every browser.
"""

import gzip
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from starlette.requests import Request
from starlette.responses import Response

_KINDS = {
    ".js": "text/javascript; charset=utf-8",
    ".mjs": "text/javascript; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".svg": "image/svg+xml",
}
_FOR_EVER = "public, max-age=31536000, immutable"
_WORTH_COMPRESSING = 1024
_DIGITS = 16


@dataclass(frozen=True, slots=True, kw_only=True)
class File:
    """One file as it is sent."""

    kind: str
    content: bytes = field(repr=False)
    compressed: bytes = field(repr=False)
    etag: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Files:
    """All files by name, and the digest that stands for their contents."""

    by_name: Mapping[str, File]
    digest: str

    def url(self, name: str) -> str:
        """Where a browser finds a file."""
        return f"/static/{self.digest}/{name}"

    def named(self, ending: str) -> list[str]:
        """The names with this ending, in order."""
        return sorted(name for name in self.by_name if name.endswith(ending))

    async def answer(self, request: Request) -> Response:
        """The file; 304 when the browser has it, 404 for another release's."""
        file = self.by_name.get(request.path_params["name"])
        if file is None or request.path_params["digest"] != self.digest:
            return Response("no such file", 404, media_type="text/plain")
        headers = {"ETag": file.etag, "Cache-Control": _FOR_EVER, "Vary": "Accept-Encoding"}
        if file.etag in request.headers.get("if-none-match", ""):
            return Response(None, 304, headers)
        if file.compressed and "gzip" in request.headers.get("accept-encoding", ""):
            return Response(file.compressed, 200, headers | {"Content-Encoding": "gzip"}, file.kind)
        return Response(file.content, 200, headers, file.kind)


def read_files(places: Mapping[str, Path]) -> Files:
    """What lies in these folders, each under its prefix; kinds that no page needs are left out."""
    found: dict[str, File] = {}
    whole = hashlib.sha256()
    for prefix, folder in sorted(places.items()):
        for path in sorted(folder.rglob("*")):
            kind = _KINDS.get(path.suffix)
            if kind is None or not path.is_file():
                continue
            name = prefix + path.relative_to(folder).as_posix()
            content = path.read_bytes()
            digest = hashlib.sha256(content).hexdigest()
            whole.update(f"{name}\0{digest}\n".encode())
            small = gzip.compress(content, 6, mtime=0) if len(content) > _WORTH_COMPRESSING else b""
            found[name] = File(kind=kind, content=content, compressed=small, etag=f'"{digest[:_DIGITS]}"')
    return Files(by_name=found, digest=whole.hexdigest()[:_DIGITS])

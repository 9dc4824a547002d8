"""The pages' paths: every one of them is the same small document, which the frame's modules fill.

Who is not logged in gets a document that says how to; where the browser's libraries are missing, one that says which
command brings them. Nothing of a request is ever put into a document.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from starlette.datastructures import Headers
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import Route

from .files import Files, read_files
from .vendor import COMMAND, FOLDER, HERE, libraries, missing

PATHS = ("/", "/routes/{route:path}", "/traces", "/traces/{trace_id}", "/logs", "/health")
_NOT_CROSS_SITE = frozenset({"none", "same-origin"})
_REFUSED = """<p class="failure" role="alert"><strong>This login is not known, or was used.</strong>
Each address works once: ask for a new one.</p>
"""
_STATIC, _DOCUMENTS = HERE / "static", HERE / "documents"


@dataclass(frozen=True, slots=True, kw_only=True)
class Site:
    """The documents and the files that they name."""

    files: Files
    documents: Mapping[str, str]
    is_whole: bool

    def routes(self) -> list[Route]:
        """The paths and what answers them."""
        static = Route("/static/{digest}/{name:path}", self.files.answer)
        return [static, *(Route(path, self.page) for path in PATHS)]

    async def page(self, _request: Request) -> Response:
        """A page."""
        if not self.is_whole:
            return self.document("bare", 503)
        return self.document("app", 200, "app.js")

    def welcome(self, scope_path: str, headers: Headers) -> Response | None:
        """What somebody who is not logged in sees of a page, and a browser of any path; None for everybody else.

        The document looks for a login only where a strict cookie may have stayed behind: on the way from another site.
        """
        is_page = scope_path in {"/", "/traces", "/logs", "/health"} or scope_path.startswith(("/routes/", "/traces/"))
        if not is_page and not is_person(headers):
            return None
        return self.document("login", 401, "" if headers.get("sec-fetch-site") in _NOT_CROSS_SITE else "login.js")

    def refused_login(self, headers: Headers) -> Response | None:
        """What a person sees whose login was refused; None for everybody else."""
        return self.document("login", 403, said=_REFUSED) if is_person(headers) else None

    def nowhere(self, headers: Headers) -> Response | None:
        """What a person sees of a path that is none: the pages' frame, which says so; None for everybody else."""
        if not is_person(headers):
            return None
        return self.document("app", 404, "app.js") if self.is_whole else self.document("bare", 404)

    def document(self, name: str, status: int, module: str = "", said: str = "") -> Response:
        """One of the documents, with the files that it needs; `said` is markup of our own."""
        url = self.files.url
        body = self.documents[name].format(command=COMMAND, mark=url("mark.svg"), said=said)
        first = [name for name in self.files.named(".css") if name == "style.css"]
        styles = first + [name for name in self.files.named(".css") if name not in first]
        head = [f'<script src="{url("theme.js")}"></script>']
        head += [f'<link rel="stylesheet" href="{url(name)}">' for name in styles]
        if module == "app.js":
            early = [
                name for name in self.files.by_name if name.startswith(("frame/", "vendor/")) and "css" not in name
            ]
            head += [f'<link rel="modulepreload" href="{url(name)}">' for name in early]
        head += [f'<script type="module" src="{url(module)}"></script>'] if module else []
        around = self.documents["around"]
        return HTMLResponse(around.format(icon=url("mark.svg"), head="\n".join(head), body=body), status)


def is_person(headers: Headers) -> bool:
    """Whether a browser asks for something to look at, and no script for something to read."""
    return "text/html" in headers.get("accept", "")


def read_site(vendor: Path = FOLDER) -> Site:
    """The site as it lies on the disk; whole when every library is there."""
    files = read_files({"": _STATIC, "vendor/": vendor})
    documents = {path.stem: path.read_text() for path in _DOCUMENTS.glob("*.html")}
    return Site(files=files, documents=documents, is_whole=not missing(libraries(), vendor))

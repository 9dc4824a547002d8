"""The pages' paths: every one of them is the same small document, which the frame's modules fill.

Who is not logged in gets a document that says how to; where the browser's libraries are missing, one that says which
command brings them. Nothing of a request is ever put into a document.
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from starlette.datastructures import Headers
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import Route

from .files import Files, read_files
from .modules import needed
from .vendor import COMMAND, FOLDER, HERE, libraries, missing

PATHS = {
    "/": "routes",
    "/routes/{route:path}": "route",
    "/traces": "traces",
    "/traces/{trace_id}": "trace",
    "/logs": "logs",
    "/health": "health",
}
"""The pages by path, and the module of `static/pages` that draws each: `static/pages.js` says the same to browsers."""
_EARLY = {"trace": "early.js"}
"""Scripts that ask a page's question before its modules are there."""
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
    modules: Mapping[str, tuple[str, ...]]
    """What each page needs before it can be drawn, by its name; "" for a page that is none."""

    def routes(self) -> list[Route]:
        """The paths and what answers them."""
        static = Route("/static/{digest}/{name:path}", self.files.answer)
        return [static, *(Route(path, self._page(name)) for path, name in PATHS.items())]

    def _page(self, name: str) -> Callable[[Request], Awaitable[Response]]:
        async def answer(_request: Request) -> Response:
            return self.app(200, name) if self.is_whole else self.document("bare", 503)

        return answer

    def app(self, status: int, page: str = "") -> Response:
        """The frame, which draws the page that the address names; the browser is told which files that page needs."""
        url = self.files.url
        early = [f'<script src="{url(_EARLY[page])}" async></script>'] if page in _EARLY else []
        preloaded = [f'<link rel="modulepreload" href="{url(name)}">' for name in self.modules[page]]
        return self.document("app", status, "app.js", head=[*early, *preloaded])

    def welcome(self, scope_path: str, headers: Headers) -> Response | None:
        """What somebody who is not logged in sees of a page, and a browser of any path; None for everybody else.

        A person is answered without a failure: that somebody is to log in first is none, and browsers' consoles would
        say so. The document looks for a login by itself: a strict cookie may have stayed behind on the way from another
        site, or the login's address was opened in another window.
        """
        is_page = scope_path in PATHS or scope_path.startswith(("/routes/", "/traces/"))
        if not is_page and not is_person(headers):
            return None
        is_looking = is_person(headers) and not scope_path.startswith("/api/")  # a file that was asked for is none
        return self.document("login", 200 if is_looking else 401, "login.js")

    def refused_login(self, headers: Headers) -> Response | None:
        """What a person sees whose login was refused; None for everybody else."""
        return self.document("login", 403, "login.js", said=_REFUSED) if is_person(headers) else None

    def nowhere(self, headers: Headers) -> Response | None:
        """What a person sees of a path that is none: the pages' frame, which says so; None for everybody else."""
        if not is_person(headers):
            return None
        return self.app(404) if self.is_whole else self.document("bare", 404)

    def document(
        self, name: str, status: int, module: str = "", *, said: str = "", head: Sequence[str] = ()
    ) -> Response:
        """One of the documents, with the files that it needs; `said` and `head` are markup of our own."""
        url = self.files.url
        body = self.documents[name].format(command=COMMAND, mark=url("mark.svg"), said=said)
        sheets = sorted(self.files.named(".css"), key=lambda one: (one != "style.css", one))
        found = [f'<script src="{url("theme.js")}"></script>']
        found += [f'<link rel="stylesheet" href="{url(one)}">' for one in sheets]
        found += head
        found += [f'<script type="module" src="{url(module)}"></script>'] if module else []
        around = self.documents["around"]
        return HTMLResponse(around.format(icon=url("mark.svg"), head="\n".join(found), body=body), status)


def is_person(headers: Headers) -> bool:
    """Whether a browser asks for something to look at, and no script for something to read."""
    return "text/html" in headers.get("accept", "")


def read_site(vendor: Path = FOLDER) -> Site:
    """The site as it lies on the disk; whole when every library is there."""
    files = read_files({"": _STATIC, "vendor/": vendor})
    documents = {path.stem: path.read_text() for path in _DOCUMENTS.glob("*.html")}
    modules = {name: needed(files.by_name, ["app.js", f"pages/{name}.js"]) for name in ("", *PATHS.values())}
    return Site(files=files, documents=documents, is_whole=not missing(libraries(), vendor), modules=modules)

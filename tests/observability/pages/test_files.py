"""How pages and their files are served: kept for ever by digest, open to strangers, guarded by a strict policy."""

import asyncio
import gzip
import re
from concurrent.futures import ThreadPoolExecutor

import httpx2
import pytest
from starlette.applications import Starlette

from observability.api.guard import Guard
from observability.api.sessions import Role, Sessions
from observability.pages.site import PATHS, Site, read_site

SESSIONS = Sessions("token")


@pytest.fixture(scope="module")
def site() -> Site:
    return read_site()


def get(site: Site, path: str, **headers: str) -> httpx2.Response:
    """What a browser is answered, logged in with `cookie`."""

    async def asked() -> httpx2.Response:
        guard = Guard(Starlette(routes=site.routes()), SESSIONS, lambda _: True, welcome=site.welcome)
        transport = httpx2.ASGITransport(guard)
        async with httpx2.AsyncClient(transport=transport, base_url="http://pages") as client:
            named = {"accept-encoding": "identity"} | {name.replace("_", "-"): value for name, value in headers.items()}
            return await client.get(path, headers=named)

    with ThreadPoolExecutor(1) as apart:  # a browser of another file may hold this thread's loop
        return apart.submit(asyncio.run, asked()).result()


def cookie() -> str:
    return f"fig_observe={SESSIONS.redeem(SESSIONS.mint(Role.VIEWER))}"


def test_files_are_kept_for_ever(site: Site) -> None:
    """A file is immutable under its digest, is not sent twice to who has it, and shrinks on the way."""
    url = site.files.url("frame/api.js")
    answer = get(site, url)
    assert answer.status_code == 200
    assert answer.headers["cache-control"] == "public, max-age=31536000, immutable"
    assert answer.headers["content-type"] == "text/javascript; charset=utf-8"
    assert get(site, url, if_none_match=answer.headers["etag"]).status_code == 304
    small = get(site, url, accept_encoding="gzip")
    assert small.headers["content-encoding"] == "gzip"
    assert small.text == answer.text
    assert gzip.compress(answer.content) != answer.content


@pytest.mark.parametrize(
    "path",
    ["/static/0000000000000000/app.js", "/static/{}/none.js", "/static/{}/%2e%2e/site.py"],
)
def test_other_files_are_not_there(site: Site, path: str) -> None:
    """Another release's file, one that is none, and one outside the folder are not found, nor kept."""
    answer = get(site, path.format(site.files.digest), cookie=cookie())
    assert answer.status_code == 404
    assert answer.headers["cache-control"] == "no-store"


def test_every_page_names_its_files_and_nothing_else(site: Site) -> None:
    """A page's document is the same whatever its address says: nothing of the request is in it, nothing runs inline."""
    for path in PATHS:
        asked = [path.replace("{route:path}", value).replace("{trace_id}", value) for value in ("%3Cb%3E", "x?y=1")]
        first, document = (get(site, one, cookie=cookie()).text for one in asked)
        assert first == document
        assert site.files.url("app.js") in document
        assert site.files.url("style.css") in document
        run = document.count("<script src=") + document.count('<script type="module" src=')
        assert document.count("<script") == run
        assert "style=" not in document
        assert " on" not in document.replace(" one", "")


def test_a_page_names_the_modules_that_it_needs(site: Site) -> None:
    """What a page's module imports, and what that imports, is fetched at once; what it does not need is not."""
    trace = get(site, "/traces/x", cookie=cookie()).text
    for name in ("pages/trace.js", "trace/model.js", "frame/html.js", "vendor/preact.mjs"):
        assert f'<link rel="modulepreload" href="{site.files.url(name)}">' in trace
    assert "uplot.mjs" not in trace
    assert "early.js" in trace
    for path, name in PATHS.items():
        document = get(site, path, cookie=cookie()).text
        assert site.files.url(f"pages/{name}.js") in document
        assert ("uplot.mjs" in document) == (name in {"route", "traces"})
    known = site.files.by_name["pages.js"].content.decode()
    shown = {
        path.replace("{route:path}", "{route}").replace("{trace_id}", "{id}"): name for path, name in PATHS.items()
    }
    assert dict(re.findall(r'path: "([^"]+)".*import\("\./pages/(\w+)\.js"\)', known)) == shown


def test_the_policy_allows_no_exceptions(site: Site) -> None:
    """No inline script or style, no eval, no markup from text, nothing from elsewhere, no frame around it."""
    answer = get(site, "/", cookie=cookie())
    policy = dict(part.strip().split(" ", 1) for part in answer.headers["content-security-policy"].split(";"))
    assert policy["default-src"] == "'none'"
    assert policy["script-src"] == policy["style-src"] == policy["connect-src"] == "'self'"
    assert policy["require-trusted-types-for"] == "'script'"
    assert policy["frame-ancestors"] == "'none'"
    assert "unsafe" not in answer.headers["content-security-policy"]
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["referrer-policy"] == "no-referrer"
    assert answer.headers["cache-control"] == "no-store"


@pytest.mark.parametrize(
    ("path", "kind"), [("/", "text/html"), ("/routes/a/b", "text/html"), ("/api/routes", "application/json")]
)
def test_strangers_get_a_page_for_a_page(site: Site, path: str, kind: str) -> None:
    """Without a login a page's place is a page that says how to, the API's is JSON, both 401; a person may look."""
    answer = get(site, path)
    assert answer.status_code == 401
    assert answer.headers["content-type"].startswith(kind)
    assert ("fig observe login" in answer.text) == (kind == "text/html") or kind == "application/json"
    person = get(site, path, accept="text/html,*/*", sec_fetch_site="none")
    assert person.status_code == (401 if path.startswith("/api/") else 200)
    assert "fig observe login" in person.text

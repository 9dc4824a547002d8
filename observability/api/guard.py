"""What every request to the pages' port passes first: is it meant for us, who asks, and may they change something.

A browser's request that changes something must come from our own page (`Origin`) and carry the session's `X-Fig-CSRF`;
a command has the token, which no browser sends by itself. Every answer says that nothing may frame it or run in it.
"""

import hmac
from collections.abc import Callable
from functools import partial
from http.cookies import CookieError, SimpleCookie
from urllib.parse import urlsplit

import orjson
from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from .proxy import ProxyLogin, proof_of
from .sessions import COOKIE, Session, Sessions

CSRF_HEADER = "x-fig-csrf"
OPEN_PATHS = frozenset({"/healthz", "/login", "/login/known"})
OPEN_PREFIX = "/static/"
"""The pages' own files: they are public, and the page that says how to log in needs them."""
REPORTS = "/api/policy-reports"
_MAX_PATH = 2_000
_READING = frozenset({"GET", "HEAD"})
_PROTECTION = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
        "font-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'; "
        f"require-trusted-types-for 'script'; trusted-types 'none'; report-uri {REPORTS}"
    ),
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
}


def problem(status: int, code: str, message: str, hint: str | None = None) -> Response:
    """A refusal as JSON."""
    body = {"error": {"code": code, "message": message, "hint": hint}}
    return Response(orjson.dumps(body), status, media_type="application/json")


class Guard:
    """Lets a request through with its session in the scope's state, or answers 401 or 403."""

    def __init__(
        self,
        app: ASGIApp,
        sessions: Sessions,
        is_ours: Callable[[str], bool],
        *,
        welcome: Callable[[str, Headers], Response | None] = lambda _path, _headers: None,
        proxy: ProxyLogin | None = None,
    ) -> None:
        self._app = app
        self._sessions = sessions
        self._is_ours = is_ours
        self._welcome = welcome
        self._proxy = proxy
        self._proof = proof_of(sessions.token)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Judge a request, and hand it on."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        async def protected(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in _PROTECTION.items():
                    headers.setdefault(name, value)
                headers.setdefault("Cache-Control", "no-store")
            await send(message)

        refusal = self._judge(scope)
        await (refusal or self._app)(scope, receive, protected)

    def _judge(self, scope: Scope) -> Response | None:
        headers = Headers(scope=scope)
        if not self._is_ours(headers.get("host", "")):
            return problem(421, "OB421", "this address is not one of mine", "name it with --allow-host")
        if scope["path"] in OPEN_PATHS or scope["path"].startswith(OPEN_PREFIX):
            return None
        find = partial(self._bearer, headers)
        session = find()
        if session is None:
            find = partial(self._of_browser, headers, scope)
            session = find()
            if session is None:
                hint = "open the address that fig observe printed, or ask for a new one with fig observe login"
                page = self._welcome(scope["path"], headers) if scope["method"] in _READING else None
                return page or problem(401, "OB401", "nobody is logged in", hint)
            is_harmless = scope["method"] in _READING or scope["path"] == REPORTS
            if not is_harmless and not _is_from_our_page(headers, session):
                return problem(403, "OB403", "this did not come from one of my own pages")
        scope.setdefault("state", {}).update(session=session, is_session_alive=lambda: find() is not None)
        return None

    def _of_browser(self, headers: Headers, scope: Scope) -> Session | None:
        peer = (scope.get("client") or ("",))[0]
        named = self._proxy.session(headers, peer, self._proof) if self._proxy else None
        return named or self._sessions.of_cookie(cookie_of(headers))

    def _bearer(self, headers: Headers) -> Session | None:
        scheme, _, sent = headers.get("authorization", "").partition(" ")
        return self._sessions.of_token(sent.strip()) if scheme.lower() == "bearer" else None


def cookie_of(headers: Headers) -> str:
    """The session's cookie, empty where there is none."""
    try:
        morsel = SimpleCookie(headers.get("cookie", "")).get(COOKIE)
    except CookieError:
        return ""
    return morsel.value if morsel else ""


def own_path(wanted: str) -> str:
    """The path and query that somebody wants to see after a login, `/` where they might lead to another site.

    Browsers drop control characters, read a backslash as a slash and walk dots; two slashes begin another site's name.
    """
    is_odd = any(letter <= " " or letter in "\\\x7f" for letter in wanted) or len(wanted) > _MAX_PATH
    steps = wanted.partition("?")[0].partition("#")[0].lower().replace("%2e", ".").split("/")
    is_walking = "." in steps or ".." in steps  # what is left of the others may begin with two slashes
    is_page = wanted.startswith("/") and not wanted.startswith(("//", "/login", "/api/", "/static/"))
    return wanted if is_page and not is_odd and not is_walking else "/"


def _is_from_our_page(headers: Headers, session: Session) -> bool:
    origin = headers.get("origin", "")
    if urlsplit(origin).netloc != headers.get("host", "") or not origin:
        return False
    return bool(session.csrf) and hmac.compare_digest(headers.get(CSRF_HEADER, "").encode(), session.csrf.encode())

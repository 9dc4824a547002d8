"""One path for each question. Reading is a GET; what changes something is a POST and wants an admin.

GET  /api/session                    who asks, and the proof that pages add to a POST
GET  /api/routes                     the numbers of each route and side         minutes | start, end; route, activity
GET  /api/routes/{route}/series      a route's numbers over time                step (minutes)
GET  /api/routes/{route}/slowest     its slowest requests                       side
GET  /api/traces                     spans that are like this                   route, side, role, service, text, ...
GET  /api/traces/{trace_id}          one trace as a tree, and its records       at (nanoseconds, a hint)
GET  /api/traces/{trace_id}/...      what its page asks                         see `one_trace`
GET  /api/logs                       records that are like this                 severity, trace_id, ...
GET  /api/health                     how whole the picture is, and how the process does
GET  /api/export/{table}             a table as parquet
POST /api/query                      a SELECT of the user's own
POST /api/logins                     a new one-time login
GET, POST, DELETE /api/forward       where everything is sent on to
"""

from collections.abc import Awaitable, Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any, TypeVar

import orjson
from starlette.datastructures import Headers
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from strangler_fig.diagnostics import Diagnostic, Refused

from ..query import completeness, logs, routes, traces
from ..query.joinable import joinable
from ..query.picture import picture
from ..query.reader import DuckDbReader, Record
from ..query.sql import MAX_ROWS, run_sql
from ..query.tree import as_tree
from ..query.window import Window
from .asking import ask
from .guard import cookie_of, own_path, problem
from .one_trace import OneTrace, asked_trace, records_window
from .paging import page_of
from .questions import Question
from .sessions import COOKIE, SESSION_SECONDS, Role, Session, Sessions

Result = TypeVar("Result")
Endpoint = Callable[[Request], Awaitable[Response]]
_MAX_BODY = 256 * 2**10


def as_json(values: object, status: int = 200) -> Response:
    """Values as a JSON answer; what JSON does not know is written as text."""
    body = orjson.dumps(values, default=str, option=orjson.OPT_NON_STR_KEYS)
    return Response(body, status, media_type="application/json")


@dataclass(slots=True, kw_only=True)
class Api:
    """The endpoints over one reader. `condition` tells of the process for the health page.

    `listening` is where senders send to, for pages that say so. `refused_login` is what a person sees of a login that
    is refused, None for whoever is none.
    """

    reader: DuckDbReader
    sessions: Sessions
    condition: Callable[[], Mapping[str, object]]
    listening: tuple[str, int] = ("", 0)
    refused_login: Callable[[Headers], Response | None] = lambda _headers: None
    workers: ThreadPoolExecutor = field(default_factory=lambda: ThreadPoolExecutor(2, "query"))

    def routes(self) -> list[Route]:
        """The paths and their endpoints."""
        return [
            Route("/healthz", self.healthz),
            Route("/login", self.login),
            Route("/login/known", self.known),
            Route("/api/session", self.session),
            Route("/api/session", self.logout, methods=["DELETE"]),
            Route("/api/logins", self.mint, methods=["POST"]),
            Route("/api/routes", self.overview),
            Route("/api/routes/{route:path}/series", self.series),
            Route("/api/routes/{route:path}/slowest", self.slowest),
            Route("/api/traces", self.traces),
            Route("/api/traces/{trace_id}", self.trace),
            *OneTrace(reader=self.reader, workers=self.workers).routes(),
            Route("/api/logs", self.logs),
            Route("/api/health", self.health),
            Route("/api/query", self.query, methods=["POST"]),
        ]

    async def healthz(self, _request: Request) -> Response:
        """That the process lives."""
        return as_json({"ok": True})

    async def login(self, request: Request) -> Response:
        """A cookie for a one-time login, and on to the page that was wanted."""
        sent = request.query_params.get("token", "").strip()
        cookie = self.sessions.redeem(sent.rpartition("token=")[2])  # people paste the whole address
        if cookie is None:
            hint = "each address works once: ask for a new one with fig observe login"
            refusal = problem(403, "OB403", "this login is not known, or was used", hint)
            return self.refused_login(request.headers) or refusal
        answer = RedirectResponse(own_path(request.query_params.get("next", "")), 303)
        answer.set_cookie(
            COOKIE,
            cookie,
            max_age=int(SESSION_SECONDS),
            httponly=True,
            samesite="strict",
            secure=request.url.scheme == "https",
        )
        return answer

    async def known(self, request: Request) -> Response:
        """Whether the browser is logged in: for the page that says how to, whose asking is no failure."""
        return as_json({"is_known": self.sessions.of_cookie(cookie_of(request.headers)) is not None})

    async def session(self, request: Request) -> Response:
        """Who asks, and where senders send to."""
        session = session_of(request)
        host, port = self.listening
        who = {"role": session.role.value, "csrf": session.csrf, "user": session.user}
        return as_json({**who, "otlp": {"host": host, "port": port}})

    async def logout(self, request: Request) -> Response:
        """Forget the browser."""
        self.sessions.end(cookie_of(request.headers))
        return as_json({"ok": True})

    async def mint(self, request: Request) -> Response:
        """A new one-time login of the role that was asked for."""
        if refusal := admin_only(request):
            return refusal
        asked = (await json_body(request)).get("role", Role.VIEWER.value)
        if asked not in {role.value for role in Role}:
            raise Refused([Diagnostic(code="OB204", message=f"role {str(asked)[:40]!r} is none of viewer, admin")])
        return as_json({"token": self.sessions.mint(Role(asked)), "role": asked})

    async def overview(self, request: Request) -> Response:
        """Every route's numbers, or those of one; with `activity=1` their requests over time."""
        question = Question(request.query_params)
        asked, limit = question.counted(), int(question.number("limit", 200, 1, 2_000))
        route, with_activity = question.text("route"), question.text("activity", ("1", "0")) == "1"
        question.check()

        def both() -> Record:
            window = routes.since_first(self.reader, asked)
            found = routes.overview(self.reader, window, limit, route)
            lines = routes.activity(self.reader, window) if with_activity else {}
            more = {"activity": {one["route"]: lines.get(one["route"]) for one in found}} if with_activity else {}
            total = routes.together(found, window)
            return {"window": _window(window), "total": total, "routes": found, **more}

        return as_json(await self._ask(request, both))

    async def series(self, request: Request) -> Response:
        """A route's numbers over time."""
        question = Question(request.query_params)
        asked, step = question.counted(), int(question.number("step", 1, 1, 1440))
        question.check()
        route = request.path_params["route"]

        def steps() -> tuple[Window, list[Record]]:
            window = routes.since_first(self.reader, asked)
            return window, routes.series(self.reader, route, window, step)

        window, found = await self._ask(request, steps)
        return as_json({"window": _window(window), "route": route, "steps": found})

    async def slowest(self, request: Request) -> Response:
        """A route's slowest requests."""
        question = Question(request.query_params)
        window, limit = question.counted(), int(question.number("limit", 20, 1, 1_000))
        side = question.text("side", ("legacy", "lambda"))
        question.check()
        route = request.path_params["route"]
        found = await self._ask(request, lambda: traces.slowest(self.reader, route, window, limit, side))
        return as_json({"window": _window(window), "route": route, "spans": found})

    async def traces(self, request: Request) -> Response:
        """Spans that are like this."""
        question = Question(request.query_params)
        window, wanted, limit = question.window(), question.wanted(), int(question.number("limit", 100, 1, 5_000))
        order = question.order()
        question.check()

        def search(most: int) -> list[Record]:
            return traces.search(self.reader, wanted, window, most, order)

        found, told = await self._ask(request, lambda: page_of(search, limit, order))
        return as_json({"window": _window(window), **told, "spans": found})

    async def trace(self, request: Request) -> Response:
        """One trace: its spans as a tree, and the records that belong to it."""
        trace_id, window = asked_trace(request)
        found = await self._ask(request, lambda: self._whole(trace_id, window))
        return as_json(found, 200 if found["spans"] or found["logs"] else 404)

    def _whole(self, trace_id: str, window: Window) -> dict[str, Any]:
        spans = traces.trace(self.reader, trace_id, window)
        if spans:
            start = int(spans[0]["Timestamp"])
            ends = max(int(span["Timestamp"]) + int(span["Duration"]) for span in spans)
            window = records_window(Window(start, max(ends, start) + 1))
        return {
            "trace_id": trace_id,
            "spans": as_tree(spans),
            "logs": logs.of_trace(self.reader, trace_id, window),
        }

    async def logs(self, request: Request) -> Response:
        """Records that are like this."""
        question = Question(request.query_params)
        window, wanted, limit = question.window(), question.wanted(), int(question.number("limit", 100, 1, 5_000))
        severity, trace_id, order = question.severity(), question.trace_id(), question.order()
        question.check()

        def search(most: int) -> list[Record]:
            return logs.search(self.reader, wanted, window, most, min_severity=severity, trace_id=trace_id, order=order)

        found, told = await self._ask(request, lambda: page_of(search, limit, order))
        return as_json({"window": _window(window), **told, "records": found})

    async def health(self, request: Request) -> Response:
        """How whole the picture is, by default of five minutes; `joined` is the part of which spans were compared."""
        question = Question(request.query_params, default_minutes=5.0)
        window = question.window()
        question.check()

        def whole() -> tuple[Window, dict[str, list[Record]]]:
            joined = joinable(self.reader, window)
            return joined, completeness.completeness(self.reader, window, joined)

        joined, found = await self._ask(request, whole)
        process = self.condition()
        told = {"window": _window(window), "joined": _window(joined), **found, "process": process}
        return as_json({**told, "picture": picture(found, process)})

    async def query(self, request: Request) -> Response:
        """A SELECT of the user's own."""
        asked = await json_body(request)
        text, limit = asked.get("sql"), asked.get("limit", 1_000)
        is_number = isinstance(limit, int) and not isinstance(limit, bool)
        if not isinstance(text, str) or not is_number or not 1 <= limit <= MAX_ROWS:
            hint = f"the limit is a number from 1 to {MAX_ROWS}"
            raise Refused([Diagnostic(code="OB204", message='send {"sql": "SELECT ...", "limit": 1000}', hint=hint)])
        answer = await self._ask(request, lambda: run_sql(self.reader, text, limit))
        return as_json({"columns": answer.columns, "rows": answer.rows, "is_cut": answer.is_cut})

    async def _ask(self, request: Request, question: Callable[[], Result]) -> Result:
        return await ask(request, self.workers, question)


def session_of(request: Request) -> Session:
    """The session that the guard let through."""
    session: Session = request.state.session
    return session


def admin_only(request: Request) -> Response | None:
    """The refusal for somebody who may only look, else None."""
    if session_of(request).role.may_change:
        return None
    return problem(403, "OB403", "this needs the role admin")


async def json_body(request: Request) -> dict[str, Any]:
    """The body's object. Raises `Refused` for anything else."""
    data = bytearray()
    async for chunk in request.stream():
        data += chunk
        if len(data) > _MAX_BODY:
            raise Refused([Diagnostic(code="OB204", message=f"the body is larger than {_MAX_BODY} bytes")])
    try:
        values = orjson.loads(bytes(data) or b"{}")
    except orjson.JSONDecodeError as error:
        raise Refused([Diagnostic(code="OB204", message=f"the body is not JSON: {error}")]) from error
    if not isinstance(values, dict):
        raise Refused([Diagnostic(code="OB204", message="the body is no JSON object")])
    return values


def _window(window: Window) -> dict[str, object]:
    return {"start": window.start, "end": window.end, "seconds": window.seconds}

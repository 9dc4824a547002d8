"""What the page of one trace asks: the outline that it draws, one span in full, and which spans mention a text.

GET  /api/traces/{trace_id}/outline          columns instead of rows: 50,000 spans in a few megabytes  at (nanoseconds)
GET  /api/traces/{trace_id}/spans/{span_id}  everything of one span, and its records                     at
GET  /api/traces/{trace_id}/mentions         the ids of the spans that have a text in a value             at, text
"""

import gzip
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import orjson
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from strangler_fig.diagnostics import Diagnostic, Refused

from ..query import logs, traces
from ..query.outline import as_columns
from ..query.reader import DuckDbReader
from ..query.window import MINUTE, Window
from .asking import ask
from .guard import problem
from .questions import Question

_TRACE_DIGITS, _SPAN_DIGITS = 32, 16
_AROUND = 60 * MINUTE
_AFTER = 5 * MINUTE
_MOST_RECORDS = 2_000
_WORTH_COMPRESSING = 100_000
_NOWHERE = Window(0, 1)


@dataclass(frozen=True, slots=True, kw_only=True)
class OneTrace:
    """The endpoints over one reader."""

    reader: DuckDbReader
    workers: ThreadPoolExecutor

    def routes(self) -> list[Route]:
        """The paths and their endpoints."""
        trace = "/api/traces/{trace_id}"
        return [
            Route(f"{trace}/outline", self.outline),
            Route(f"{trace}/mentions", self.mentions),
            Route(f"{trace}/spans/{{span_id}}", self.span),
        ]

    async def outline(self, request: Request) -> Response:
        """The whole trace as it is drawn; one of which nothing is kept has no rows and no records."""
        trace_id, window = asked_trace(request)
        is_gzip_welcome = "gzip" in request.headers.get("accept-encoding", "")
        return await ask(request, self.workers, lambda: self._outline(trace_id, window, is_gzip_welcome))

    def _outline(self, trace_id: str, window: Window, is_gzip_welcome: bool) -> Response:  # noqa: FBT001 - a fact
        exact = traces.extent(self.reader, trace_id, window)
        spans, rows = traces.sketch(self.reader, trace_id, exact or _NOWHERE)
        around = records_window(exact) if exact else window
        records = logs.brief_of_trace(self.reader, trace_id, around, _MOST_RECORDS + 1)
        found = as_columns(spans, records[:_MOST_RECORDS]) | {
            "trace_id": trace_id,
            "rows": rows,
            "is_cut": rows > traces.MAX_SPANS,
            "are_logs_cut": len(records) > _MOST_RECORDS,
        }
        body = orjson.dumps(found)  # here, in the worker's thread: 50,000 spans would hold up everybody else
        if not is_gzip_welcome or len(body) < _WORTH_COMPRESSING:
            return Response(body, media_type="application/json")
        headers = {"Content-Encoding": "gzip", "Vary": "Accept-Encoding"}
        return Response(gzip.compress(body, 1), 200, headers, "application/json")

    async def span(self, request: Request) -> Response:
        """One span and what was logged in it."""
        trace_id, window = asked_trace(request)
        span_id = hexadecimal(request.path_params["span_id"], _SPAN_DIGITS, "span")

        def find() -> dict[str, Any] | None:
            exact = traces.extent(self.reader, trace_id, window)
            span = traces.one_span(self.reader, trace_id, span_id, exact) if exact else None
            if exact is None or span is None:
                return None
            found = logs.of_span(self.reader, trace_id, span_id, records_window(exact))
            return {"span": _in_texts(span), "logs": [_in_texts(one) for one in found]}

        answer = await ask(request, self.workers, find)
        if answer is None:
            return problem(404, "OB404", "this trace has no such span, or has it no more")
        return Response(orjson.dumps(answer, default=str), media_type="application/json")

    async def mentions(self, request: Request) -> Response:
        """Where the trace has a text."""
        trace_id, window = asked_trace(request)
        question = Question(request.query_params)
        text = question.text("text")
        question.check()

        def find() -> list[str]:
            exact = traces.extent(self.reader, trace_id, window) if text else None
            return traces.mentions(self.reader, trace_id, text, exact) if exact else []

        return Response(orjson.dumps({"ids": await ask(request, self.workers, find)}), media_type="application/json")


def asked_trace(request: Request) -> tuple[str, Window]:
    """The trace's id, and where to look for it: around `at`, in the window that is named, else in all that is kept."""
    trace_id = hexadecimal(request.path_params["trace_id"], _TRACE_DIGITS, "trace")
    question = Question(request.query_params)
    window = question.window() if "minutes" in question.values or "start" in question.values else None
    at = int(question.number("at", 0, 0, 2**62))
    question.check()
    if window is None:
        window = Window(max(at - _AROUND, 0), at + _AROUND) if at else _long_ago(question.now())
    return trace_id, window


def hexadecimal(text: str, digits: int, what: str) -> str:
    """The id in small letters. Raises `Refused` when it is none."""
    found = text.lower()
    if len(found) != digits or any(letter not in "0123456789abcdef" for letter in found):
        raise Refused([Diagnostic(code="OB204", message=f"a {what}'s id is {digits} hexadecimal digits")])
    return found


def records_window(exact: Window) -> Window:
    """Where the records of a trace may be: of a long one, the first hour."""
    return Window(exact.start, min(exact.end, exact.start + _AROUND)).widened(_AFTER)


def _long_ago(now: int) -> Window:
    days = 31 * 1440 * MINUTE
    return Window(max(now - days, 0), now + 60 * MINUTE)


def _in_texts(one: dict[str, Any]) -> dict[str, Any]:
    """The record with its times as texts: a browser's numbers are too small for them."""
    times = {name: str(one[name]) for name in ("Timestamp",)}
    if "Events.Timestamp" in one:
        times |= {"Events.Timestamp": [str(time) for time in one["Events.Timestamp"] or ()]}  # type: ignore[dict-item]
    return {**one, **times}

"""Puts the parts together: the one place that makes them, the two applications that servers run, and how they end."""

import shutil
import sys
import time
import traceback
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp

from strangler_fig.diagnostics import Refused

from .api.endpoints import Api, as_json
from .api.exports import Exports
from .api.forwarding import Forwarding
from .api.guard import Guard, problem
from .api.live import Live
from .api.proxy import ProxyLogin
from .api.reports import PolicyReports
from .api.sessions import Sessions
from .errors import ObservabilityFailed, StoreFailed
from .forward.sender import Forwarder
from .pages.site import Site, read_site
from .query.reader import DuckDbReader
from .receive.counts import Counts
from .receive.door import Door
from .store.database import Place, log_bytes, open_database, used_bytes
from .store.upkeep import Keep
from .store.writer import MAX_QUEUED_BYTES, Writer


@dataclass(frozen=True, slots=True, kw_only=True)
class Observe:
    """The receiver's application, the pages', and the parts that a server or a test reaches for."""

    receiver: ASGIApp
    pages: ASGIApp
    sessions: Sessions
    writer: Writer
    door: Door
    forwarder: Forwarder
    reader: DuckDbReader
    live: Live

    def close(self) -> None:
        """Store what is queued, and let go of the file. Nobody may be served any more."""
        self.door.close()
        self.writer.close()
        self.forwarder.close()
        self.writer.connection.close()


@dataclass(frozen=True, slots=True, kw_only=True)
class Access:
    """Who may ask and send: the commands' token, the names that browsers may use, the senders' token, the proxy."""

    token: str
    is_ours: Callable[[str], bool]
    otlp_token: str = ""
    proxy: ProxyLogin | None = None
    listening: tuple[str, int] = ("", 0)
    """Where senders send to: nothing is sent on to there."""


def make_observe(place: Place, keep: Keep, access: Access, site: Site | None = None) -> Observe:
    """Everything over one file. Raises `StoreHeld` or `StoreFailed` when it cannot be had."""
    site = site or read_site()
    writer = Writer(open_database(place), place, keep)
    reader = DuckDbReader(lambda: writer.connection)
    forwarder = Forwarder(place.file.with_name(place.file.name + ".forward"), access.listening)
    counts = Counts(since=time.time())
    door = Door(store=writer, counts=counts, token=access.otlp_token, is_ours=access.is_ours, forward=forwarder.offer)

    def condition() -> Mapping[str, object]:
        told = writer.condition
        return {
            "fault": told.fault,
            "stored": told.stored,
            "commits": told.commits,
            "failed_commits": told.failed_commits,
            "slowest_commit_seconds": round(told.slowest_commit_seconds, 3),
            "queued_bytes": writer.queued_bytes,
            "max_queued_bytes": MAX_QUEUED_BYTES,
            "free_bytes": shutil.disk_usage(place.file.parent).free,
            "used_bytes": used_bytes(writer.connection.cursor()) + log_bytes(place),
            "door": counts.to_json(),
            "forward": forwarder.to_json(),
            "pages": {"listeners": live.listeners, **reports.to_json()},
        }

    def told() -> Mapping[str, object]:
        return {"at": time.time_ns() // 10**6, "records": dict(counts.taken), "has_fault": bool(writer.condition.fault)}

    sessions, reports = Sessions(access.token), PolicyReports()
    live = Live(told=told, release=site.files.digest)
    writer.when_stored = live.stored
    api = Api(
        reader=reader,
        sessions=sessions,
        condition=condition,
        listening=access.listening,
        refused_login=site.refused_login,
    )
    parts = (api, Exports(reader, place.exports), Forwarding(forwarder), live, reports, site)
    pages = Guard(
        Starlette(
            routes=[route for part in parts for route in part.routes()],
            exception_handlers={**_HANDLERS, HTTPException: _http_error_on(site)},
        ),
        sessions,
        access.is_ours,
        welcome=site.welcome,
        proxy=access.proxy,
    )
    receiver = Starlette(routes=list(door.routes()), exception_handlers=_HANDLERS)
    return Observe(
        receiver=receiver,
        pages=pages,
        sessions=sessions,
        writer=writer,
        door=door,
        forwarder=forwarder,
        reader=reader,
        live=live,
    )


def _refused(_request: Request, error: Exception) -> Response:
    assert isinstance(error, Refused)  # noqa: S101 - registered for this class only
    found = [one.to_json() for one in error.diagnostics]
    first = found[0] if found else {"code": "OB204", "message": "the request is wrong", "hint": None}
    return as_json({"error": {**first, "diagnostics": found}}, 422)


def _failed(_request: Request, error: Exception) -> Response:
    status, code = (503, "OB503") if isinstance(error, StoreFailed) else (502, "OB502")
    return problem(status, code, str(error))


def _http_error(_request: Request, error: Exception) -> Response:
    status = error.status_code if isinstance(error, HTTPException) else 400
    headers = error.headers if isinstance(error, HTTPException) else None
    answer = problem(status, f"OB{status}", "no such path" if status == 404 else "not possible here")  # noqa: PLR2004 - HTTP's own number
    answer.headers.update(headers or {})
    return answer


def _http_error_on(site: Site) -> Callable[[Request, Exception], Response]:
    """The answer to what the pages' port does not have: a page for a person who looks for one."""

    def answer(request: Request, error: Exception) -> Response:
        is_nowhere = isinstance(error, HTTPException) and error.status_code == 404  # noqa: PLR2004 - HTTP's own number
        return (is_nowhere and site.nowhere(request.headers)) or _http_error(request, error)

    return answer


def _crashed(_request: Request, error: Exception) -> Response:
    sys.stderr.write("".join(traceback.format_exception(error)))
    return problem(500, "OB500", "this process failed; its output says how")


_HANDLERS = {Refused: _refused, ObservabilityFailed: _failed, HTTPException: _http_error, Exception: _crashed}

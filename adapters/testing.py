"""Fakes for the unit tests of functions: a database, a service, a clock, a deadline, and the events of a router.

    orders = FakeDatabase("create table books (id integer primary key, title text)")
    core = FakeService().on("GET", "/rates", json={"eur": 1.1})
    answer = function(request("GET", "/books/7", user="alice"), FakeContext(seconds=3))

They are the real classes with another end: retries, shadows, effects, deadlines and errors behave as they do in
production, in no time and without a network. Put them where the function keeps its own, as by pytest's `monkeypatch`.
"""

import base64
import functools
import json as json_
import sqlite3
import weakref
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any, Self
from urllib.parse import quote, urlencode

import sqlalchemy
from sqlalchemy import event, exc
from sqlalchemy.pool import StaticPool

from strangler_fig.names import CLAIMS_HEADER, HOST_HEADER, ROUTE_HEADER, SHADOW_HEADER, USER_HEADER

from . import effects
from .database.target import Database
from .deadline import Deadline, bounded, current, in_force
from .errors import DeadlineExceeded, Rejected, TargetFailed
from .profiles.document import database, service
from .service.answer import Answer
from .service.call import Call
from .service.target import HttpService
from .shadow import is_shadow

__all__ = ["FakeClock", "FakeContext", "FakeDatabase", "FakeService", "deadline", "request"]


class FakeClock:
    """A clock that stands still until it is told; calling it gives its seconds."""

    def __init__(self, now: float = 0.0) -> None:
        self.now = now

    def __call__(self) -> float:
        """The seconds that it shows."""
        return self.now

    def advance(self, seconds: float) -> None:
        """Let time pass."""
        self.now += seconds


class FakeContext:
    """A Lambda context of an invocation that has that many seconds left."""

    def __init__(self, *, seconds: float = 3.0, name: str = "function") -> None:
        self._seconds = seconds
        self.function_name = name
        self.aws_request_id = "00000000-0000-0000-0000-000000000000"

    def get_remaining_time_in_millis(self) -> int:
        """What Lambda says."""
        return round(self._seconds * 1000)


@contextmanager
def deadline(seconds: float, clock: FakeClock) -> Iterator[FakeClock]:
    """An invocation that ends in that many seconds of the fake clock; call the function with the context None."""
    with in_force(Deadline(seconds, clock=clock)):
        yield clock


def request(  # noqa: PLR0913 - what a request and the router may say
    method: str = "GET",
    path: str = "/",
    *,
    query: Mapping[str, Any] | None = None,
    headers: Mapping[str, str] | None = None,
    body: bytes | str = b"",
    json: object = None,
    user: str = "",
    route: str = "",
    claims: Mapping[str, object] | None = None,
    shadow: bool = False,
) -> dict[str, Any]:
    """The event that the router's Envoy sends for a request; `path` as text, `body` in bytes or UTF-8.

    So `handler` answers as Envoy reads it, too: `status_code`, `headers`, `cookies`, `body`, `is_base64_encoded`.
    """
    found = {name.lower(): value for name, value in (headers or {}).items()}
    if json is not None:
        body = json_.dumps(json)
        found.setdefault("content-type", "application/json")
    data = body.encode() if isinstance(body, str) else body
    ours = {
        HOST_HEADER: "shop.example",
        USER_HEADER: user,
        ROUTE_HEADER: route,
        CLAIMS_HEADER: json_.dumps(claims) if claims is not None else "",
        SHADOW_HEADER: "1" if shadow else "",
    }
    length = {"content-length": str(len(data))} if data else {}
    target = quote(path, safe="/:@!$&'()*+,;=~-._") + (f"?{urlencode(query, doseq=True)}" if query else "")
    return {
        "raw_path": target,
        "method": method,
        "headers": length | found | {name: value for name, value in ours.items() if value},
        "query_string_parameters": {},
        "body": base64.b64encode(data).decode() if data else "",
        "is_base64_encoded": bool(data),
    }


class FakeService(HttpService):
    """A service whose answers the test writes down; `asked` has the calls that reached it, each try one.

    `settings` are keys of a profile's document. `shadow` takes the calls of shadows, as another profile would. With a
    `clock` an answer may take time, and pauses between tries do.
    """

    def __init__(
        self,
        name: str = "fake",
        *,
        shadow: "FakeService | None" = None,
        clock: FakeClock | None = None,
        **settings: Any,
    ) -> None:
        guard = {"guard": settings.pop("guard")} if "guard" in settings else {}
        usual = {"endpoints": ["service.example:443"], "shadow": shadow.profile.name if shadow else None}
        super().__init__(service(name, usual | settings), **guard)
        self.asked: list[Call] = []
        self._answers: dict[tuple[str, str], list[tuple[Any, float]]] = {}
        self._for_shadows = shadow
        self._clock = clock or FakeClock()

    def on(  # noqa: PLR0913 - what an answer has
        self,
        method: str,
        path: str,
        *,
        status: int = 200,
        headers: Mapping[str, str] | None = None,
        body: bytes = b"",
        json: object = None,
        error: TargetFailed | None = None,
        seconds: float = 0.0,
    ) -> Self:
        """Answer calls of `path` like this, or raise `error`; several for one path come in turn, the last one stays."""
        if json is not None:
            body, headers = json_.dumps(json).encode(), {"content-type": "application/json", **(headers or {})}
        lower = {name.lower(): value for name, value in (headers or {}).items()}
        answer = error or Answer(profile=self.profile.name, status=status, headers=lower, body=body)
        self._answers.setdefault((method, path), []).append((answer, seconds))
        return self

    def _once(self, call: Call, told: object) -> Answer:  # noqa: ARG002 - nothing is sent that could carry a trace
        self.asked.append(call)
        turns = self._answers.get((call.method, call.path))
        if turns is None:
            known = ", ".join(f"{method} {path}" for method, path in self._answers) or "nothing"
            message = f"{self.profile.name} has no answer to {call.method} {call.path}: the test wrote down {known}"
            raise AssertionError(message)
        answer, seconds = turns.pop(0) if len(turns) > 1 else turns[0]
        self._wait(seconds)
        left = current()
        if left is not None and left.remaining() <= 0:
            raise DeadlineExceeded(f"asking {self.profile.name}: {call.method} {call.path}")  # noqa: TRY003, EM102
        if isinstance(answer, Answer):
            return answer
        raise answer

    def _wait(self, seconds: float) -> None:
        self._clock.advance(seconds)

    def _shadow(self, name: str) -> HttpService:
        return self._for_shadows or super()._shadow(name)


class FakeDatabase(Database):
    """A database in memory, of SQLite: its tables are made, and filled, by the statements given.

    Statements are SQLite's, so only what both databases understand can be tested with it; one that SQLite refuses is a
    `ValueError`. `shadow` takes the work of
    shadows; without it a shadow is rolled back here, as in production.
    """

    def __init__(self, *statements: str, name: str = "fake", shadow: "FakeDatabase | None" = None) -> None:
        document = {"endpoints": ["database.example:3306"], "credentials": {"user": "fake", "password": ""}}
        super().__init__(database(name, document), guard=self._failing)
        self._for_shadows = shadow
        self._failures: list[TargetFailed] = []
        self._sqlite = sqlite3.connect(":memory:", factory=_Connection, check_same_thread=False)
        weakref.finalize(self, self._sqlite.close)  # who forgets `close` gets no warning of Python's
        for statement in statements:
            self._fill(statement)

    def fail(self, *errors: TargetFailed) -> Self:
        """Let the next uses fail with these, one each, before they begin."""
        self._failures += errors
        return self

    @functools.cached_property
    def engine(self) -> sqlalchemy.Engine:
        """The engine on SQLite."""
        found = sqlalchemy.create_engine("sqlite://", creator=lambda: self._sqlite, poolclass=StaticPool)
        event.listen(found, "before_cursor_execute", self._check)
        return found

    def dispose(self) -> None:
        """Keep what the database holds: only connections are closed by this in production."""

    def close(self) -> None:
        """End it, and forget what it held."""
        self.engine.dispose()
        self._sqlite.close()

    def _fill(self, statement: str) -> None:
        try:
            self._sqlite.executescript(statement)
        except sqlite3.Error as error:
            message = f"the database {self.profile.name} cannot be filled by {statement!r}: {error}"
            raise ValueError(message) from error

    def _check(self, *_arguments: object) -> None:
        bounded(None, f"running a statement on {self.profile.name}", nothing_done=True)

    def _engine(self) -> sqlalchemy.Engine:
        return self._for_shadows.engine if is_shadow() and self._for_shadows else self.engine

    @contextmanager
    def _failing(self) -> Iterator[None]:
        if self._failures:
            raise self._failures.pop(0)
        yield

    @contextmanager
    def _mapped(self) -> Iterator[None]:
        with super()._mapped():
            try:
                yield
            except exc.DBAPIError as error:
                message = f"{self.profile.name}: {error.orig}"
                raise Rejected(message) from error


class _Connection(sqlite3.Connection):
    """Commits as the real one does: not for a shadow, and noted where something was written."""

    def commit(self) -> None:
        """Commit, and note it; for a shadow roll back."""
        if is_shadow():
            self.rollback()
            return
        if self.in_transaction:
            effects.note("committing")
        super().commit()

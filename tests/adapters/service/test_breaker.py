"""Powertools' circuit breaker as the guard of a service."""

import time
from collections.abc import Iterator
from typing import Any

import pymysql
import pytest
from aws_lambda_powertools.utilities.circuit_breaker import CircuitBreakerConfig, CircuitTransition
from aws_lambda_powertools.utilities.circuit_breaker.persistence.base import (
    CircuitBreakerExistingLockError,
    CircuitBreakerPersistenceLayer,
)
from aws_lambda_powertools.utilities.circuit_breaker.persistence.record import CircuitStateRecord
from sqlalchemy.exc import OperationalError, ProgrammingError

from adapters.breaker import COUNTED, breaker
from adapters.errors import ConnectionLost, Overloaded, Rejected
from adapters.invocation import handler

from ..envoy_model import Request, event
from .site import Site, answer, drop, site


class Memory(CircuitBreakerPersistenceLayer):
    """A store in this process."""

    def __init__(self) -> None:
        super().__init__()
        self.records: dict[str, CircuitStateRecord] = {}
        self.writes = 0

    def _get_record(self, name: str) -> CircuitStateRecord | None:
        return self.records.get(name)

    def _put_record(
        self, record: CircuitStateRecord, condition: str | None = None, expected_opened_at: int | None = None
    ) -> None:
        found = self.records.get(record.name)
        if condition and (found is None or found.half_open_owner or found.opened_at != expected_opened_at):
            raise CircuitBreakerExistingLockError
        self.writes += 1
        self.records[record.name] = record

    def _update_record(self, record: CircuitStateRecord) -> None:
        self._put_record(record)


@pytest.fixture
def core() -> Iterator[Site]:
    """A service without TLS."""
    with site() as one:
        yield one


def config(**changes: Any) -> CircuitBreakerConfig:
    usual: dict[str, Any] = {"failure_threshold": 2, "recovery_timeout": 1, "success_threshold": 1}
    return CircuitBreakerConfig(**usual | {"local_cache_max_age": 0, "handled_exceptions": COUNTED} | changes)


def test_an_open_circuit_asks_nobody_and_closes_again(core: Site) -> None:
    """Two failures open the circuit; then nothing is sent, until a probe after the pause goes well."""
    moves: list[str] = []

    def note(one: CircuitTransition) -> None:
        moves.append(one.to_state.name)

    store = Memory()
    guard = breaker("opens", store, config=config(), on_transition=note)
    one = core.service(guard=guard, retries=0)
    core.acts += [drop, answer(503)]
    with pytest.raises(ConnectionLost):
        one.get("/")
    assert one.get("/").status == 503
    begin = time.monotonic()
    with pytest.raises(Overloaded, match="the circuit opens is open") as caught:
        one.get("/")
    assert (len(core.seen), caught.value.nothing_done) == (2, True)
    while True:
        try:
            assert one.get("/").status == 200
            break
        except Overloaded:
            assert time.monotonic() - begin < 10
            time.sleep(0.05)
    assert one.get("/").status == 200
    assert moves == ["OPEN", "HALF_OPEN", "CLOSED"]
    assert len(core.seen) == 4


def test_what_goes_well_writes_nothing(core: Site) -> None:
    """Calls that go well, and refusals that are the caller's fault, write nothing to the store."""
    store = Memory()
    one = core.service(guard=breaker("well", store, config=config()), largest_answer=10, retries=0)
    for _ in range(3):
        core.acts += [answer(200, b"x" * 11)]
        with pytest.raises(Rejected):
            one.get("/")
        assert one.request("HEAD", "/").status == 200
    assert store.writes == 0


def test_a_refused_call_is_left_to_legacy(core: Site) -> None:
    """A function whose circuit is open answers with the mark on which the router lets legacy serve a POST."""
    one = core.service(guard=breaker("left", Memory(), config=config(failure_threshold=1)), retries=0)

    @handler
    def function(_event: Any, _context: Any) -> Any:
        return {"statusCode": one.post("/orders").status}

    core.acts += [drop]
    first = function(event(Request(method="POST")), None)
    assert (first["status_code"], "x-fig-fallback" in first["headers"]) == (502, False)
    second = function(event(Request(method="POST")), None)
    assert (second["status_code"], second["headers"]["x-fig-fallback"]) == (503, "safe")
    assert len(core.seen) == 1


def test_a_database_s_failures_count_too() -> None:
    """A connection that broke counts, a statement that was refused does not, although both are the driver's errors."""
    lost, refused = (
        OperationalError("select 1", {}, pymysql.err.OperationalError(2013, "Lost connection")),
        ProgrammingError("select", {}, pymysql.err.ProgrammingError(1064, "You have an error in your SQL syntax")),
    )
    guard = breaker("database", Memory(), config=config())
    for error in (refused, refused, refused, lost, lost):
        with pytest.raises(type(error)), guard():
            raise error
    with pytest.raises(Overloaded), guard():
        pytest.fail("the circuit is open")

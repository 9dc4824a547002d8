"""What each function may be given, and what legacy can take back."""

import dataclasses
import json
from datetime import date
from typing import Any

import jsonschema
import pytest
from hypothesis import given, settings

from capacity_planner.demand.network import Circuit, DirectConnect, NetworkPath, Proxies
from capacity_planner.demand.on_premises import Database, Legacy, Service
from capacity_planner.demand.values import Demand, FunctionDemand, Payload
from capacity_planner.path.case import Case
from capacity_planner.path.evaluate import evaluate
from capacity_planner.path.measure import Basis
from capacity_planner.verdict.allotment import Allotment, allotments
from capacity_planner.verdict.document import digest, document, render, summary
from capacity_planner.verdict.legacy import judge_legacy, without_legacy

from .demands import LIMITS, demand, function, with_limits
from .path.test_behaviour import demands
from .path.test_published import worked_path

TODAY = date(2026, 11, 25)

# The contract with release plans, as design and documentation state it.
FUNCTION = {
    "type": "object",
    "additionalProperties": False,
    "required": ["max_concurrency", "max_rps", "reserved_concurrency", "binding_limit", "assumptions"],
    "properties": {
        "max_concurrency": {"type": "integer", "minimum": 0},
        "max_rps": {"type": "number", "minimum": 0},
        "reserved_concurrency": {"type": ["integer", "null"]},
        "binding_limit": {
            "type": "object",
            "additionalProperties": False,
            "required": ["code", "hop", "value", "as_of", "source"],
            "properties": {
                "code": {"type": "string"},
                "hop": {"type": "string"},
                "value": {"type": "number"},
                "as_of": {"type": "string", "pattern": "^[0-9]{4}"},
                "source": {"type": "string", "minLength": 1},
            },
        },
        "assumptions": {"type": "object", "additionalProperties": {"type": "number"}},
    },
}
SCHEMA = {
    "type": "object",
    "required": ["version", "digest", "as_of", "functions", "path", "legacy"],
    "properties": {
        "version": {"const": 1},
        "digest": {"type": "string", "pattern": "^[0-9a-f]{64}$"},
        "as_of": {"type": "string", "format": "date"},
        "functions": {"type": "object", "additionalProperties": FUNCTION},
        "legacy": {
            "type": "object",
            "required": ["takes_everything_back", "unknown", "applications"],
            "properties": {"takes_everything_back": {"type": ["boolean", "null"]}},
        },
    },
}


def allotment(of: Demand, name: str = "books") -> Allotment:
    return next(one for one in allotments(of, LIMITS) if one.function == name)


def test_the_worked_path() -> None:
    """The database allows 400 environments, which carry 800 requests a second of half a second each."""
    found = allotment(worked_path(), "worked")
    assert (found.max_concurrency, found.reserved) == (400, 400)
    assert found.binding.kind.code == "database-sessions"
    assert found.max_rate == pytest.approx(800)


def test_a_rate_may_bind_before_concurrency() -> None:
    """A thin circuit bounds the rate, and is named although the account bounds the environments."""
    one = function(rate=100, p50=0.01, egress=Payload(request=0, response=50_000), services=("crm",))
    path = NetworkPath(direct_connect=DirectConnect(circuits=(Circuit(name="one", gbps=0.1),)))
    found = allotment(demand(one, path=path, services=(Service(name="crm"),)))
    assert found.binding.kind.code == "direct-connect-bandwidth"
    assert found.max_rate == pytest.approx(0.1e9 / 8 / 1.05 / (50_000 + 2_048), rel=1e-6)


def test_functions_share_a_database_by_their_demand() -> None:
    """Two functions that need 30 and 10 of 100 sessions may have 75 and 25."""
    both = demand(
        function("one", rate=300, p50=0.1, timeout=30.0, p99=1.0, database_sessions=(("core", 1),)),
        function("two", rate=100, p50=0.1, timeout=30.0, p99=1.0, database_sessions=(("core", 1),)),
        databases=(Database(name="core", sessions=100),),
    )
    assert [(one.max_concurrency, one.reserved) for one in allotments(both, LIMITS)] == [(75, 75), (25, 25)]


def test_a_function_without_traffic_may_have_nothing() -> None:
    """Nobody said what it demands."""
    found = allotment(demand(function(rate=0)))
    assert (found.max_concurrency, found.max_rate, found.reserved) == (0, 0.0, None)


def test_what_cannot_be_built_carries_nothing() -> None:
    """With 101 prefixes BGP is down: no function may have anything."""
    path = NetworkPath(direct_connect=DirectConnect(circuits=(Circuit(name="one", gbps=10.0),), prefixes_in=101))
    found = allotment(demand(function(), path=path))
    assert (found.max_concurrency, found.binding.kind.code) == (0, "direct-connect-prefixes-in")


def test_a_payload_that_lambda_refuses_binds_its_function_only() -> None:
    """7 MB do not fit an invocation; the other function is not touched."""
    large = function("large", ingress=Payload(request=7_000_000, response=0))
    both = demand(large, function("small"))
    assert allotment(both, "large").max_concurrency == 0
    assert allotment(both, "large").binding.kind.code == "invocation-payload"
    assert allotment(both, "small").max_concurrency > 0


def test_the_reserved_concurrency_of_the_file_stays() -> None:
    """A function is never given more than its own reservation."""
    assert allotment(demand(function(rate=100, p50=1.0, reserved=150))).max_concurrency == 150


@settings(max_examples=40, deadline=None)
@given(demands())
def test_no_limit_breaks_when_all_use_what_they_may(given_demand: Demand) -> None:
    """The allotments of all functions together fit every limit, at the median and with one lost."""
    given_to = {one.function: one for one in allotments(given_demand, LIMITS)}
    moved = dataclasses.replace(
        given_demand,
        functions=tuple(dataclasses.replace(one, rate=given_to[one.name].max_rate) for one in given_demand.functions),
    )
    network = evaluate(given_demand, LIMITS).network
    path = dataclasses.replace(
        given_demand.path,
        proxies=dataclasses.replace(given_demand.path.proxies, per_az=network.proxies_per_az),
        nlb=dataclasses.replace(given_demand.path.nlb, targets_per_az=network.targets_per_az),
    )
    for one in evaluate(dataclasses.replace(moved, path=path), LIMITS).measures(Case.MEDIAN_LOST):
        if one.kind.refuses and one.kind.basis is not Basis.FIXED:
            assert one.load <= one.capacity * (1 + 1e-9) + 1e-9, (one.kind.code, one.subject)


def test_the_document_keeps_its_contract() -> None:
    """The document has the schema that a release plan reads, and says what legacy can take."""
    found = document(worked_path(), LIMITS, as_of=TODAY)
    jsonschema.validate(json.loads(render(found)), SCHEMA)
    worked = found["functions"]["worked"]
    assert worked["binding_limit"] == {
        "code": "database-sessions",
        "hop": "database core",
        "value": 400,
        "as_of": "2026-11-25",
        "source": "the demand file, databases.core: 1,000 x 40%",
    }
    assert found["path"]["exceeded"][0] == {"code": "database-sessions", "subject": "core", "case": "p50"}
    assert "exceeded, database-sessions binds" in summary(found)


def test_the_digest_names_the_inputs() -> None:
    """The same inputs have the same digest on any day; another rate or limit has another."""
    one = demand(function())
    assert document(one, LIMITS, as_of=TODAY)["digest"] == document(one, LIMITS, as_of=date(2027, 1, 1))["digest"]
    assert digest(one, LIMITS) != digest(demand(function(rate=101)), LIMITS)
    assert digest(one, LIMITS) != digest(one, with_limits(eni_per_vpc=501))
    assert render(document(one, LIMITS, as_of=TODAY)) == render(document(one, LIMITS, as_of=TODAY))


def back(legacy: Legacy, *functions: FunctionDemand, sessions: int = 100) -> Demand:
    """A demand whose functions came from a legacy application with a database of so many sessions."""
    core = Database(name="core", sessions=sessions, share=0.5, others=10)
    return demand(*functions, databases=(core,), legacy=(legacy,), path=NetworkPath(proxies=Proxies(per_az=2)))


BOOKS = function(rate=100, p50=0.1, database_sessions=(("core", 1),))


@pytest.mark.parametrize(
    ("changes", "code", "load", "capacity", "takes"),
    [
        ({"rate": 100.0}, "legacy-rate", 100, 100, True),
        ({"rate": 99.0}, "legacy-rate", 100, 99, False),
        ({"concurrency": 20, "duration": 0.2}, "legacy-concurrency", 20, 20, True),
        ({"concurrency": 19, "duration": 0.2}, "legacy-concurrency", 20, 19, False),
        # 80 of its own, ten of functions that are still alive, ten of others
        ({"rate": 1_000.0, "sessions": (("core", 80),)}, "legacy-sessions", 100, 100, True),
        ({"rate": 1_000.0, "sessions": (("core", 81),)}, "legacy-sessions", 101, 100, False),
    ],
)
def test_what_legacy_can_take_back(
    changes: dict[str, Any], code: str, load: float, capacity: float, *, takes: bool
) -> None:
    """Its rate, its workers and the database's sessions, while environments still hold theirs."""
    legacy = Legacy(name="shop", functions=("books",), **changes)
    (found,) = judge_legacy(back(legacy, BOOKS), LIMITS)
    assert found.binding.code == code
    assert found.binding.load == pytest.approx(load)
    assert found.binding.capacity == capacity
    assert found.takes_all == takes


def test_functions_that_came_from_nowhere_are_unknown() -> None:
    """Without a stated application nobody knows whether everything can go back."""
    of = back(Legacy(name="shop", functions=("books",), rate=1_000.0), BOOKS, function("new"))
    assert without_legacy(of) == ("new",)
    verdict = document(of, LIMITS, as_of=TODAY)["legacy"]
    assert (verdict["takes_everything_back"], verdict["unknown"]) == (None, ["new"])
    too_small = back(Legacy(name="shop", functions=("books",), rate=1.0), BOOKS, function("new"))
    assert document(too_small, LIMITS, as_of=TODAY)["legacy"]["takes_everything_back"] is False

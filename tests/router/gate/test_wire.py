import json

import pytest
from hypothesis import given

from router.gate.evidence import Counts, Histogram, Parity, Reading, RouteEvidence, SideEvidence
from router.gate.wire import from_json, to_json

from . import strategies


@given(strategies.readings)
def test_a_reading_survives_the_wire(reading: Reading) -> None:
    """JSON text and back is the same reading."""
    assert from_json(json.loads(json.dumps(to_json(reading)))) == reading


def test_the_wire_form_is_the_designs() -> None:
    """Buckets are keys of their side, latencies are keyed by fold, and empty parts are absent."""
    lambda_ = SideEvidence(
        buckets={7: Counts(requests=3, by_status={200: 2, 502: 1}, fallbacks=1)},
        latency={7: Histogram(bounds=(1.0,), counts=(2, 1))},
        executed_versions={"41": 3},
        parity=Parity(compared=2, different=1),
    )
    routes = {"books": RouteEvidence(lambda_=lambda_)}
    sent = to_json(Reading(node="router-1", epoch="e1", weights_version=4, at=12.5, routes=routes))
    counts = {"requests": 3, "by_status": {"200": 2, "502": 1}, "fallbacks": 1, "throttles": 0, "timeouts": 0}
    assert sent == {
        "node": "router-1",
        "epoch": "e1",
        "weights_version": 4,
        "at": 12.5,
        "routes": {
            "books": {
                "legacy": {},
                "lambda": {
                    "7": counts | {"response_bytes": 0},
                    "latency_ms": {"7": {"bounds": [1.0], "counts": [2, 1]}},
                    "executed_version": {"41": 3},
                    "parity": {"compared": 2, "different": 1},
                },
            }
        },
    }


@pytest.mark.parametrize(
    "values", [{}, {"node": 1}, to_json(Reading(node="", epoch="", weights_version=0, at=0)) | {"at": "x"}]
)
def test_what_is_no_reading_is_refused(values: dict[str, object]) -> None:
    """A part that is missing or of the wrong kind is an exception, for the API to refuse."""
    with pytest.raises((KeyError, TypeError, ValueError)):
        from_json(values)

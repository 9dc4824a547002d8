"""Plans of one release on one estate, with a present that tests change."""

import json
from datetime import UTC, datetime
from typing import Any

from router.estate import Estate
from router.ledger.chain import text_digest
from router.plan.capacity import Capacity, read_capacity
from router.plan.load import NOTHING_ASSUMED, Assumed
from router.plan.places import NOWHERE, Places
from router.plan.present import Present
from router.plan.release_plan import Given, plan_release
from router.plan.values import ReleasePlan
from tests.router.release.texts import estate, release

MONDAY = datetime(2026, 11, 2, 9, tzinfo=UTC)
ESTATE_TEXT = "the normalised estate"


def present_json(**more: Any) -> dict[str, Any]:
    """What control answers: everything on legacy, 50 requests a second to each route."""
    rate = {"requests_per_second": 50.0, "error_share": 0.001, "p50_ms": 40.0, "p99_ms": 200.0}
    plain: dict[str, Any] = {
        "basis": "b" * 64,
        "head": "h" * 64,
        "estate": text_digest(ESTATE_TEXT),
        "weights": {"books": 0, "search": 0, "cart": 0},
        "frozen": None,
        "releases": [],
        "traffic": {route: {"legacy": rate} for route in ("books", "search", "cart")},
        "users": {"books": {"legacy": 64, "lambda": 0}, "search": {"legacy": 40, "lambda": 0}},
        "attempts": {},
    }
    return plain | more


def capacity(rps: float, *, takes_all: bool = True, function: str = "books") -> Capacity:
    """A verdict that gives one function so many requests a second."""
    binding = {"code": "database-sessions", "hop": "database stock", "value": 70, "as_of": "2026-11-01", "source": "s"}
    plain = {
        "version": 1,
        "digest": "d",
        "as_of": "2026-11-01",
        "functions": {function: {"max_concurrency": 70, "max_rps": rps, "binding_limit": binding}},
        "legacy": {
            "takes_everything_back": takes_all,
            "applications": {"shop": {"takes_all": takes_all, "functions": ["books"], "binding_limit": binding}},
        },
    }
    return read_capacity(json.dumps(plain), "capacity.json")


def planned(  # noqa: PLR0913 - all but the text have defaults
    text: str,
    plain: dict[str, Any] | None = None,
    capacity_: Capacity | None = None,
    now: datetime = MONDAY,
    assumed: Assumed = NOTHING_ASSUMED,
    *,
    estate_: Estate | None = None,
    places: Places = NOWHERE,
) -> ReleasePlan:
    """The plan of a release's text; `plain` None: control is down."""
    given = Given(
        release=release(text),
        text=text,
        estate=estate_ or estate(),
        estate_text=ESTATE_TEXT,
        present=None if plain is None else Present.from_json(plain),
        capacity=capacity_,
        unseen=("everything",) if plain is None else (),
        assumed=assumed,
        places=places,
    )
    return plan_release(given, now)


def codes(plan: ReleasePlan) -> list[str]:
    """The codes of what speaks against it."""
    return [one.code for one in plan.problems]

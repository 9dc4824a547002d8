"""What a stale plan says of what has moved since."""

import json
from datetime import UTC, datetime
from typing import Any

import pytest

from router.ledger.chain import text_digest
from router.plan.document import EstatePlan, PlanFile, estate_document, read_plan, release_document, render
from router.plan.present import Present
from router.plan.stale import moved, moved_files
from tests.router.release.texts import WHOLE

from .plans import planned, present_json

LEDGER = f"ledger digest {'h' * 12} -> {'n' * 12}"


def made(files: dict[str, str] | None = None, **more: Any) -> PlanFile:
    """A plan that was written and read back."""
    document = release_document(planned(WHOLE, present_json(**more)), files or {})
    return read_plan(render(document), "release.plan")


def said(plan: PlanFile, **more: Any) -> list[str]:
    """What has moved when the present is this one."""
    return [str(one) for one in moved(plan, Present.from_json(present_json(**more)))]


def running(*routes: str) -> dict[str, Any]:
    """A release that runs on these routes."""
    return {"release": "other", "id": "other#1", "routes": {one: {"weight": 0, "highest": 1} for one in routes}}


def test_a_file_that_was_changed_is_named_with_both_digests() -> None:
    """What is the same, or gone, says nothing."""
    plan = made({"r.yaml": text_digest(WHOLE), "estate.yaml": "0" * 64})
    assert moved_files(plan, {"r.yaml": WHOLE}) == []
    (found,) = moved_files(plan, {"r.yaml": WHOLE, "estate.yaml": "changed"})
    now = text_digest("changed")[:12]
    assert found.message == f"the plan is stale: estate.yaml was changed since it was made (digest {'0' * 12} -> {now})"
    assert found.code == "PL302"


def test_where_nothing_moved_nothing_is_said() -> None:
    """The same present, whatever its head: control judges and folds all the time."""
    assert said(made(), head="n" * 64) == []


@pytest.mark.parametrize(
    ("now", "words"),
    [
        ({"estate": "e" * 64}, f"the published estate is another one (digest {'?' * 12} -> {'e' * 12})"),
        ({"weights": {"books": 100, "search": 0, "cart": 0}}, f"weights have moved: books 0% -> 1% ({LEDGER})"),
        ({"weights": {"search": 0, "cart": 0}}, f"weights have moved: books 0% -> gone ({LEDGER})"),
        ({"releases": [running("cart", "pens")]}, f"the release other runs now, on cart ({LEDGER})"),
        (
            {"frozen": {"by": "ann", "reason": "Friday"}},
            f"all movement towards Lambda is frozen by ann: Friday ({LEDGER})",
        ),
    ],
)
def test_what_moved_is_named_before_and_after(now: dict[str, Any], words: str) -> None:
    """The estate by its digests; a weight, a release and a freeze in words, with the ledger's head then and now."""
    plan = made()
    words = words.replace("?" * 12, plan.plain["inputs"]["seen"]["estate"][:12])
    (found,) = said(plan, head="n" * 64, **now)
    assert f"PL302 error: the plan is stale: {words}" in found


ONE = """
version: 1
release: s1
ticket: CHG-1
routes:
  search:
    steps:
      - lambda: 5% for 2h
"""


@pytest.mark.parametrize(
    "now",
    [
        {"weights": {"books": 5000, "search": 0, "cart": 0}},
        {"releases": [running("books")]},
        {"releases": []},
    ],
)
def test_what_does_not_concern_a_plan_does_not_make_it_stale(now: dict[str, Any]) -> None:
    """Other routes of other functions move, releases on them start and end, a freeze is lifted."""
    before = present_json(frozen={"by": "ann", "reason": "Friday"}, releases=[running("cart")])
    plan = read_plan(render(release_document(planned(ONE, before), {})), "s1.plan")
    assert said(plan, head="n" * 64, **now) == []


@pytest.mark.parametrize(("before", "now", "is_stale"), [(500, 1000, True), (500, 500, False), (500, 100, False)])
def test_another_route_of_the_same_function_counts_where_it_rose(before: int, now: int, *, is_stale: bool) -> None:
    """The plan counted with what it sends to the function; less is as good."""
    weights = {"books": 0, "search": 0, "cart": 0}
    was = present_json(weights=weights | {"reviews": before})
    document = release_document(planned(ONE.replace("search", "books"), was), {})
    plan = read_plan(render(document), "s1.plan")
    found = said(plan, weights=weights | {"reviews": now})
    assert bool(found) is is_stale, found
    assert all("reviews 5% -> 10%" in one for one in found)


def test_an_estate_s_plan_names_the_published_one() -> None:
    """Somebody published another estate since; where it is the same, and where none was seen, nothing is said."""
    made_at = datetime(2026, 11, 2, tzinfo=UTC)
    for base, number in (("a" * 64, 1), ("e" * 64, 0), (None, 0)):
        plan = EstatePlan(text="{}", made_at=made_at, base=base, ledger="h", changes=(), unseen=())
        read = read_plan(render(estate_document(plan, {})), "estate.plan")
        found = said(read, estate="e" * 64)
        assert len(found) == number, found
        assert all(f"another one (digest {'a' * 12} -> {'e' * 12})" in one for one in found)


@pytest.mark.parametrize(
    ("change", "routes", "is_stale"),
    [
        (("route", "books"), ("books", "pens"), True),
        (("lambda", "reader"), ("books",), True),
        (("route", "pens"), ("books",), False),
    ],
)
def test_an_estate_s_plan_is_stale_where_a_release_runs_on_what_it_changes(
    change: tuple[str, str], routes: tuple[str, ...], *, is_stale: bool
) -> None:
    """One that began since; one that ran when it was planned was shown then, and other routes do not matter."""
    text = json.dumps({"routes": {"books": {"lambda": "reader", "legacy": "shop"}, "pens": {}}})
    changes = ({"sign": "~", "kind": change[0], "name": change[1], "detail": ""},)
    for known in ({}, {"other": ("books",)}):
        plan = EstatePlan(
            text=text,
            made_at=datetime(2026, 11, 2, tzinfo=UTC),
            base="e" * 64,
            ledger="h",
            changes=changes,
            unseen=(),
            running=known,
        )
        read = read_plan(render(estate_document(plan, {})), "estate.plan")
        found = said(read, estate="e" * 64, weights={"books": 700}, releases=[running(*routes)])
        assert bool(found) is (is_stale and not known), found
        assert all("the release other runs now, on books, which it changes" in one for one in found)

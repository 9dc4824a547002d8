"""What a stale plan says of what has moved since."""

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
        ({"weights": {"books": 100, "search": 0}}, f"weights have moved: books 0% -> 1% ({LEDGER})"),
        ({"releases": [running("cart", "pens")]}, f"the release other runs now, on cart, pens ({LEDGER})"),
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


def test_an_estate_s_plan_names_the_published_one() -> None:
    """Somebody published another estate since; where it is the same, and where none was seen, nothing is said."""
    made_at = datetime(2026, 11, 2, tzinfo=UTC)
    for base, number in (("a" * 64, 1), ("e" * 64, 0), (None, 0)):
        plan = EstatePlan(text="{}", made_at=made_at, base=base, ledger="h", changes=(), unseen=())
        read = read_plan(render(estate_document(plan, {})), "estate.plan")
        found = said(read, estate="e" * 64)
        assert len(found) == number, found
        assert all(f"another one (digest {'a' * 12} -> {'e' * 12})" in one for one in found)


def test_a_release_that_is_over_or_smaller_is_named() -> None:
    """It was in the way when the plan was made, and is not any more."""
    plan = made(releases=[running("cart", "pens")])
    (over,) = said(plan)
    assert "the release other is over" in over
    (smaller,) = said(plan, releases=[running("cart")])
    assert "the release other moves cart now, and moved cart, pens" in smaller

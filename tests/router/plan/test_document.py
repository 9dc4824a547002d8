import json
from datetime import UTC, datetime

import pytest

from router.plan.capacity import read_capacity
from router.plan.document import EstatePlan, estate_document, read_plan, release_document, render
from strangler_fig.diagnostics import Refused
from tests.router.release.texts import WHOLE

from .plans import capacity, planned, present_json


def test_a_plan_is_read_back_as_it_was_written() -> None:
    """The release's text and what it was made on."""
    plan = planned(WHOLE, present_json(), capacity(700))
    text = render(release_document(plan, {"r.yaml": "f" * 64}))
    found = read_plan(text, "release.plan")
    assert (found.kind, found.name, found.document, found.basis) == ("release", "2026.11.2", WHOLE, "b" * 64)
    assert found.plain["inputs"]["ledger"] == "h" * 64
    assert len(found.plain["inputs"]["capacity"]) == 64
    assert [ramp["ramp"] for ramp in found.plain["ramps"]] == ["books", "checkout"]


def test_the_same_plan_is_the_same_text() -> None:
    """Nothing in it depends on chance."""
    once, again = (render(release_document(planned(WHOLE, present_json()), {})) for _time in range(2))
    assert once == again


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (lambda plain: plain | {"document": "other"}, "it was changed after it was written"),
        (lambda plain: plain | {"version": 3}, "another version or kind"),
        (lambda _plain: {"kind": "release", "version": 2}, "it is not what fig plan writes"),
        (lambda _plain: [], "it is not what fig plan writes"),
    ],
)
def test_what_is_no_plan_is_refused(change: object, reason: str) -> None:
    """A changed plan, another version, and something else altogether."""
    assert callable(change)
    plain = release_document(planned(WHOLE), {})
    with pytest.raises(Refused, match=reason):
        read_plan(json.dumps(change(plain)), "release.plan")


def test_a_text_that_is_nested_without_end_is_no_plan() -> None:
    """What Python's own parser gives up on is refused as what it is."""
    with pytest.raises(Refused, match="not what fig plan writes"):
        read_plan("[" * 100_000, "release.plan")


def test_an_estates_plan_is_read_back() -> None:
    """What is published, and what it changes."""
    made = datetime(2026, 11, 2, tzinfo=UTC)
    change = {"sign": "+", "kind": "route", "name": "books", "detail": ""}
    plan = EstatePlan(text="{}", made_at=made, base="abc", ledger="head", changes=(change,), unseen=())
    found = read_plan(render(estate_document(plan, {})), "estate.plan")
    assert (found.kind, found.basis, found.document) == ("estate", "abc", "{}")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "capacity.json:1:1: PL101 error: not a capacity verdict: it is not JSON"),
        ('{"version": 1,\n "functions" 5}', "capacity.json:2:14: PL101 error: not a capacity verdict: it is not JSON"),
        ("[]", "capacity.json:1:1: PL101 error: not a capacity verdict: it is not what fig cidr verdict writes"),
        ('{"version": 2}', "it has version 2, 1 is read here"),
        ('{"version": 1, "as_of": "x"}', "'functions' is not there"),
    ],
)
def test_what_is_no_capacity_verdict_is_refused(text: str, said: str) -> None:
    """With its place; the hint says how to write one."""
    with pytest.raises(Refused, match="fig cidr verdict") as refused:
        read_capacity(text, "capacity.json")
    assert said in str(refused.value)

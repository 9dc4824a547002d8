"""The plan file: read back as it was written, or refused with the place of what is wrong."""

import json
from collections.abc import Callable
from typing import Any

import pytest

from capacity_planner.layout import document, reading
from capacity_planner.layout.document import digest_of
from strangler_fig.diagnostics import Refused
from tests.capacity_planner.layout.estates import demand, function, plan

PLAN = plan(demand(function("books"), function("orders", zone="payments")))
TEXT = document.render(PLAN)


def findings(text: str) -> list[str]:
    with pytest.raises(Refused) as refused:
        reading.read(text, file="plan.json")
    return [str(found).splitlines()[0] for found in refused.value.diagnostics]


def changed(change: Callable[[dict[str, Any]], object], *, signed: bool = True) -> str:
    """The plan's text after a change, with a digest that fits it again (as another program would write it)."""
    data = json.loads(TEXT)
    change(data)
    if signed:
        data["digest"] = digest_of(data)
    return json.dumps(data, indent=2)


def test_a_plan_reads_back_as_it_was_written() -> None:
    """Text to plan to text is the identity."""
    assert reading.read(TEXT, file="plan.json") == PLAN
    assert document.render(reading.read(TEXT, file="plan.json")) == TEXT


def test_the_file_says_what_it_is_first() -> None:
    """Version and digest are the first keys, and every subnet is a row of its own."""
    assert list(json.loads(TEXT))[:3] == ["version", "digest", "as_of"]
    assert sum('"subnets": [{"name": "hub-proxies-' in line for line in TEXT.splitlines()) == 3
    assert max(len(line) for line in TEXT.splitlines()) < 250


@pytest.mark.parametrize("share", [0.0, 0.1, 0.5, 0.99])
def test_a_truncated_plan_is_refused(share: float) -> None:
    """A file that was cut off is never taken for a plan, wherever it was cut."""
    assert "plan.json:" in findings(TEXT[: int(len(TEXT) * share)])[0]


def test_a_plan_of_a_newer_version_names_the_way_out() -> None:
    """A newer version is refused at its place, before anything else is looked at."""
    text = changed(lambda data: data.update(version=2, something="new"))
    assert findings(text) == ["plan.json:2:14: PL102 error: the plan has version 2, and this fig reads version 1"]


@pytest.mark.parametrize("version", [0, "1", True, 1.5, None])
def test_a_version_that_is_none_is_refused(version: object) -> None:
    """Only the number counts."""
    assert "PL102" in findings(changed(lambda data: data.update(version=version)))[0]


def test_a_change_by_hand_is_refused() -> None:
    """A block that was changed by hand would move a deployed subnet: the digest tells."""
    text = TEXT.replace('"cidr": "10.20.0.0/27"', '"cidr": "10.20.0.32/27"')
    assert findings(text) == [
        "plan.json:3:13: PL103 error: the digest does not fit the plan: the file was changed by hand, or damaged"
    ]


def test_no_plan_at_all_is_refused() -> None:
    """Other JSON is not a plan."""
    assert "PL101" in findings('{"vpcs": []}')[0]
    assert "PL101" in findings("[]")[0]


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        (lambda data: data.pop("vpcs"), "vpcs is required"),
        (lambda data: data.update(vpc=[]), "unknown key 'vpc'"),
        (lambda data: data["vpcs"][0]["segments"][0].update(block="10.20.0.1/27"), "is not a block"),
        (lambda data: data["vpcs"][0]["segments"][0].update(block="10.20.0.0/33"), "is not a block"),
        (lambda data: data["vpcs"][0]["segments"][0].update(purpose="lunch"), "purpose"),
        (lambda data: data["vpcs"][0]["segments"][0].update(reserve="10.20.0.0/28"), "would double into"),
        (lambda data: data["vpcs"][0]["segments"][0].update(needed=-1), "needed"),
        (lambda data: data["vpcs"][0]["segments"][0].update(needed=99), "does not agree with itself"),
        (lambda data: data["vpcs"][1].update(name="hub"), "a second VPC"),
        (lambda data: data["vpcs"][1].update(kind="hub"), "a plan has one hub"),
        (lambda data: data["vpcs"][0]["segments"].append(data["vpcs"][0]["segments"][0]), "a second segment"),
        (lambda data: data["vpcs"][0]["segments"].extend(data["vpcs"][1]["segments"]), "lies in no block"),
        (lambda data: data["functions"]["books"].update(vpc="spoke-9"), "there is no zone"),
        (lambda data: data["vpcs"][0]["ranges"][0].update(parts=["10.20.0.0/24"]), "do not fill it"),
    ],
)
def test_what_contradicts_itself_is_refused(change: Callable[[dict[str, Any]], object], expected: str) -> None:
    """A digest that fits does not make a plan sound: everything in it is checked, with its place."""
    found = findings(changed(change))
    assert any(expected in one for one in found), found
    assert all(one.startswith("plan.json:") for one in found)


def test_overlapping_segments_are_refused() -> None:
    """Two segments never share an address, their reserves counted."""

    def overlap(data: dict[str, Any]) -> None:
        first, second = data["vpcs"][0]["segments"][:2]
        second.update(block=first["block"], reserve=first["reserve"])
        second["subnets"][0]["cidr"] = first["block"]

    assert any("overlaps" in one for one in findings(changed(overlap)))


@pytest.mark.parametrize("text", ["", "{", '{"a": NaN}', '{"version": 1, "version": 1}', "[" * 200_000, "\x00", "{}{}"])
def test_what_is_no_json_is_refused(text: str) -> None:
    """Whatever the bytes are, it is a finding with a place."""
    assert findings(text)[0].startswith("plan.json:1:")

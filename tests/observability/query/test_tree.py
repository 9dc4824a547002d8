"""Traces as trees: also those that are none."""

from typing import Any

from observability.query.tree import as_tree


def span(id_: str, parent: str = "", *, at: int = 0, service: str = "a", role: str = "primary") -> dict[str, Any]:
    """A row as the catalogue gives it."""
    return {"SpanId": id_, "ParentSpanId": parent, "Timestamp": at, "ServiceName": service, "Role": role}


def shape(*spans: dict[str, Any]) -> list[tuple[str, int]]:
    """Ids and depths."""
    return [(one["SpanId"], one["Depth"]) for one in as_tree(spans)]


def test_parents_come_before_children() -> None:
    """Children follow their parents, one deeper, in the order of time."""
    assert shape(span("1"), span("2", "1"), span("3", "1"), span("4", "2")) == [("1", 0), ("2", 1), ("4", 2), ("3", 1)]


def test_a_parent_that_never_came() -> None:
    """A span whose parent is missing stands by itself and is marked."""
    orphan, root = as_tree([span("2", "1"), span("3")])
    assert (orphan["IsOrphan"], orphan["Depth"], root["IsOrphan"]) == (True, 0, False)


def test_rings_end() -> None:
    """Parents that go round in a ring, and a span that is its own parent, are shown once each."""
    assert sorted(shape(span("1", "3"), span("2", "1"), span("3", "2"), span("4", "4"))) == [
        ("1", 0),
        ("2", 1),
        ("3", 2),
        ("4", 0),
    ]


def test_the_same_id_twice() -> None:
    """Two spans of one id are both shown, and nothing below them twice."""
    assert sorted(shape(span("1"), span("1"), span("2", "1"))) == [("1", 0), ("1", 0), ("2", 1)]


def test_a_deep_trace() -> None:
    """A chain of 20,000 spans is walked without depth's limits."""
    spans = [span(str(number), str(number - 1) if number else "") for number in range(20_000)]
    assert as_tree(spans)[-1]["Depth"] == 19_999


def test_gaps_between_services() -> None:
    """What passes before another service begins is a gap; inside a service there is none."""
    found = {one["SpanId"]: one["GapNanoseconds"] for one in as_tree([span("1", at=5), span("2", "1", at=9)])}
    assert found == {"1": None, "2": None}
    other = as_tree([span("1", at=5), span("2", "1", at=9, service="b")])
    assert other[1]["GapNanoseconds"] == 4


def test_below_a_shadow_everything_is_one() -> None:
    """The role of a shadow's hop is that of all it caused."""
    spans = [span("1"), span("2", "1", role="shadow"), span("3", "2"), span("4", "3"), span("5", "1")]
    assert [one["Role"] for one in as_tree(spans)] == ["primary", "shadow", "shadow", "shadow", "primary"]

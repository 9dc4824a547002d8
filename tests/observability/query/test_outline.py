"""A trace as its page draws it: columns, offsets, each text once; and pages of rows by time."""

from typing import Any

from observability.api.paging import page_of
from observability.query.outline import as_columns
from observability.query.reader import Record

START = 1_795_659_300_000_000_000
NAMES = ("SpanId", "ParentSpanId", "Timestamp", "ServiceName", "Role", "Events.Timestamp", "Events.Name")
SPANS = [
    ("a", "", START + 5, "fig-router", "primary", [], []),
    ("b", "a", START + 7, "fig-router", "shadow", [], []),
    ("c", "b", START + 9, "shop", "primary", [START + 10], ["retried"]),
    ("d", "gone", START + 1, "shop", "primary", None, None),
]
PLAIN = {
    "SpanName": "GET /",
    "SpanKind": "Server",
    "StatusCode": "Unset",
    "Side": "legacy",
    "Route": None,
    "Database": "",
    "Duration": 3,
    "HttpStatus": None,
    "ColdStart": None,
    "Moved": "",
    "Clamped": "",
    "Doubled": False,
}


def columns() -> dict[str, Any]:
    """The spans as the store gives them."""
    found: dict[str, Any] = {name: [span[place] for span in SPANS] for place, name in enumerate(NAMES)}
    return found | {name: [value] * len(SPANS) for name, value in PLAIN.items()}


def said(span: str, at: int) -> Record:
    """A record of a span."""
    known = {"SpanId": span, "Timestamp": at, "SeverityNumber": 9, "SeverityText": "INFO"}
    return known | {"ServiceName": "shop", "Side": "legacy", "Role": "primary", "Body": "hello"}


def test_spans_as_columns() -> None:
    """Parents come first and are places, times are offsets from the earliest, and a shadow's callees are shadows."""
    found = as_columns(columns(), [said("c", START + 11), said("nobody", START)])
    assert found["start"] == str(START + 1)
    assert (found["id"], found["parent"], found["depth"]) == (["a", "b", "c", "d"], [-1, 0, 1, -1], [0, 1, 2, 0])
    assert (found["offset"], found["gap"]) == ([4, 6, 8, 0], [None, None, 2, None])
    assert (found["orphan"], found["router"], found["cold"]) == ([0, 0, 0, 1], [1, 1, 0, 0], [-1] * 4)
    roles = [found["texts"][code] for code in found["codes"]["Role"]]
    assert roles == ["primary", "shadow", "shadow", "primary"]
    assert len(found["texts"]) == len(set(found["texts"]))
    assert found["events"] == [(2, 9, "retried")]
    assert [(one["span"], one["offset"]) for one in found["logs"]] == [(2, 10), (-1, -1)]


def test_what_is_to_be_doubted_has_its_places() -> None:
    """Spans whose times, durations or ids cannot be believed are told by their places in the tree."""
    found = as_columns(columns() | {"Moved": ["", "", "5", ""], "Doubled": [False, True, False, False]}, [])
    assert (found["moved"], found["clamped"], found["doubled"]) == ([2], [], [1])


def test_a_ring_is_no_orphan() -> None:
    """A parent that lies below its child did come: the place where the ring is entered is marked as such."""
    found = as_columns(columns() | {"ParentSpanId": ["b", "a", "c", "gone"]}, [])
    assert dict(zip(found["id"], found["orphan"], strict=True)) == {"a": 2, "b": 0, "c": 2, "d": 1}


def test_nothing_as_columns() -> None:
    """A trace of records alone begins with the first of them; of nothing at all with zero."""
    empty: dict[str, Any] = {name: [] for name in (*NAMES, *PLAIN)}
    assert as_columns(empty, [said("c", START)])["start"] == str(START)
    assert as_columns(empty, [])["start"] == "0"


def test_a_page_ends_between_two_moments() -> None:
    """Rows of one moment stay together, so that the next page may begin beside the last; only too many are cut."""
    rows: list[Record] = [{"Timestamp": at} for at in (9, 8, 8, 7)]
    page, told = page_of(lambda most: rows[:most], 2, "newest")
    assert (page, told) == (rows[:1], {"is_cut": True, "first": "9", "last": "9"})
    page, told = page_of(lambda most: rows[:most], 4, "newest")
    assert (page, told["is_cut"]) == (rows, False)
    same: list[Record] = [{"Timestamp": 8}] * 5
    assert page_of(lambda most: same[:most], 3, "newest")[0] == same[:3]
    assert page_of(lambda most: rows[:most], 2, "slowest")[0] == rows[:2]
    assert page_of(lambda _: [], 2, "newest") == ([], {"is_cut": False})

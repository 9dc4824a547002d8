"""A trace as its page draws it: columns instead of rows, offsets instead of times, each text once.

A browser has no exact numbers as large as nanoseconds since 1970: times are counted from `start`, which is a text.
"""

from collections.abc import Callable, Sequence
from typing import Any

from strangler_fig.names import ROUTER_SERVICE

from .reader import Record
from .tree import as_tree

_CODED = ("SpanName", "SpanKind", "ServiceName", "StatusCode", "Side", "Role", "Route", "Database")
_MAX_EVENTS = 5_000


def as_columns(spans: Sequence[Record], records: Sequence[Record]) -> dict[str, Any]:
    """The spans, parents first, as columns; then their events and the trace's records by the spans' places.

    `parent` is a place or -1, `gap` what `as_tree` gives, `cold` 1, 0 or -1 for unknown; `codes` are places in `texts`.
    """
    tree = as_tree(spans)
    places = {span["SpanId"]: place for place, span in enumerate(tree) if span["SpanId"]}
    start = min((int(one["Timestamp"]) for one in (*spans, *records)), default=0)
    texts: dict[str, int] = {}

    def column(value: Callable[[Record], object]) -> list[object]:
        return [value(span) for span in tree]

    def coded(name: str) -> list[object]:
        return [texts.setdefault(span[name] or "", len(texts)) for span in tree]

    codes = {name: coded(name) for name in _CODED}
    return {
        "start": str(start),
        "id": column(lambda span: span["SpanId"]),
        "parent": column(lambda span: places.get(span["ParentSpanId"], -1) if span["Depth"] else -1),
        "depth": column(lambda span: span["Depth"]),
        "orphan": column(lambda span: int(span["IsOrphan"])),
        "router": column(lambda span: int(span["ServiceName"] == ROUTER_SERVICE)),
        "offset": column(lambda span: int(span["Timestamp"]) - start),
        "duration": column(lambda span: int(span["Duration"])),
        "gap": column(lambda span: span["GapNanoseconds"]),
        "http": column(lambda span: span["HttpStatus"] or 0),
        "cold": column(lambda span: -1 if span["ColdStart"] is None else int(span["ColdStart"])),
        "codes": codes,
        "texts": list(texts),
        "events": _events(tree, start),
        "logs": [_record(one, places, start) for one in records],
    }


def _events(tree: Sequence[Record], start: int) -> list[tuple[int, int, str]]:
    found: list[tuple[int, int, str]] = []
    for place, span in enumerate(tree):
        times, names = span["Events.Timestamp"] or (), span["Events.Name"] or ()
        found.extend((place, int(time) - start, name) for time, name in zip(times, names, strict=False))
        if len(found) >= _MAX_EVENTS:
            break
    return found[:_MAX_EVENTS]


def _record(one: Record, places: dict[str, int], start: int) -> dict[str, Any]:
    return {
        "span": places.get(one["SpanId"], -1),
        "offset": int(one["Timestamp"]) - start,
        "severity": one["SeverityNumber"],
        "level": one["SeverityText"],
        "service": one["ServiceName"],
        "side": one["Side"],
        "role": one["Role"],
        "body": one["Body"],
    }

"""A trace as its page draws it: columns instead of rows, offsets instead of times, each text once.

A browser has no exact numbers as large as nanoseconds since 1970: times are counted from `start`, which is a text.
Everything here works on whole columns: 50,000 spans as objects would take a second longer.
"""

from collections.abc import Iterable, Mapping, Sequence
from itertools import compress
from typing import Any

from strangler_fig.names import ROLE_SHADOW, ROUTER_SERVICE

from .reader import Record
from .tree import gaps, shadows, tree_of

_CODED = ("SpanName", "SpanKind", "ServiceName", "StatusCode", "Side", "Route", "Database")
_DOUBTED = ("Moved", "Clamped", "Doubled")
_MAX_EVENTS = 5_000


def as_columns(spans: Mapping[str, Sequence[Any]], records: Sequence[Record]) -> dict[str, Any]:
    """The spans, parents first, as columns; then their events and the trace's records by the spans' places.

    A record may be earlier than the first span: its offset is negative then. `parent` is a place or -1, `orphan` 1
    where the parent never came and 2 where it lies below, in a ring, `gap` what `tree.gaps` gives, `cold` 1, 0 or -1
    for unknown; `codes` are places in `texts`; `moved`, `clamped` and `doubled` are the places of such spans.
    """
    ids, times = spans["SpanId"], spans["Timestamp"]
    tree = tree_of(ids, spans["ParentSpanId"])
    order = tree.order
    placed = [ids[number] for number in order]
    places = {id_: place for place, id_ in enumerate(placed) if id_}
    start = min(times, default=0) or min((int(one["Timestamp"]) for one in records), default=0)
    texts: dict[str, int] = {}

    def coded(values: Iterable[str | None]) -> list[int]:
        return [texts.setdefault(value or "", len(texts)) for value in values]

    def column(name: str) -> list[Any]:
        values = spans[name]
        return [values[number] for number in order]

    codes = {name: coded(column(name)) for name in _CODED}
    are_shadows = shadows(tree, spans["Role"])
    roles = zip(are_shadows, column("Role"), strict=True)
    codes["Role"] = coded(ROLE_SHADOW if is_shadow else role for is_shadow, role in roles)
    router = texts.get(ROUTER_SERVICE, -1)
    return {
        "start": str(start),
        "id": placed,
        "parent": tree.above,
        "depth": tree.depth,
        "orphan": [
            0 if deep or not above else 2 if above in places else 1
            for deep, above in zip(tree.depth, column("ParentSpanId"), strict=True)
        ],
        "router": [int(code == router) for code in codes["ServiceName"]],
        "offset": [time - start for time in column("Timestamp")],
        "duration": column("Duration"),
        "gap": gaps(tree, spans["ServiceName"], times),
        "http": [status or 0 for status in column("HttpStatus")],
        "cold": [-1 if is_cold is None else int(is_cold) for is_cold in column("ColdStart")],
        "codes": codes,
        "texts": list(texts),
        **{name.lower(): [at for at, is_so in enumerate(column(name)) if is_so] for name in _DOUBTED},
        "events": _events(column("Events.Timestamp"), column("Events.Name"), start),
        "logs": [_record(one, places, start) for one in records],
    }


def _events(times: Sequence[Sequence[int]], names: Sequence[Sequence[str]], start: int) -> list[tuple[int, int, str]]:
    found: list[tuple[int, int, str]] = []
    for place in compress(range(len(names)), names):
        found += [(place, time - start, name) for time, name in zip(times[place], names[place], strict=False)]
        if len(found) >= _MAX_EVENTS:
            break
    return found[:_MAX_EVENTS]


def _record(one: Record, places: Mapping[str, int], start: int) -> dict[str, Any]:
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

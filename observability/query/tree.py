"""A trace's spans as a tree, whatever was sent: parents that never came, came twice, or go round in a ring."""

from collections import defaultdict
from collections.abc import Sequence

from strangler_fig.names import ROLE_SHADOW

from .reader import Record


def as_tree(spans: Sequence[Record]) -> list[Record]:
    """The spans, parents first and siblings by time, each once, with `Depth`, `IsOrphan` and `GapNanoseconds`.

    A gap passes between the beginning of a span and that of its parent in another service: network, TLS, waiting.
    What comes below a shadow's hop is a shadow, too, whatever its sender knew.
    """
    by_id = {span["SpanId"]: span for span in spans if span["SpanId"]}
    children: dict[str, list[Record]] = defaultdict(list)
    roots: list[Record] = []
    for span in spans:
        parent = span["ParentSpanId"]
        (children[parent] if parent in by_id and parent != span["SpanId"] else roots).append(span)
    found: list[Record] = []
    placed: set[int] = set()
    for root in (*roots, *spans):  # a ring has no root: it is entered at its earliest span
        _place(root, children, by_id, found, placed)
    return found


def _place(
    root: Record, children: dict[str, list[Record]], by_id: dict[str, Record], found: list[Record], placed: set[int]
) -> None:
    waiting = [(root, 0, False)]
    while waiting:
        span, depth, in_shadow = waiting.pop()
        if id(span) in placed:
            continue
        placed.add(id(span))
        is_shadow = in_shadow or span["Role"] == ROLE_SHADOW
        parent = by_id.get(span["ParentSpanId"]) if depth else None
        found.append(
            {
                **span,
                "Depth": depth,
                "Role": ROLE_SHADOW if is_shadow else span["Role"],
                "IsOrphan": depth == 0 and bool(span["ParentSpanId"]),
                "GapNanoseconds": _gap(span, parent),
            }
        )
        below = children.get(span["SpanId"], [])
        waiting.extend((child, depth + 1, is_shadow) for child in reversed(below))


def _gap(span: Record, parent: Record | None) -> int | None:
    if parent is None or parent["ServiceName"] == span["ServiceName"]:
        return None
    return int(span["Timestamp"]) - int(parent["Timestamp"])

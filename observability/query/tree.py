"""A trace's spans as a tree, whatever was sent: parents that never came, came twice, or go round in a ring."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import chain

from strangler_fig.names import ROLE_SHADOW

from .reader import Record


@dataclass(frozen=True, slots=True)
class Tree:
    """Spans by their places in the tree, parents first and siblings as they were given: what each of them is.

    `order` has their numbers in the sequence that was given, `depth` how deep they are, `above` the place of the one
    that they are below, or -1: those have no parent, or it never came, or a ring was entered there.
    """

    order: list[int]
    depth: list[int]
    above: list[int]


def tree_of(ids: Sequence[str], parents: Sequence[str]) -> Tree:
    """The tree of spans with these ids and their parents' ids, empty where there are none."""
    known = {id_ for id_ in ids if id_}
    children: dict[str, list[int]] = defaultdict(list)
    roots: list[int] = []
    for number, parent in enumerate(parents):
        (children[parent] if parent in known and parent != ids[number] else roots).append(number)
    tree = Tree([], [], [])
    seen = bytearray(len(ids))
    for root in chain(roots, range(len(ids))):  # a ring has no root: it is entered at its earliest span
        waiting = [] if seen[root] else [(root, 0, -1)]
        while waiting:
            number, depth, above = waiting.pop()
            if seen[number]:
                continue
            seen[number] = 1
            place = len(tree.order)
            tree.order.append(number)
            tree.depth.append(depth)
            tree.above.append(above)
            if below := children.get(ids[number]):
                waiting += [(child, depth + 1, place) for child in reversed(below)]
    return tree


def shadows(tree: Tree, roles: Sequence[str]) -> list[bool]:
    """Which places are shadows: what comes below a shadow's hop is one, too, whatever its sender knew."""
    found: list[bool] = []
    for number, above in zip(tree.order, tree.above, strict=True):
        found.append(roles[number] == ROLE_SHADOW or (above >= 0 and found[above]))
    return found


def gaps(tree: Tree, services: Sequence[str], times: Sequence[int]) -> list[int | None]:
    """What passes between the beginning of each span and that of its parent in another service, None inside of one.

    That is network, TLS, waiting; less than nothing where clocks disagree.
    """
    found: list[int | None] = []
    for number, above in zip(tree.order, tree.above, strict=True):
        parent = tree.order[above]
        crosses = above >= 0 and services[number] != services[parent]
        found.append(times[number] - times[parent] if crosses else None)
    return found


def as_tree(spans: Sequence[Record]) -> list[Record]:
    """The spans, parents first and siblings by time, each once, with `Depth`, `IsOrphan` and `GapNanoseconds`."""
    tree = tree_of([one["SpanId"] for one in spans], [one["ParentSpanId"] for one in spans])
    are_shadows = shadows(tree, [one["Role"] for one in spans])
    between = gaps(tree, [one["ServiceName"] for one in spans], [int(one["Timestamp"]) for one in spans])
    return [
        {
            **spans[number],
            "Depth": depth,
            "Role": ROLE_SHADOW if is_shadow else spans[number]["Role"],
            "IsOrphan": depth == 0 and bool(spans[number]["ParentSpanId"]),
            "GapNanoseconds": gap,
        }
        for number, depth, is_shadow, gap in zip(tree.order, tree.depth, are_shadows, between, strict=True)
    ]

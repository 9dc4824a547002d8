"""How a figure of the fleet is divided among its nodes: pure functions, in two steps.

`targets` says what each node should have. `grants` says what it may have now: whoever has too much gives first, and
only what is free is given. So what nodes hold together never grows above the figure, in whatever order they follow,
but for the least share of a node that holds nothing yet.
"""

import functools
import hashlib
from collections.abc import Collection, Mapping

LEAST_SHARE = 1
"""What every node gets, even when the figure is smaller than the fleet or nothing is free: none must refuse all."""


def targets(key: str, most: int, nodes: Collection[str]) -> dict[str, int]:
    """What each node should have of `most`, in the order of who gets what is left over.

    Equal but for one; a node that joins lets nobody's share grow, and one that leaves nobody's shrink. `key` names the
    figure: what is left over of different figures goes to different nodes.
    """
    order = _order(key, tuple(sorted(nodes)))
    if not order:
        return {}
    each, over = divmod(most, len(order))
    return {node: max(LEAST_SHARE, each + (place < over)) for place, node in enumerate(order)}


@functools.lru_cache(maxsize=4096)
def _order(key: str, nodes: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(sorted(nodes, key=lambda node: hashlib.sha256(f"{key}:{node}".encode()).digest()))


def steady_targets(most: int, nodes: Collection[str], held: Mapping[str, int], *, count: int) -> dict[str, int]:
    """What each node should have while others, up to `count` in all, may still be about to report.

    What it holds, if that is its part, whatever is left over: a control process that was restarted changes nothing.
    """
    each, over = divmod(most, max(count, 1))
    least, largest = max(LEAST_SHARE, each), max(LEAST_SHARE, each + bool(over))
    return {node: min(max(held.get(node, 0), least), largest) for node in nodes}


def grants(most: int, wanted: Mapping[str, int], held: Mapping[str, int], *, reserved: int = 0) -> dict[str, int]:
    """What each node may have now, when `held` is the most that each may be using already.

    Everybody's least comes first; of what is free then, nodes get in the order of `wanted`. `reserved` is held by nodes
    that are not named here.
    """
    has = {node: max(LEAST_SHARE, held.get(node, 0)) for node in wanted}
    free = max(0, most - reserved - sum(has.values()))
    found: dict[str, int] = {}
    for node, target in wanted.items():
        more = min(max(0, target - has[node]), free)
        free -= more
        found[node] = min(target, has[node] + more)
    return found

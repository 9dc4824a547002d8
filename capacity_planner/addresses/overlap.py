"""Which blocks share addresses: the exact number of pairs, and the first of them.

The rule: blocks are nested or disjoint, never crossed, so sorted blocks form a forest, and a block overlaps exactly
the blocks that are open where it begins. The number of pairs is the sum of those depths, whatever it is; duplicates are
open to each other like any other pair, and none is lost.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from .key import SIZES


@dataclass(frozen=True, slots=True)
class Overlaps:
    """How many pairs of blocks overlap, how many of those are duplicates, and the first pairs by address.

    A pair is two places in what was asked about: the outer block's (of duplicates, the earlier's), then the inner's.
    """

    count: int
    duplicates: int
    pairs: tuple[tuple[int, int], ...]


_Occurrence = tuple[int, int]  # a key, and how many like it stand before it


def overlaps(keys: Sequence[int], *, limit: int) -> Overlaps:
    """The overlaps among the blocks of `keys`, of which up to `limit` pairs are named."""
    count = duplicates = run = 0
    found: list[tuple[_Occurrence, _Occurrence]] = []
    reach = before = -1  # the end of the outermost open block; the key before this one
    is_nested = False
    for key in sorted(keys):
        start = key >> 8
        if start >= reach:  # where nothing overlaps, this is all that happens
            reach = start + SIZES[key & 0xFF]
            before, run, is_nested = key, 0, False
            continue
        if not is_nested:
            stack, ends, is_nested = [(before, 0)], [reach], True
        while ends[-1] <= start:
            ends.pop()
            stack.pop()
        run = run + 1 if key == before else 0
        count += len(stack)
        duplicates += run
        here = (key, run)
        if len(found) < limit:
            found += [(outer, here) for outer in stack[: limit - len(found)]]
        stack.append(here)
        ends.append(start + SIZES[key & 0xFF])
        before = key
    return Overlaps(count, duplicates, _placed(found, keys))


def crossings(left: Sequence[int], right: Sequence[int], *, limit: int) -> tuple[int, tuple[tuple[int, int], ...]]:
    """How many pairs of a block of `left` and one of `right` overlap, and the first of them: left, then right place."""
    count = 0
    found: list[tuple[int, int]] = []
    stack: list[tuple[int, int, int]] = []  # end, side, place
    open_sides = [0, 0]
    for key, side, place in sorted(
        (key, side, place) for side, keys in enumerate((left, right)) for place, key in enumerate(keys)
    ):
        start = key >> 8
        while stack and stack[-1][0] <= start:
            open_sides[stack.pop()[1]] -= 1
        count += open_sides[1 - side]
        if open_sides[1 - side] and len(found) < limit:
            others = [one for _end, other, one in stack if other != side][: limit - len(found)]
            found += [(place, one) if side == 0 else (one, place) for one in others]
        stack.append((start + SIZES[key & 0xFF], side, place))
        open_sides[side] += 1
    return count, tuple(found)


def _placed(found: Iterable[tuple[_Occurrence, _Occurrence]], keys: Sequence[int]) -> tuple[tuple[int, int], ...]:
    """The pairs as places in `keys`: the third of equal keys is the third that stands there."""
    pairs = list(found)
    places: dict[int, list[int]] = {key: [] for pair in pairs for key, _nth in pair}
    if places:
        for place, key in enumerate(keys):
            if key in places:
                places[key].append(place)
    return tuple((places[outer][first], places[inner][second]) for (outer, first), (inner, second) in pairs)

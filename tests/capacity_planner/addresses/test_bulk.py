import ipaddress
from itertools import combinations

from hypothesis import given
from hypothesis import strategies as st

from capacity_planner.addresses.block import Block
from capacity_planner.addresses.collapse import collapse
from capacity_planner.addresses.free import first_fit
from capacity_planner.addresses.key import block_of, key_of
from capacity_planner.addresses.overlap import crossings, overlaps
from capacity_planner.addresses.pool import Pool

from .blocks import SPACE, SPACE6, addresses, blocks_inside

either = st.one_of(blocks_inside(), blocks_inside(SPACE6), st.sampled_from([Block.of("0.0.0.0/0"), Block.of("::/0")]))
many = st.lists(either, max_size=30)


def keys(blocks: list[Block]) -> list[int]:
    return [key_of(block) for block in blocks]


@given(many, st.integers(0, 20))
def test_overlaps_are_exactly_those_of_comparing_all_pairs(blocks: list[Block], limit: int) -> None:
    """The count is that of all pairs, each duplicate counts, and named pairs are different ones that do overlap."""
    found = overlaps(keys(blocks), limit=limit)
    naive = {
        frozenset(pair) for pair in combinations(range(len(blocks)), 2) if blocks[pair[0]].overlaps(blocks[pair[1]])
    }
    assert found.count == len(naive)
    assert found.duplicates == sum(blocks[min(pair)] == blocks[max(pair)] for pair in naive)
    assert len(found.pairs) == len({frozenset(pair) for pair in found.pairs}) == min(limit, len(naive))
    for outer, inner in found.pairs:
        assert frozenset((outer, inner)) in naive
        assert blocks[outer].holds(blocks[inner])
        assert blocks[outer] != blocks[inner] or outer < inner


@given(many, many, st.integers(0, 20))
def test_crossings_are_exactly_the_pairs_of_the_two_sides(left: list[Block], right: list[Block], limit: int) -> None:
    """Only pairs of one block from each side count, each once."""
    naive = {(a, b) for a, one in enumerate(left) for b, other in enumerate(right) if one.overlaps(other)}
    count, pairs = crossings(keys(left), keys(right), limit=limit)
    assert count == len(naive)
    assert len(pairs) == min(limit, len(naive))
    assert set(pairs) <= naive
    assert len(set(pairs)) == len(pairs)


def test_a_hundred_thousand_duplicates_are_counted_and_not_listed() -> None:
    """The exact count of five thousand million pairs takes one pass."""
    found = overlaps([key_of(SPACE)] * 100_000, limit=3)
    assert found.count == found.duplicates == 100_000 * 99_999 // 2
    assert found.pairs == ((0, 1), (0, 2), (1, 2))


@given(many)
def test_collapse_is_what_the_standard_library_makes(blocks: list[Block]) -> None:
    """The fewest blocks with the same addresses, for both versions at once."""
    four = [ipaddress.IPv4Network(str(block)) for block in blocks if block.version == 4]
    six = [ipaddress.IPv6Network(str(block)) for block in blocks if block.version == 6]
    expected = [*ipaddress.collapse_addresses(four), *ipaddress.collapse_addresses(six)]
    assert [block_of(key).to_network() for key in collapse(keys(blocks))] == expected


@given(st.lists(blocks_inside(), max_size=4), st.lists(either, max_size=15), st.integers(20, 32))
def test_first_fit_finds_every_free_place_in_order(parents: list[Block], used: list[Block], prefix: int) -> None:
    """Each aligned place that is free in one parent is found, none else, lowest first, none twice."""
    parents = parents or [SPACE]
    found = list(first_fit(parents, keys(used), prefix))
    spans = [(max(block.first, SPACE.first), min(block.end, SPACE.end)) for block in used if block.version == 4]
    free = addresses(parents) - {address for span in spans for address in range(*span)}
    expected = [
        Block(4, first, prefix)
        for first in range(SPACE.first, SPACE.end, 1 << (32 - prefix))
        if prefix >= SPACE.prefix
        and any(parent.holds(Block(4, first, prefix)) for parent in parents)
        and addresses([Block(4, first, prefix)]) <= free
    ]
    assert found == expected


@given(st.lists(either, max_size=15), st.sampled_from([SPACE, SPACE6]))
def test_a_pool_of_keys_is_the_pool_of_the_blocks(used: list[Block], parent: Block) -> None:
    """Many blocks as keys and few as values leave the same free."""
    assert Pool.around([parent], keys(used)).free_blocks() == Pool.of([parent], used).free_blocks()

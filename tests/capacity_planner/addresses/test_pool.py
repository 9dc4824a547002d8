from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from capacity_planner.addresses.block import Block
from capacity_planner.addresses.pool import Pool
from capacity_planner.addresses.spans import pieces

from .blocks import SPACE, SPACE6, addresses, blocks_inside

many = st.lists(blocks_inside(), max_size=12)
actions = st.lists(
    st.one_of(
        st.tuples(st.just("allocate"), st.integers(23, 32)),
        st.tuples(st.just("beside"), blocks_inside()),
        st.tuples(st.just("pair"), st.integers(24, 32)),
        st.tuples(st.just("take"), blocks_inside()),
        st.tuples(st.just("release"), st.integers(0, 30)),
    ),
    max_size=30,
)


def act(pool: Pool, held: list[Block], action: tuple[str, object]) -> None:
    name, argument = action
    got: list[Block] = []
    match name, argument:
        case "allocate", int(prefix):
            block = pool.allocate(prefix)
            got = [block] if block else []
        case "beside", Block() as near:
            block = pool.allocate(near.prefix, beside=near)
            got = [block] if block else []
        case "pair", int(prefix):
            got = list(pool.allocate_pair(prefix) or ())
        case "take", Block() as block:
            got = [block] if pool.take(block) else []
        case "release", int(number) if held:
            pool.release(held.pop(number % len(held)))
    held += got


@given(many, many, actions)
def test_what_is_free_and_what_is_held_are_always_the_parents(
    parents: list[Block], used: list[Block], todo: list[tuple[str, object]]
) -> None:
    """Whatever is done, free and held blocks never overlap, never leave a parent, and together are all of them."""
    parents = parents or [SPACE]
    pool = Pool.of(parents, used)
    held: list[Block] = []
    usable = addresses(parents) - addresses(used)
    for action in todo:
        act(pool, held, action)
        free = pool.free_blocks()
        together = [*free, *held]
        assert sum(block.size for block in together) == len(addresses(together)) == len(usable)
        assert addresses(together) == usable
        assert pool.free_addresses == len(addresses(free))
        assert all(any(parent.holds(block) for parent in parents) for block in together)


@given(many, many)
def test_free_blocks_are_as_large_as_they_can_be(parents: list[Block], used: list[Block]) -> None:
    """No free block has a free buddy inside its parent, and a released pool is the pool of its parents again."""
    pool = Pool.of(parents or [SPACE], used)
    free = pool.free_blocks()
    assert free == tuple(sorted(free))
    for block in free:
        joined = block.prefix > 0 and block.buddy in free and any(p.holds(block.parent) for p in pool.parents)
        assert not joined, block
    held = [block for block in free if pool.take(block)]
    assert pool.largest is None
    assert pool.fragmentation == 0.0
    for block in held:
        pool.release(block)
    assert pool.free_blocks() == free


@given(many, st.integers(24, 32))
def test_the_best_fit_is_the_smallest_free_block_and_the_lowest_of_those(used: list[Block], prefix: int) -> None:
    """No smaller free block would have held it, and no lower one of the same size."""
    pool = Pool.of([SPACE], used)
    fits = [block for block in pool.free_blocks() if block.prefix <= prefix]
    lowest = pool.first(prefix)
    assert (lowest.first if lowest else None) == min((fit.first for fit in fits), default=None)
    block = pool.allocate(prefix)
    assert (block is None) == (not fits)
    if block:
        smallest = max(fit.prefix for fit in fits)
        assert next(fit for fit in fits if fit.prefix == smallest).first == block.first


@given(many, blocks_inside(), st.integers(24, 32))
def test_a_block_beside_another_is_in_the_smallest_block_around_it_with_room(
    used: list[Block], near: Block, prefix: int
) -> None:
    """Every smaller block around the neighbour has no room for it."""
    pool = Pool.of([SPACE], [*used, near])
    before = pool.copy()
    block = pool.allocate(prefix, beside=near)
    assert (block is None) == (before.copy().allocate(prefix) is None)
    around = near
    while block and not around.holds(block):
        inside = [free for free in before.free_blocks() if around.holds(free) and free.prefix <= prefix]
        assert not inside
        around = around.parent


@given(st.integers(0, 300), st.integers(0, 300))
def test_pieces_are_the_fewest_blocks_of_a_span(first: int, length: int) -> None:
    """A span's pieces are canonical, follow each other, and are as few as the standard library makes them."""
    found = [Block(4, start, prefix) for start, prefix in pieces(first, first + length, 32)]
    assert [address for block in found for address in range(block.first, block.end)] == list(
        range(first, first + length)
    )
    assert all(a.prefix != b.prefix or a.buddy != b for a, b in pairwise(found))


def test_ipv6_is_a_pool_like_any_other() -> None:
    """A /56 of a VPC gives its /64s in order, and the whole of IPv6 is one block."""
    pool = Pool.of([Block.of("2001:db8::/56")], [Block.of("2001:db8::/64")])
    assert str(pool.allocate(64)) == "2001:db8:0:1::/64"
    assert str(pool.largest) == "2001:db8:0:80::/57"
    assert Pool.of([Block.of("::/0")]).free_blocks() == (Block.of("::/0"),)
    assert Pool.of([Block.of("0.0.0.0/0")]).largest == Block.of("0.0.0.0/0")


def test_what_a_pool_refuses() -> None:
    """Parents of two versions, no parent, a foreign or free block that is released: each is a `ValueError`."""
    with pytest.raises(ValueError, match="both IP versions"):
        Pool.of([SPACE, SPACE6])
    with pytest.raises(ValueError, match="needs a parent"):
        Pool.of([])
    pool = Pool.of([SPACE], [Block.of("10.0.0.0/26")])
    with pytest.raises(ValueError, match="free already"):
        pool.release(Block.of("10.0.0.0/25"))
    with pytest.raises(ValueError, match="is not in"):
        pool.release(Block.of("10.0.1.0/25"))
    with pytest.raises(ValueError, match="not the length"):
        pool.allocate(33)
    assert not pool.take(SPACE6)


def test_fragmentation_is_measured_against_the_best_that_could_be() -> None:
    """One block at the edge costs nothing; one in the middle of each half costs half of what could be."""
    assert Pool.of([SPACE], [Block.of("10.0.0.0/28")]).fragmentation == 0.0
    assert Pool.of([SPACE], [Block.of("10.0.0.0/26"), Block.of("10.0.0.192/26")]).fragmentation == 0.5
    assert Pool.of([Block.of("10.0.0.0/25"), Block.of("10.0.0.128/25")]).fragmentation == 0.0

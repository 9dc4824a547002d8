"""Random blocks in a small space, where every address can be listed."""

from hypothesis import strategies as st

from capacity_planner.addresses.block import Block

SPACE = Block.of("10.0.0.0/24")
SPACE6 = Block.of("2001:db8::/120")


@st.composite
def blocks_inside(draw: st.DrawFn, space: Block = SPACE) -> Block:
    prefix = draw(st.integers(space.prefix, space.bits))
    size = 1 << (space.bits - prefix)
    first = space.first + draw(st.integers(0, (space.size // size) - 1)) * size
    return Block(space.version, first, prefix)


def addresses(blocks: "list[Block] | tuple[Block, ...]") -> set[int]:
    return {address for block in blocks for address in range(block.first, block.end)}

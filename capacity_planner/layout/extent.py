"""A block that was given out, how it grew in place, and the neighbour that is kept so that it can double.

The one rule: an extent's first address never changes and it never shrinks. AWS resizes neither a subnet nor a VPC's
block, so an extent that grew is a row of parts, each of which stays what it was when it was deployed.
"""

from dataclasses import dataclass

from ..addresses.block import Block


@dataclass(frozen=True, slots=True, kw_only=True)
class Extent:
    """A block and the parts that fill it in order, oldest first; `reserve` is the free block right above it.

    Raises `ValueError` where the parts leave a gap or the reserve is not the block's upper neighbour and equal.
    """

    block: Block
    parts: tuple[Block, ...]
    reserve: Block | None = None

    def __post_init__(self) -> None:
        at = self.block.first
        for part in self.parts:
            if part.version != self.block.version or part.first != at:
                message = f"{part} does not follow the parts before it in {self.block}"
                raise ValueError(message)
            at = part.end
        if at != self.block.end:
            message = f"the parts of {self.block} do not fill it"
            raise ValueError(message)
        if self.reserve is not None and self.reserve != upper_neighbour(self.block):
            message = f"{self.reserve} is not what {self.block} would double into"
            raise ValueError(message)

    @classmethod
    def new(cls, block: Block, reserve: Block | None = None) -> "Extent":
        """An extent of one part."""
        return cls(block=block, parts=(block,), reserve=reserve)

    @property
    def whole(self) -> Block:
        """The block together with its reserve."""
        return self.block.parent if self.reserve else self.block

    def doubled(self) -> "Extent":
        """The extent with its reserve as its newest part, and no reserve yet. Raises `ValueError` without a reserve."""
        if self.reserve is None:
            message = f"{self.block} has no reserve"
            raise ValueError(message)
        return Extent(block=self.block.parent, parts=(*self.parts, self.reserve))


def upper_neighbour(block: Block) -> Block | None:
    """The block into which `block` can double without a change of its first address; None for an upper half."""
    if block.prefix == 0 or block.buddy.first < block.first:
        return None
    return block.buddy

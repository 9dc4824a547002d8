"""Which blocks AWS lets a VPC take, as its table says, so that the layout never plans what the API refuses.

Source: https://docs.aws.amazon.com/vpc/latest/userguide/vpc-cidr-blocks.html, "IPv4 CIDR block association
restrictions", read 2026.
"""

from collections.abc import Iterable

from ..addresses.block import Block

_TEN = Block.of("10.0.0.0/8")
TEN_ZERO = Block.of("10.0.0.0/16")
_TEN_ZERO_AND_ONE = Block.of("10.0.0.0/15")
_TWELVE = Block.of("172.16.0.0/12")
_DEFAULT_VPC = Block.of("172.31.0.0/16")
_SIXTEEN = Block.of("192.168.0.0/16")
_BENCHMARK = Block.of("198.19.0.0/16")
_PRIVATE = (_TEN, _TWELVE, _SIXTEEN)

# what a VPC has a block in -> what it may not add
_RESTRICTIONS: tuple[tuple[Block, tuple[Block, ...]], ...] = (
    (_TEN, (_TWELVE, _SIXTEEN, _BENCHMARK)),
    (_TWELVE, (_TEN, _SIXTEEN, _DEFAULT_VPC, _BENCHMARK)),
    (_SIXTEEN, (_TEN, _TWELVE, _BENCHMARK)),
    (_BENCHMARK, _PRIVATE),
)

UNUSABLE = tuple(
    Block.of(text)
    for text in (
        "0.0.0.0/8",
        "127.0.0.0/8",
        "169.254.0.0/16",  # link-local: AWS refuses it
        "172.17.0.0/16",  # Docker's bridge, Cloud9 and SageMaker use it inside the VPC
        "224.0.0.0/3",
    )
)
"""Never planned, whatever the parents."""


def refusal(associated: Iterable[Block], candidate: Block) -> str | None:
    """Why a VPC with the blocks `associated` may not take `candidate` as a further one; None where it may."""
    for block in associated:
        if block.overlaps(candidate):
            return f"{candidate} overlaps {block} of the same VPC"
        hit = next((one for one in _banned_by(block) if one.overlaps(candidate)), None)
        if hit is not None:
            return f"a VPC with the block {block} cannot add one from {hit}"
    return None


def banned(associated: Iterable[Block]) -> tuple[Block, ...]:
    """The areas from which a VPC with these blocks may not take a further one."""
    return tuple(sorted({area for block in associated for area in _banned_by(block)}))


def _banned_by(block: Block) -> tuple[Block, ...]:
    found = next((areas for held, areas in _RESTRICTIONS if held.overlaps(block)), (*_PRIVATE, _BENCHMARK))
    return (*found, TEN_ZERO) if _TEN_ZERO_AND_ONE.overlaps(block) else found

"""A block as one integer, so that work on many blocks is sorting and comparing integers.

The rule: IPv4 lies on the line of addresses below IPv6. A key is `start << 8 | depth`: `start` the first address
(IPv6's 2**128 higher, so that the versions never meet), `depth` the prefix length (IPv4's 96 longer, so that one
formula gives every size). Sorted keys are blocks in order of address, the larger first where two begin together. A
million keys take 40 MB, a million `Block`s four times that.
"""

from .block import Block

IPV6_START = 1 << 128
IPV4_DEPTH = 96
SIZES = tuple(1 << (128 - depth) for depth in range(129))  # depth -> addresses
_DEPTH_BITS = 0xFF


def key_of(block: Block) -> int:
    """The key of a block."""
    if block.version == 4:  # noqa: PLR2004 - an IP version
        return block.first << 8 | (block.prefix + IPV4_DEPTH)
    return (IPV6_START + block.first) << 8 | block.prefix


def block_of(key: int) -> Block:
    """The block of a key."""
    start, depth = key >> 8, key & _DEPTH_BITS
    if start < IPV6_START:
        return Block(4, start, depth - IPV4_DEPTH)
    return Block(6, start - IPV6_START, depth)


def is_ipv6(key: int) -> bool:
    """Whether the block is one of IPv6."""
    return key >> 8 >= IPV6_START


def prefix_of(key: int) -> int:
    """The prefix length of the block."""
    return (key & _DEPTH_BITS) - (0 if is_ipv6(key) else IPV4_DEPTH)


def start_of(key: int) -> int:
    """Where the block begins on the line of addresses."""
    return key >> 8


def end_of(key: int) -> int:
    """Where the next block may begin on the line of addresses."""
    return (key >> 8) + SIZES[key & _DEPTH_BITS]


def holds(outer: int, inner: int) -> bool:
    """Whether the block of `inner` lies in the block of `outer`, or is it."""
    return outer >> 8 <= inner >> 8 and end_of(inner) <= end_of(outer)

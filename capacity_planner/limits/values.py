"""A limit as a value: what it is, since when, and who says so. Every verdict names the limits that it rests on."""

import enum
from collections.abc import Iterator, Mapping
from dataclasses import dataclass


class Kind(enum.Enum):
    """What stands behind a value: a quota that can be raised or at least moves, a fixed figure, or our assumption."""

    QUOTA = "quota"
    FIGURE = "figure"
    ASSUMPTION = "assumption"


@dataclass(frozen=True, slots=True, kw_only=True)
class Limit:
    """One limit, figure or assumption.

    `value` counts in `unit`, for each `scope`. `adjustable_to` says up to where AWS raises it, None where it does not.
    `as_of` is the year, month or day of the text that `source` names. `overridden`: it comes from a file of the user's.
    """

    key: str
    kind: Kind
    value: float
    unit: str
    scope: str
    adjustable_to: str | None
    as_of: str
    source: str
    note: str
    overridden: bool = False

    @property
    def whole(self) -> int:
        """The value as an integer, rounded down."""
        return int(self.value)

    @property
    def is_assumption(self) -> bool:
        """Whether no source states it: a verdict that rests on it says so."""
        return self.kind is Kind.ASSUMPTION

    def to_json(self) -> dict[str, object]:
        """The limit as JSON values."""
        return {
            "key": self.key,
            "kind": self.kind.value,
            "value": self.value,
            "unit": self.unit,
            "scope": self.scope,
            "adjustable_to": self.adjustable_to,
            "as_of": self.as_of,
            "source": self.source,
            "note": self.note,
            "overridden": self.overridden,
        }


@dataclass(frozen=True, slots=True)
class Limits(Mapping[str, Limit]):
    """All limits by key, in the catalogue's order."""

    by_key: Mapping[str, Limit]

    def __getitem__(self, key: str) -> Limit:
        return self.by_key[key]

    def __iter__(self) -> Iterator[str]:
        return iter(self.by_key)

    def __len__(self) -> int:
        return len(self.by_key)

    @property
    def as_of(self) -> str:
        """The newest date in the catalogue."""
        return max(limit.as_of for limit in self.by_key.values())

    @property
    def assumptions(self) -> tuple[Limit, ...]:
        """What no source states."""
        return tuple(limit for limit in self.by_key.values() if limit.is_assumption)

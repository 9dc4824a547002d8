"""What buckets of users did on one side: bucket by bucket for whoever asks, column by column for sums.

A look adds, subtracts and sums sixty-four buckets; a loop over buckets takes most of its time. So counts are kept in
columns, one for each thing that is counted, and every sum is a loop that runs in C.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from operator import add, attrgetter, sub
from typing import Final, Self

BUCKETS: Final = 64
_STATUSES: Final = range(100, 1000)
PLAIN: Final = ("requests", "fallbacks", "throttles", "timeouts", "response_bytes")
_plain = attrgetter(*PLAIN)


@dataclass(frozen=True, slots=True, kw_only=True)
class Counts:
    """What one bucket of users did on one side.

    `fallbacks` are requests that Lambda failed and legacy answered: whatever their status says, they are failures of
    Lambda. `throttles` and `timeouts` are requests too, and have a status. Raises `ValueError` for counts below zero.
    """

    requests: int = 0
    by_status: Mapping[int, int] = field(default_factory=dict)
    fallbacks: int = 0
    throttles: int = 0
    timeouts: int = 0
    response_bytes: int = 0

    def __post_init__(self) -> None:
        if min(self.requests, self.fallbacks, self.throttles, self.timeouts, self.response_bytes) < 0:
            message = f"counts are never below zero: {self}"
            raise ValueError(message)
        by_status = self.by_status
        if by_status and (
            min(by_status.values()) < 0 or min(by_status) not in _STATUSES or max(by_status) not in _STATUSES
        ):
            message = f"not statuses and how often they were seen: {by_status}"
            raise ValueError(message)


class Columns(Mapping[int, Counts]):
    """The counts of buckets, by bucket; and each thing that was counted as a column, in the order of `numbers`.

    `by_status` has a column for each status that was seen. Raises `ValueError` for counts below zero and for buckets
    that do not exist.
    """

    __slots__ = ("_places", "by_status", "fallbacks", "numbers", "requests", "response_bytes", "throttles", "timeouts")

    def __init__(
        self, numbers: tuple[int, ...], plain: Sequence[Sequence[int]], by_status: Mapping[int, Sequence[int]]
    ) -> None:
        self.numbers, self.by_status = numbers, by_status
        self.requests, self.fallbacks, self.throttles, self.timeouts, self.response_bytes = plain
        self._places: dict[int, int] | None = None
        if by_status and (min(by_status) not in _STATUSES or max(by_status) not in _STATUSES):
            message = f"not statuses: {sorted(by_status)}"
            raise ValueError(message)
        if not numbers:
            return
        if min(numbers) < 0 or max(numbers) >= BUCKETS or len(set(numbers)) < len(numbers):
            message = f"buckets are 0 to {BUCKETS - 1}, each once: {sorted(numbers)}"
            raise ValueError(message)
        least = min(map(min, (*plain, *by_status.values())))
        if least < 0:
            message = f"counts are never below zero, in {len(numbers)} buckets: {least}"
            raise ValueError(message)

    @classmethod
    def of(cls, buckets: Mapping[int, Counts]) -> Self:
        """The columns of these buckets."""
        if isinstance(buckets, cls):
            return buckets
        every = buckets.values()
        rows = [one.by_status for one in every]
        by_status = {status: [row.get(status, 0) for row in rows] for status in set().union(*rows)}
        return cls(tuple(buckets), tuple(zip(*map(_plain, every), strict=True)) or NO_COLUMNS, by_status)

    def __getitem__(self, number: int) -> Counts:
        if self._places is None:
            self._places = {one: place for place, one in enumerate(self.numbers)}
        place = self._places[number]
        by_status = {status: column[place] for status, column in self.by_status.items() if column[place]}
        return Counts(by_status=by_status, **{name: getattr(self, name)[place] for name in PLAIN})

    def __iter__(self) -> Iterator[int]:
        return iter(self.numbers)

    def __len__(self) -> int:
        return len(self.numbers)

    def __repr__(self) -> str:
        return repr(dict(self))

    def plus(self, other: Self) -> Self:
        """The sum, bucket by bucket."""
        return self._with(other, add)

    def minus(self, other: Self) -> Self:
        """The difference, bucket by bucket. Raises `ValueError` where it would be below zero."""
        return self._with(other, sub)

    def _with(self, other: Self, do: Callable[[int, int], int]) -> Self:
        one = self
        if self.numbers != other.numbers:
            numbers = tuple(dict.fromkeys((*self.numbers, *other.numbers)))
            one, other = self._over(numbers), other._over(numbers)
        plain = tuple(list(map(do, getattr(one, name), getattr(other, name))) for name in PLAIN)
        by_status = dict(one.by_status)
        for status, column in other.by_status.items():
            by_status[status] = list(map(do, by_status.get(status) or [0] * len(column), column))
        return type(self)(one.numbers, plain, by_status)

    def _over(self, numbers: tuple[int, ...]) -> Self:
        """The same over more buckets."""
        more = [0] * (len(numbers) - len(self.numbers))
        if numbers[: len(self.numbers)] == self.numbers:
            by_status = {status: [*column, *more] for status, column in self.by_status.items()}
            return type(self)(numbers, [[*getattr(self, name), *more] for name in PLAIN], by_status)
        places = {number: place for place, number in enumerate(self.numbers)}
        order = [places.get(number, -1) for number in numbers]

        def column(values: Sequence[int]) -> list[int]:
            padded = (*values, 0)
            return [padded[place] for place in order]

        by_status = {status: column(values) for status, values in self.by_status.items()}
        return type(self)(numbers, [column(getattr(self, name)) for name in PLAIN], by_status)


NO_COLUMNS: Final[tuple[tuple[int, ...], ...]] = ((),) * len(PLAIN)

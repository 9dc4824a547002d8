"""Users who differ: some send much more than others, and a few may meet most of the errors, on either side.

They are drawn once; afterwards only sums by bucket of users are needed, so a run costs the same for any number of them.
"""

import random
from bisect import bisect_left
from dataclasses import dataclass
from itertools import accumulate

import xxhash

from ..gate.evidence import BUCKETS
from ..side import slot
from ..weight import Weight
from .traffic import Traffic

_SPREAD = 0.8
"""Standard deviation of the logarithm of a user's activity: a tenth of the users send 30 % of the requests."""
_UNLUCKY = 0.02
"""The share of users who meet more errors than others, where that is assumed."""


@dataclass(frozen=True, slots=True)
class Load:
    """One bucket's part of a side: its share of the route's requests, and of what its errors are drawn from."""

    requests: float
    errors: float


@dataclass(frozen=True, slots=True)
class _Bucket:
    """A bucket's users in the order in which they move to Lambda, with running sums that begin at 0."""

    slots: tuple[int, ...]
    requests: tuple[float, ...]
    errors: tuple[float, ...]

    def on_lambda(self, weight: Weight) -> Load:
        """The part of those whose slot is below the weight."""
        count = bisect_left(self.slots, weight.parts)
        return Load(self.requests[count], self.errors[count])

    def on_legacy(self, weight: Weight) -> Load:
        """The part of the others."""
        mine = self.on_lambda(weight)
        return Load(max(0.0, self.requests[-1] - mine.requests), max(0.0, self.errors[-1] - mine.errors))


@dataclass(frozen=True, slots=True)
class Crowd:
    """The users of one route, by bucket."""

    buckets: tuple[_Bucket, ...]

    def loads(self, weight: Weight) -> tuple[list[Load], list[Load]]:
        """What each bucket sends to legacy and to Lambda at that weight."""
        return [one.on_legacy(weight) for one in self.buckets], [one.on_lambda(weight) for one in self.buckets]


def crowd(traffic: Traffic, salt: str) -> Crowd:
    """The users that are assumed, who are split by `salt` as the router would split them."""
    rng = random.Random(f"{traffic.seed}:users")  # noqa: S311 - a simulation, no secret
    drawn = [(rng.lognormvariate(0, _SPREAD), rng.random() < _UNLUCKY) for _user in range(traffic.users)]
    whole = sum(activity for activity, _is_unlucky in drawn)
    times = (1.0, traffic.unlucky_times)
    met = sum(activity * times[unlucky] for activity, unlucky in drawn)
    members: list[list[tuple[int, float, float]]] = [[] for _bucket in range(BUCKETS)]
    for number, (activity, unlucky) in enumerate(drawn):
        key = f"user-{traffic.seed}-{number}"
        errors = activity * times[unlucky] / met
        members[_bucket_of(key)].append((slot(salt, key), activity / whole, errors))
    return Crowd(tuple(_bucket(sorted(one)) for one in members))


def _bucket(members: list[tuple[int, float, float]]) -> _Bucket:
    return _Bucket(
        slots=tuple(place for place, _requests, _errors in members),
        requests=tuple(accumulate((requests for _place, requests, _errors in members), initial=0.0)),
        errors=tuple(accumulate((errors for _place, _requests, errors in members), initial=0.0)),
    )


def _bucket_of(key: str) -> int:
    """The user's bucket, by another salt than any route's."""
    return xxhash.xxh64_intdigest(f"bucket:{key}".encode()) % BUCKETS

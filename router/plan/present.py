"""The present, as control tells it: what is in force, what runs, what comes in, and what was tried last.

A plan that is made without control has none, and says so; nothing here is guessed.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Self

from strangler_fig.units import FULL_SHARE

from ..gate.evidence import BUCKETS

ENOUGH_SECONDS = 60.0
"""Traffic that was counted for less says little."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rate:
    """What a side of a route is asked and how it answers; None: not known."""

    requests_per_second: float
    errors: float | None = None
    p50_ms: float | None = None
    p99_ms: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Users:
    """How many users a route has; `is_least`: at least so many."""

    number: int
    is_least: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Running:
    """A release that runs: its name, and of each route the weight now and the highest that it may still reach.

    `reaches`: the share of each route's requests that may still reach Lambda, shadows included; from 0 to 1.
    """

    name: str
    weights: Mapping[str, tuple[int, int]]
    reaches: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    """The last release of a route that ended."""

    release: str
    outcome: str
    ended_at: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Present:
    """What control knows. Weights in parts per 10,000; `basis`, `head`, `estate`: digests; `frozen`: by whom, why."""

    basis: str
    head: str
    estate: str
    weights: Mapping[str, int] = field(default_factory=dict)
    frozen: str = ""
    running: tuple[Running, ...] = ()
    legacy: Mapping[str, Rate] = field(default_factory=dict)
    lambda_: Mapping[str, Rate] = field(default_factory=dict)
    users: Mapping[str, Users] = field(default_factory=dict)
    counted_seconds: Mapping[str, float] = field(default_factory=dict)
    """Over how many seconds a route's traffic was counted, where control says."""
    attempts: Mapping[str, Attempt] = field(default_factory=dict)

    def requests_per_second(self, route: str) -> float | None:
        """What comes in on both sides; None: not known."""
        sides = [side[route].requests_per_second for side in (self.legacy, self.lambda_) if route in side]
        return sum(sides) if sides else None

    def is_short(self, route: str) -> bool:
        """Whether the route's traffic was counted for so short a time that whoever plans may know better."""
        return self.counted_seconds.get(route, ENOUGH_SECONDS) < ENOUGH_SECONDS

    def shares(self) -> dict[str, float]:
        """The share of each route's requests that reaches Lambda, or may yet by a release that runs; from 0 to 1."""
        found = {route: parts / FULL_SHARE for route, parts in self.weights.items()}
        for running in self.running:
            found |= running.reaches
        return found

    @classmethod
    def from_json(cls, plain: Mapping[str, Any]) -> Self:
        """What `GET /v1/present` answered. Raises `KeyError` or `TypeError` when it is something else."""
        traffic: Mapping[str, Mapping[str, Any]] = plain.get("traffic") or {}
        frozen = plain.get("frozen")
        return cls(
            basis=plain["basis"],
            head=plain["head"],
            estate=plain["estate"],
            weights=dict(plain["weights"]),
            frozen=f"{frozen['by']}: {frozen['reason']}" if frozen else "",
            running=tuple(_running(one) for one in plain["releases"]),
            legacy={route: _rate(sides["legacy"]) for route, sides in traffic.items() if "legacy" in sides},
            lambda_={route: _rate(sides["lambda"]) for route, sides in traffic.items() if "lambda" in sides},
            users={
                route: users
                for route, seen in (plain.get("users") or {}).items()
                if (users := users_of(seen)) is not None
            },
            counted_seconds=dict(plain.get("counted_seconds") or {}),
            attempts={route: _attempt(one) for route, one in (plain.get("attempts") or {}).items()},
        )


def users_of(seen: Mapping[str, int]) -> Users | None:
    """How many users there must be for so many of the 64 buckets to have been seen on each side; None: nobody.

    Linear counting (Whang et al., "A linear-time probabilistic counting algorithm", 1990): users fall into buckets at
    random, so the empty ones tell how many there are, until none is empty.
    """
    sides = [_counted(buckets) for buckets in seen.values() if buckets]
    if not sides:
        return None
    return Users(number=sum(number for number, _is_least in sides), is_least=any(least for _number, least in sides))


def _counted(buckets: int) -> tuple[int, bool]:
    if buckets >= BUCKETS:
        return round(BUCKETS * math.log(BUCKETS)), True
    return max(buckets, round(-BUCKETS * math.log(1 - buckets / BUCKETS))), False


def _rate(plain: Mapping[str, Any]) -> Rate:
    return Rate(
        requests_per_second=plain["requests_per_second"],
        errors=plain.get("error_share"),
        p50_ms=plain.get("p50_ms"),
        p99_ms=plain.get("p99_ms"),
    )


def _running(plain: Mapping[str, Any]) -> Running:
    weights = {route: (one["weight"], one["highest"]) for route, one in plain["routes"].items()}
    # an older control does not tell of shadows
    reaches = {route: one.get("reaches", one["highest"] / FULL_SHARE) for route, one in plain["routes"].items()}
    return Running(name=plain["release"], weights=weights, reaches=reaches)


def _attempt(plain: Mapping[str, Any]) -> Attempt:
    return Attempt(
        release=plain["release"],
        outcome=plain["outcome"] or "",
        ended_at=plain["ended_at"] or "",
        reason=plain["reason"] or "",
    )

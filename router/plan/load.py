"""What each step would load its functions with, and whether capacity carries it.

A function's load is everything that is sent to it at once: the step, the other ramps of the release at their highest,
running releases at theirs, other routes at their weight, and requests that are shown to it as a shadow.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from ..estate import Candidate, Estate
from ..release.values import Ramp, Release, Step
from .capacity import Capacity
from .present import Present, Users

SCALING_CONCURRENCY = 1_000
SCALING_SECONDS = 10.0
"""A function gains at most so many concurrent executions in so many seconds.

Source: AWS Lambda Developer Guide, "Understanding Lambda function scaling", concurrency scaling rate, 2025.
"""
_MILLISECONDS = 1000.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Assumed:
    """What whoever plans assumes of each route of the release whose traffic control does not know; None: nothing."""

    requests_per_second: float | None = None
    users: int | None = None


NOTHING_ASSUMED = Assumed()


@dataclass(frozen=True, slots=True, kw_only=True)
class Ceiling:
    """The requests a second that a function may be sent, and the limit that binds, in words."""

    requests_per_second: float
    binding: str


@dataclass(frozen=True, slots=True, kw_only=True)
class FunctionLoad:
    """A function at a step: requests a second of this ramp, and of everything else; `ceiling` None: nothing limits it.

    `others_words` says what the others are.
    """

    function: str
    own: float
    others: float
    ceiling: Ceiling | None
    others_words: str = ""

    @property
    def total(self) -> float:
        """Requests a second in all."""
        return self.own + self.others

    @property
    def is_carried(self) -> bool:
        """Whether every limit carries it; what has none is not refused."""
        return self.ceiling is None or self.total <= self.ceiling.requests_per_second

    @property
    def most(self) -> float:
        """The share of the ramp's requests that would be carried, from 0 to 1."""
        if self.ceiling is None or not self.own:
            return 1.0
        return max(0.0, min(1.0, (self.ceiling.requests_per_second - self.others) / self.own))


@dataclass(frozen=True, slots=True, kw_only=True)
class Scaling:
    """A step against its function's scaling rate: so many executions more, and for how long it cannot keep up."""

    function: str
    executions: float
    added: float
    seconds: float
    is_too_fast: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Loads:
    """Computes loads; what is not known of the traffic is left out, and `unknown` names it."""

    estate: Estate
    release: Release
    present: Present | None
    capacity: Capacity | None
    assumed: Assumed = NOTHING_ASSUMED

    def candidate(self, route: str) -> Candidate | None:
        """The function of a route."""
        found = self.estate.route(route)
        return next((one for one in self.estate.candidates if found and one.name == found.candidate), None)

    def rate(self, route: str) -> float | None:
        """Requests a second to a route, on both sides, known or assumed; None: neither."""
        return self.assumed.requests_per_second if self.is_assumed(route) else self.known_rate(route)

    def is_assumed(self, route: str) -> bool:
        """Whether the route's traffic is what whoever plans said: it is not known, or was counted only for a moment."""
        if self.assumed.requests_per_second is None or route not in self.release.routes:
            return False
        return self.known_rate(route) is None or (self.present is not None and self.present.is_short(route))

    def known_rate(self, route: str) -> float | None:
        """What control knows of them."""
        return self.present.requests_per_second(route) if self.present else None

    def users(self, route: str) -> Users | None:
        """The users of a route, known or assumed; None: neither."""
        known = self.present.users.get(route) if self.present else None
        is_weak = known is None or (self.present is not None and self.present.is_short(route))
        return Users(number=self.assumed.users) if is_weak and self.assumed.users else known

    def of_step(self, ramp: Ramp, step: Step) -> tuple[FunctionLoad, ...]:
        """The load of each function that the ramp's routes call, as far as traffic is known."""
        own: dict[str, float] = {}
        for route in ramp.routes:
            function, rate = self.candidate(route), self.rate(route)
            if function is not None and rate is not None:
                own[function.name] = own.get(function.name, 0.0) + rate * step.sent_share
        found: list[FunctionLoad] = []
        for name, load in sorted(own.items()):
            others = self._others(name, ramp)
            words = ", ".join(f"{route} {rate:.1f}" for route, rate in others.items() if rate)
            ceiling = self._ceiling(name, ramp)
            total = sum(others.values())
            found.append(FunctionLoad(function=name, own=load, others=total, ceiling=ceiling, others_words=words))
        return tuple(found)

    def _ceiling(self, function: str, ramp: Ramp) -> Ceiling | None:
        """The lowest limit of the function: what the verdict gives it, and what the estate lets run at once.

        So many at once are so many a second by how long one takes. The median is taken for that: a refusal by a limit
        that is perhaps not reached would be worse than one that comes later.
        """
        allotment = self.capacity.functions.get(function) if self.capacity else None
        found = [Ceiling(requests_per_second=allotment.max_rps, binding=str(allotment.binding))] if allotment else []
        takes = max((ms for route in ramp.routes if (ms := self.median_ms(route)) is not None), default=None)
        candidate = next((one for one in self.estate.candidates if one.name == function), None)
        for most, where in (
            (candidate.max_concurrency if candidate else None, "max_concurrency in the estate"),
            (allotment.max_concurrency if allotment else None, "max_concurrency of the capacity verdict"),
        ):
            if most is not None and takes:
                text = f"{where} ({most} at once, at {takes:g} ms each)"
                found.append(Ceiling(requests_per_second=most * _MILLISECONDS / takes, binding=text))
        return min(found, key=lambda one: one.requests_per_second, default=None)

    def scaling(self, ramp: Ramp, step: Step, before: float) -> Iterator[Scaling]:
        """The step against each function's scaling rate; `before`: the share that was sent to it before."""
        for route in ramp.routes:
            function, rate, latency = self.candidate(route), self.rate(route), self.latency_ms(route)
            if function is None or rate is None or latency is None:
                continue
            each = rate * latency / _MILLISECONDS
            added = each * max(0.0, step.sent_share - before)
            seconds = added / SCALING_CONCURRENCY * SCALING_SECONDS
            yield Scaling(
                function=function.name,
                executions=each * step.sent_share,
                added=added,
                seconds=seconds,
                is_too_fast=added > SCALING_CONCURRENCY and seconds > step.glide_seconds,
            )

    def latency_ms(self, route: str) -> float | None:
        """How long a request takes: Lambda's 99th percentile, else legacy's; None: not known."""
        sides = (self.present.lambda_, self.present.legacy) if self.present else ()
        return next((side[route].p99_ms for side in sides if route in side and side[route].p99_ms), None)

    def median_ms(self, route: str) -> float | None:
        """How long half of the requests take at most: on Lambda, else on legacy; None: not known."""
        sides = (self.present.lambda_, self.present.legacy) if self.present else ()
        return next((side[route].p50_ms for side in sides if route in side and side[route].p50_ms), None)

    def _others(self, function: str, ramp: Ramp) -> dict[str, float]:
        """What other routes send to the function at the most, shadows included, in requests a second by route."""
        shares = self.present.shares() if self.present else {}
        for other in self.release.ramps:
            shares |= dict.fromkeys(other.routes, max(step.sent_share for step in other.steps))
        found: dict[str, float] = {}
        for route, share in shares.items():
            called, rate = self.candidate(route), self.rate(route)
            if route not in ramp.routes and called is not None and called.name == function and rate is not None:
                found[route] = rate * share
        return found

"""What each step would load its functions with, and whether capacity carries it.

A function's load is everything that is sent to it at once: the step, the other ramps of the release at their highest,
running releases at theirs, other routes at their weight, and requests that are shown to it as a shadow.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from strangler_fig.units import FULL_SHARE

from ..estate import Candidate, Estate
from ..release.values import Ramp, Release, Step
from .capacity import Allotment, Capacity
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
class FunctionLoad:
    """A function at a step: requests a second of this ramp, and of everything else; None: its traffic is not known."""

    function: str
    own: float
    others: float
    allotment: Allotment | None

    @property
    def total(self) -> float:
        """Requests a second in all."""
        return self.own + self.others

    @property
    def is_carried(self) -> bool:
        """Whether capacity carries it; what has no allotment is not refused."""
        return self.allotment is None or self.total <= self.allotment.max_rps

    @property
    def most(self) -> float:
        """The share of the ramp's requests that would be carried, from 0 to 1."""
        if self.allotment is None or not self.own:
            return 1.0
        return max(0.0, min(1.0, (self.allotment.max_rps - self.others) / self.own))


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
        known = self.known_rate(route)
        return self.assumed.requests_per_second if known is None and route in self.release.routes else known

    def known_rate(self, route: str) -> float | None:
        """What control knows of them."""
        return self.present.requests_per_second(route) if self.present else None

    def users(self, route: str) -> Users | None:
        """The users of a route, known or assumed; None: neither."""
        known = self.present.users.get(route) if self.present else None
        return Users(number=self.assumed.users) if known is None and self.assumed.users else known

    def of_step(self, ramp: Ramp, step: Step) -> tuple[FunctionLoad, ...]:
        """The load of each function that the ramp's routes call, as far as traffic is known."""
        own: dict[str, float] = {}
        for route in ramp.routes:
            function, rate = self.candidate(route), self.rate(route)
            if function is not None and rate is not None:
                own[function.name] = own.get(function.name, 0.0) + rate * sent_share(step)
        allotments: Mapping[str, Allotment] = self.capacity.functions if self.capacity else {}
        return tuple(
            FunctionLoad(function=name, own=load, others=self._others(name, ramp), allotment=allotments.get(name))
            for name, load in sorted(own.items())
        )

    def scaling(self, ramp: Ramp, step: Step, before: float) -> Iterator[Scaling]:
        """The step against each function's scaling rate; `before`: the share that was sent to it before."""
        for route in ramp.routes:
            function, rate, latency = self.candidate(route), self.rate(route), self.latency_ms(route)
            if function is None or rate is None or latency is None:
                continue
            each = rate * latency / _MILLISECONDS
            added = each * max(0.0, sent_share(step) - before)
            seconds = added / SCALING_CONCURRENCY * SCALING_SECONDS
            yield Scaling(
                function=function.name,
                executions=each * sent_share(step),
                added=added,
                seconds=seconds,
                is_too_fast=added > SCALING_CONCURRENCY and seconds > step.glide_seconds,
            )

    def latency_ms(self, route: str) -> float | None:
        """How long a request takes: Lambda's 99th percentile, else legacy's; None: not known."""
        sides = (self.present.lambda_, self.present.legacy) if self.present else ()
        return next((side[route].p99_ms for side in sides if route in side and side[route].p99_ms), None)

    def _others(self, function: str, ramp: Ramp) -> float:
        """What is sent to the function beside the ramp, at the most."""
        highest = dict(self.present.weights) if self.present else {}
        for running in self.present.running if self.present else ():
            highest |= {route: most for route, (_now, most) in running.weights.items()}
        shares = {route: parts / FULL_SHARE for route, parts in highest.items()}
        for other in self.release.ramps:
            shares |= dict.fromkeys(other.routes, max(sent_share(step) for step in other.steps))
        total = 0.0
        for route, share in shares.items():
            called, rate = self.candidate(route), self.rate(route)
            if route not in ramp.routes and called is not None and called.name == function and rate is not None:
                total += rate * share
        return total


def sent_share(step: Step) -> float:
    """The share of a route's requests that reach Lambda in a step: its users', and the shadow of the others."""
    weight = step.weight.parts / FULL_SHARE
    return weight + (1 - weight) * step.shadow / FULL_SHARE

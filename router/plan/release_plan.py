"""Puts a release's plan together: for each ramp its steps with their times, users, verdicts and loads."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from strangler_fig.units import FULL_SHARE

from ..estate import Estate
from ..ledger.chain import text_digest
from ..release.values import Ramp, Release, Step
from .capacity import Capacity
from .course import Course, course
from .load import NOTHING_ASSUMED, Assumed, Loads
from .places import NOWHERE, Places
from .present import Present, Users
from .problems import problems
from .stale import seen
from .values import Inputs, PlannedRamp, PlannedStep, ReleasePlan
from .verdict_time import LONGEST_SECONDS, Demand, VerdictTime, verdict_time

_MOST_USERS = 20_000
"""More users than these make a verdict no earlier, and a plan slower."""
_ASSUMED_USERS = 1_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Given:
    """What a plan is made on. `estate_text` is the normalised estate's; `unseen`: what could not be asked, in words."""

    release: Release
    text: str
    estate: Estate
    estate_text: str
    present: Present | None
    capacity: Capacity | None
    unseen: tuple[str, ...] = ()
    assumed: Assumed = NOTHING_ASSUMED
    places: Places = NOWHERE


def plan_release(given: Given, now: datetime) -> ReleasePlan:
    """The plan, made at that time."""
    loads = Loads(
        estate=given.estate,
        release=given.release,
        present=given.present,
        capacity=given.capacity,
        assumed=given.assumed,
    )
    ramps = tuple(_Planner(ramp, loads, now).planned() for ramp in given.release.ramps)
    estate = text_digest(given.estate_text)
    present, capacity = given.present, given.capacity
    return ReleasePlan(
        release=given.release,
        text=given.text,
        made_at=now,
        inputs=Inputs(
            release=text_digest(given.text),
            estate=estate,
            ledger=present.head if present else None,
            basis=present.basis if present else None,
            capacity=capacity.digest if capacity else None,
            seen=seen(loads),
        ),
        ramps=ramps,
        problems=tuple(problems(ramps, loads, estate, given.places, now)),
        unseen=(*given.unseen, *_unseen(loads)),
        legacy=_legacy(capacity),
        traffic=tuple(_traffic(loads)),
    )


def _unseen(loads: Loads) -> tuple[str, ...]:
    """What the plan does not know, in words."""
    found = [] if loads.capacity else ["capacity: no verdict was given (--capacity), so no weight was held against it"]
    silent = [route for route in sorted(loads.release.routes) if loads.known_rate(route) is None]
    if silent and loads.assumed.requests_per_second is None and loads.present is not None:
        found.append(f"traffic of {', '.join(silent)}: it is counted while a route moves; assume one with --traffic")
    return tuple(found)


def _traffic(loads: Loads) -> Iterator[str]:
    """What the plan counts with of each route, and whence it is, in words."""
    for route in sorted(loads.release.routes):
        rate = loads.rate(route)
        if rate is None:
            continue
        if loads.is_assumed(route):
            yield f"{route}: {rate:g} requests/s, as you said"
            continue
        seconds = loads.present.counted_seconds.get(route) if loads.present else None
        over = f" over {seconds:.0f} s" if seconds is not None else ""
        short = loads.present is not None and loads.present.is_short(route)
        yield f"{route}: {rate:.1f} requests/s, measured{over}" + (
            ": too short to count on; plan again in a minute, or say --traffic and --users" if short else ""
        )


def _legacy(capacity: Capacity | None) -> str:
    if capacity is None:
        return "not known: no capacity verdict was given"
    match capacity.takes_everything_back:
        case True:
            return "can take everything back"
        case False:
            return "cannot take everything back"
        case None:
            return "may or may not take everything back: the demand file does not say"


class _Planner:
    """Plans one ramp."""

    def __init__(self, ramp: Ramp, loads: Loads, now: datetime) -> None:
        self._ramp, self._loads = ramp, loads
        self._verdicts = {index: self._verdict(index, step) for index, step in enumerate(ramp.steps) if step.needs_pass}
        known = {index: one.seconds for index, one in self._verdicts.items() if one is not None}
        self._course: Course = course(ramp, now, known, LONGEST_SECONDS)

    def planned(self) -> PlannedRamp:
        """The ramp's plan."""
        ramp, present = self._ramp, self._loads.present
        weights = {route: present.weights.get(route) if present else None for route in ramp.routes}
        before = ramp.start.parts / FULL_SHARE
        steps: list[PlannedStep] = []
        for index, step in enumerate(ramp.steps):
            steps.append(self._step(index, step, before))
            before = step.sent_share
        attempts = present.attempts if present else {}
        return PlannedRamp(
            ramp=ramp,
            now=weights,
            steps=tuple(steps),
            ends=self._course.ends,
            attempts={route: attempts[route] for route in ramp.routes if route in attempts},
        )

    def _step(self, index: int, step: Step, before: float) -> PlannedStep:
        known = self._is_known()
        verdict = self._verdicts.get(index)
        rates = [rate for route in self._ramp.routes if (rate := self._loads.rate(route)) is not None]
        return PlannedStep(
            step=step,
            arrives=self._course.arrivals.get(index),
            users=self._users(step),
            requests_per_second=sum(rates) * step.sent_share if rates else None,
            verdict_seconds=verdict.seconds if verdict else None,
            is_undecidable=verdict is not None and verdict.seconds is None,
            undecided=verdict.open if verdict else (),
            minimum_seconds=verdict.minimum_seconds if verdict else 0.0,
            is_doubtful=verdict is not None and verdict.is_doubtful,
            is_unknown=step.needs_pass and not known,
            loads=self._loads.of_step(self._ramp, step),
            scaling=tuple(self._loads.scaling(self._ramp, step, before)),
        )

    def _is_known(self) -> bool:
        return all(self._loads.rate(route) is not None for route in self._ramp.routes)

    def _verdict(self, index: int, step: Step) -> VerdictTime | None:
        """How long the slowest route's gate needs; None: nothing is known of the traffic."""
        if not self._is_known():
            return None
        place = (index, len(self._ramp.steps))
        found = [verdict_time(self._ramp.gate, step, place, self._demand(route)) for route in self._ramp.routes]
        return max(found, key=lambda one: (one.seconds is None, one.seconds or 0.0, one.minimum_seconds))

    def _demand(self, route: str) -> Demand:
        present = self._loads.present
        legacy = present.legacy.get(route) if present else None
        users = self._loads.users(route)
        number = _ASSUMED_USERS if users is None or users.is_least else users.number
        return Demand(
            requests_per_second=self._loads.rate(route) or 0.0,
            users=min(max(number, users.number if users else 0), _MOST_USERS),
            errors=legacy.errors if legacy else None,
            latency_ms=legacy.p50_ms if legacy else None,
        )

    def _users(self, step: Step) -> Users | None:
        """Users who are on Lambda in the step; of a group the users of its busiest route, for they are the same."""
        known = [users for route in self._ramp.routes if (users := self._loads.users(route)) is not None]
        if not known:
            return None
        most = max(known, key=lambda one: one.number)
        return Users(number=round(most.number * step.weight.parts / FULL_SHARE), is_least=most.is_least)

"""What speaks against a plan: limits that break, releases in the way, weights that are not as the release thinks."""

from collections.abc import Iterable, Iterator
from datetime import datetime
from math import isfinite

from strangler_fig.diagnostics import Diagnostic, Position, Severity
from strangler_fig.units import format_seconds, format_share

from ..gate.values import Gate
from ..release.conflicts import with_running
from ..weight import MOST_COUNTED, Weight
from .capacity import Capacity
from .load import Loads
from .places import Places
from .present import Present
from .values import PlannedRamp, PlannedStep
from .verdict_time import LONGEST_SECONDS

CAPACITY = "PL201"
SCALING = "PL202"
OTHER_WEIGHT = "PL203"
OTHER_ESTATE = "PL204"
NEVER_OPENS = "PL205"
NEVER_DECIDES = "PL206"
FROZEN = "PL207"
NOT_BACK = "PL208"
NO_ALLOTMENT = "PL209"
TOO_MANY = "PL210"
ENOUGH_SECONDS = 1.0
_DAY_SECONDS = 86_400.0


def problems(
    ramps: Iterable[PlannedRamp], loads: Loads, estate_digest: str, places: Places, now: datetime
) -> Iterator[Diagnostic]:
    """Everything that speaks against it, errors and warnings, each where it is written."""
    planned = tuple(ramps)
    if loads.present is not None:
        running = [(one.name, one.weights) for one in loads.present.running]
        yield from _present(planned, loads.present, estate_digest, places)
        yield from with_running(loads.release, places.release, running)
        yield from _too_many(loads, loads.present, places)
    for ramp in planned:
        yield from _capacity(ramp, places)
        yield from _scaling(ramp, places)
        yield from _course(ramp, places, now)
    if loads.capacity is not None:
        yield from _functions(planned, loads, loads.capacity, places)


def _too_many(loads: Loads, present: Present, places: Places) -> Iterator[Diagnostic]:
    """Of more routes at once no gate has evidence, neither this release's nor those of the releases that run."""
    others = {name: set(one.weights) for one in present.running if (name := one.name) != loads.release.name}
    routes = set(loads.release.routes).union(*others.values())
    if len(routes) > MOST_COUNTED and others:
        message = (
            f"{len(routes)} routes would move at once with {', '.join(sorted(others))}, and of at most {MOST_COUNTED} "
            "there is evidence: no gate could decide any more"
        )
        place = places.release.routes(loads.release)
        yield _error(TOO_MANY, message, "wait until one of them is over, or split this release", place)


def _present(
    ramps: Iterable[PlannedRamp], present: Present, estate_digest: str, places: Places
) -> Iterator[Diagnostic]:
    """Weights are where the release begins, the estate is the one that is published, nothing is frozen."""
    if present.estate != estate_digest:
        message = "the estate file is not the one that is published: a release is started against the latter"
        hint = "fig publish it first, or plan with the published one"
        yield _error(OTHER_ESTATE, message, hint, places.whole_estate())
    for ramp in ramps:
        for route, parts in ramp.now.items():
            if parts is None:
                message = f"route {route} is not published: its weight is not known to control"
                yield _error(OTHER_WEIGHT, message, "publish the estate first", places.release.start(ramp.ramp))
            elif parts != ramp.ramp.start.parts:
                message = f"route {route} is at {Weight(parts)}, and the release begins at {ramp.ramp.start}"
                hint = f"write from: {Weight(parts)} on it, and steps above that"
                yield _error(OTHER_WEIGHT, message, hint, places.release.start(ramp.ramp))
    if present.frozen:
        message = f"all movement towards Lambda is frozen by {present.frozen}"
        yield _warning(FROZEN, message, "the release would start and wait for fig thaw", None)


def _capacity(ramp: PlannedRamp, places: Places) -> Iterator[Diagnostic]:
    """The first weight that a function's allotment does not carry, with the limit that binds."""
    for step in ramp.steps:
        refused = [load for load in step.loads if not load.is_carried]
        for load in refused:
            if load.ceiling is None:
                continue
            others = f" of others: {load.others_words}" if load.others_words else " of others"
            message = (
                f"{ramp.ramp.name}: step {step.step.number} ({step.step}) sends {load.total:.1f} requests/s to "
                f"{load.function} ({load.own:.1f} of this ramp, {load.others:.1f}{others}), and "
                f"{load.ceiling.requests_per_second:g} are carried; binding limit {load.ceiling.binding}"
            )
            weight = format_share(int(step.step.weight.parts * load.most))
            place = places.release.step(ramp.ramp, step.step)
            yield _error(CAPACITY, message, f"at the present traffic at most {weight} is carried", place)
        if refused:
            return


def _scaling(ramp: PlannedRamp, places: Places) -> Iterator[Diagnostic]:
    for step in ramp.steps:
        for one in step.scaling:
            if one.is_too_fast:
                message = (
                    f"{ramp.ramp.name}: step {step.step.number} ({step.step}) needs {one.added:.0f} executions of "
                    f"{one.function} at once, and a function gains 1,000 in 10 s"
                )
                hint = f"glide: {format_seconds(max(ENOUGH_SECONDS, round(one.seconds) + 1))} or longer before it"
                yield _error(SCALING, message, hint, places.release.step(ramp.ramp, step.step))


def _course(ramp: PlannedRamp, places: Places, now: datetime) -> Iterator[Diagnostic]:
    undecided = next((step for step in ramp.steps if step.is_undecidable), None)
    if undecided is not None:
        message, hint = _why_undecided(undecided, ramp.ramp.gate)
        message = f"{ramp.ramp.name}: step {undecided.step.number} ({undecided.step}): {message}"
        yield _warning(NEVER_DECIDES, message, hint, places.release.step(ramp.ramp, undecided.step))
    elif ramp.ends is None:
        message = f"{ramp.ramp.name}: no window ever opens for {_first_missing(ramp)}"
        last = max((step.arrives.at for step in ramp.steps if step.arrives is not None), default=now)
        is_frozen = ramp.ramp.windows.is_frozen_throughout(last)
        covered = "a freeze covers every time that they name: end it earlier, or name a later day"
        hint = f"look at windows: {covered if is_frozen else 'every time that they name is over'}"
        yield _error(NEVER_OPENS, message, hint, places.release.windows(ramp.ramp))


def _why_undecided(step: PlannedStep, gate: Gate) -> tuple[str, str]:
    """Why the gate does not decide at the present traffic, and what to do."""
    days = f"{LONGEST_SECONDS / _DAY_SECONDS:.0f} days"
    if step.minimum_seconds > LONGEST_SECONDS:
        takes = f"{step.minimum_seconds / _DAY_SECONDS:,.0f} days" if isfinite(step.minimum_seconds) else "for ever"
        message = f"the gate can never decide: minimum_requests of {gate.minimum_requests:,} take {takes}"
        return f"{message} at the present traffic", "ask for fewer, or begin with a higher share"
    about = f" on {', '.join(step.undecided)}" if step.undecided else ""
    message = f"at the present traffic the gate reaches no verdict{about} within {days}"
    return message, "begin with a higher share, or ask for less with wider limits"


def _first_missing(ramp: PlannedRamp) -> str:
    missing: PlannedStep | None = next((step for step in ramp.steps if step.arrives is None), None)
    return f"step {missing.step.number} ({missing.step})" if missing else "its end"


def _functions(ramps: Iterable[PlannedRamp], loads: Loads, capacity: Capacity, places: Places) -> Iterator[Diagnostic]:
    """Functions that the verdict does not name, and applications that could not take everything back."""
    called = sorted(
        {one.name for ramp in ramps for route in ramp.ramp.routes if (one := loads.candidate(route)) is not None}
    )
    for name in called:
        if name not in capacity.functions:
            message = f"the capacity verdict says nothing of function {name}"
            yield _warning(NO_ALLOTMENT, message, "add it to the demand file under that name", places.function(name))
    for name, verdict in sorted(capacity.legacy.items()):
        if not verdict.takes_all and set(verdict.functions) & set(called):
            message = f"legacy {name} could not take everything back: {verdict.binding}"
            hint = "a rollback would overload it: keep shares below what it can take back"
            yield _warning(NOT_BACK, message, hint, places.application(name))


def _error(code: str, message: str, hint: str, place: Position | None) -> Diagnostic:
    return Diagnostic(code=code, message=message, position=place, hint=hint)


def _warning(code: str, message: str, hint: str, place: Position | None) -> Diagnostic:
    return Diagnostic(code=code, message=message, position=place, hint=hint, severity=Severity.WARNING)

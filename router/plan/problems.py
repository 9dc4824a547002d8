"""What speaks against a plan: limits that break, releases in the way, weights that are not as the release thinks."""

from collections.abc import Iterable, Iterator

from strangler_fig.diagnostics import Diagnostic, Severity
from strangler_fig.units import format_seconds, format_share

from ..release.conflicts import with_running
from ..weight import MOST_COUNTED, Weight
from .capacity import Capacity
from .load import Loads
from .present import Present
from .values import PlannedRamp, PlannedStep

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


def problems(ramps: Iterable[PlannedRamp], loads: Loads, estate_digest: str) -> Iterator[Diagnostic]:
    """Everything that speaks against it, errors and warnings."""
    planned = tuple(ramps)
    if loads.present is not None:
        yield from _present(planned, loads.present, estate_digest)
        yield from with_running(loads.release, [(running.name, running.weights) for running in loads.present.running])
        yield from _too_many(loads, loads.present)
    for ramp in planned:
        yield from _capacity(ramp)
        yield from _scaling(ramp)
        yield from _course(ramp)
    if loads.capacity is not None:
        yield from _functions(planned, loads, loads.capacity)


def _too_many(loads: Loads, present: Present) -> Iterator[Diagnostic]:
    """Of more routes at once no gate has evidence, neither this release's nor those of the releases that run."""
    others = {name: set(one.weights) for one in present.running if (name := one.name) != loads.release.name}
    routes = set(loads.release.routes).union(*others.values())
    if len(routes) > MOST_COUNTED and others:
        message = (
            f"{len(routes)} routes would move at once with {', '.join(sorted(others))}, and of at most {MOST_COUNTED} "
            "there is evidence: no gate could decide any more"
        )
        yield _error(TOO_MANY, message, "wait until one of them is over, or split this release")


def _present(ramps: Iterable[PlannedRamp], present: Present, estate_digest: str) -> Iterator[Diagnostic]:
    """Weights are where the release begins, the estate is the one that is published, nothing is frozen."""
    if present.estate != estate_digest:
        message = "the estate file is not the one that is published: a release is started against the latter"
        yield _error(OTHER_ESTATE, message, "fig publish it first, or plan with the published one")
    for ramp in ramps:
        for route, parts in ramp.now.items():
            if parts is None:
                message = f"route {route} is not published: its weight is not known to control"
                yield _error(OTHER_WEIGHT, message, "publish the estate first")
            elif parts != ramp.ramp.start.parts:
                message = f"route {route} is at {Weight(parts)}, and the release begins at {ramp.ramp.start}"
                yield _error(OTHER_WEIGHT, message, f"write from: {Weight(parts)} on it, and steps above that")
    if present.frozen:
        message = f"all movement towards Lambda is frozen by {present.frozen}"
        yield _warning(FROZEN, message, "the release would start and wait for fig thaw")


def _capacity(ramp: PlannedRamp) -> Iterator[Diagnostic]:
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
            yield _error(CAPACITY, message, f"at the present traffic at most {weight} is carried")
        if refused:
            return


def _scaling(ramp: PlannedRamp) -> Iterator[Diagnostic]:
    for step in ramp.steps:
        for one in step.scaling:
            if one.is_too_fast:
                message = (
                    f"{ramp.ramp.name}: step {step.step.number} ({step.step}) needs {one.added:.0f} executions of "
                    f"{one.function} at once, and a function gains 1,000 in 10 s"
                )
                hint = f"glide: {format_seconds(max(ENOUGH_SECONDS, round(one.seconds) + 1))} or longer before it"
                yield _error(SCALING, message, hint)


def _course(ramp: PlannedRamp) -> Iterator[Diagnostic]:
    undecided = next((step for step in ramp.steps if step.is_undecidable), None)
    if undecided is not None:
        message = (
            f"{ramp.ramp.name}: at the present traffic the gate reaches no verdict on step {undecided.step.number} "
            f"({undecided.step}) within 60 days"
        )
        yield _warning(NEVER_DECIDES, message, "begin with a higher share, or ask for less with wider limits")
    elif ramp.ends is None:
        message = f"{ramp.ramp.name}: no window ever opens for {_first_missing(ramp)}"
        yield _error(NEVER_OPENS, message, "look at windows: every time that they name is over")


def _first_missing(ramp: PlannedRamp) -> str:
    missing: PlannedStep | None = next((step for step in ramp.steps if step.arrives is None), None)
    return f"step {missing.step.number} ({missing.step})" if missing else "its end"


def _functions(ramps: Iterable[PlannedRamp], loads: Loads, capacity: Capacity) -> Iterator[Diagnostic]:
    """Functions that the verdict does not name, and applications that could not take everything back."""
    called = sorted(
        {one.name for ramp in ramps for route in ramp.ramp.routes if (one := loads.candidate(route)) is not None}
    )
    for name in called:
        if name not in capacity.functions:
            message = f"the capacity verdict says nothing of function {name}"
            yield _warning(NO_ALLOTMENT, message, "add it to the demand file under that name")
    for name, verdict in sorted(capacity.legacy.items()):
        if not verdict.takes_all and set(verdict.functions) & set(called):
            message = f"legacy {name} could not take everything back: {verdict.binding}"
            yield _warning(NOT_BACK, message, "a rollback would overload it: keep shares below what it can take back")


def _error(code: str, message: str, hint: str) -> Diagnostic:
    return Diagnostic(code=code, message=message, hint=hint)


def _warning(code: str, message: str, hint: str) -> Diagnostic:
    return Diagnostic(code=code, message=message, hint=hint, severity=Severity.WARNING)

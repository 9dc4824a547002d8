"""All rules over a release. To add one: write a function from `Subject` to findings, and list it here."""

from collections.abc import Callable, Iterable, Iterator

from strangler_fig.diagnostics import Diagnostic
from strangler_fig.units import FULL_SHARE

from ..gate.values import Relation
from ..weight import MOST_COUNTED
from . import estate_rules, step_rules
from .gate_shape import NEVER, GateShape, gate_of
from .lower import windows_of
from .shapes import WindowsShape
from .subject import Subject

NEVER_OPENS = "RS209"
OVER = "RS220"

Rule = Callable[[Subject], Iterable[Diagnostic]]


def gates_can_decide(subject: Subject) -> Iterator[Diagnostic]:
    """A gate passes and fails what it can see."""
    places: list[tuple[tuple[str, ...], GateShape | None]] = [((), subject.shape.gate)]
    places += [(ramp.path, ramp.shape.gate) for ramp in subject.ramps()]
    for path, shape in places:
        _gate, wrong = gate_of(shape)
        for inner, fault in wrong:
            yield subject.error(fault.code, fault.message, *path, "gate", *inner, hint=fault.hint or None)


def gates_have_a_comparison(subject: Subject) -> Iterator[Diagnostic]:
    """At 100 % nobody is on legacy: its last baseline comes from an earlier step, or users are held back."""
    for ramp in subject.ramps():
        gate, _wrong = gate_of(ramp.shape.gate or subject.shape.gate)
        shares = [(index, step) for index, step in enumerate(ramp.shape.steps) if step.lambda_ is not None]
        index, first = shares[0] if shares else (0, None)
        if first is None or first.lambda_ is None or first.holdback or first.lambda_.parts < FULL_SHARE:
            continue
        if any(limit.relation is Relation.LEGACY for limit in gate.limits):
            message = f"step {index + 1}: the gate can never decide: at 100% nobody is on legacy to compare with"
            hint = "add holdback: 2%, or a share below 100% before it"
            yield subject.error(NEVER, message, *ramp.path, "steps", index, "lambda", hint=hint)


def gates_see_every_route(subject: Subject) -> Iterator[Diagnostic]:
    """Not more routes move at once than a gate has evidence of."""
    routes = {route for ramp in subject.ramps() for route in ramp.routes}
    if len(routes) > MOST_COUNTED:
        message = (
            f"the gates can never decide: {len(routes)} routes move at once, and of at most {MOST_COUNTED} there is"
        )
        path = "routes" if subject.shape.routes else "groups"
        hint = "split the release, and apply the parts one after the other"
        yield subject.error(NEVER, f"{message} evidence", path, hint=hint)


def windows_open(subject: Subject) -> Iterator[Diagnostic]:
    """There is a time at which the release may move."""
    places: list[tuple[tuple[str, ...], WindowsShape | None]] = [((), subject.shape.windows)]
    places += [(ramp.path, ramp.shape.windows) for ramp in subject.ramps()]
    for path, shape in places:
        if shape is None:
            continue
        at = (*path, "windows")
        shut = [
            number for number, one in enumerate(shape.open or ()) if one.from_ is not None and one.from_ == one.until
        ]
        for number in shut:
            message = "the window never opens: it closes when it opens"
            yield subject.error(NEVER_OPENS, message, *at, "open", number, hint="for a whole day write 00:00 to 24:00")
        backwards = [number for number, one in enumerate(shape.freezes) if one.until <= one.from_]
        for number in backwards:
            yield subject.error(NEVER_OPENS, "the freeze ends before it begins", *at, "freezes", number, "until")
        if shape.open == []:
            yield subject.error(
                NEVER_OPENS, "the window never opens: no hours are given", *at, "open", hint="leave open out for always"
            )
        elif not shut and not backwards and not windows_of(shape).ever_opens():
            message = "the window never opens: freezes, or a change of the clocks, cover every time that it names"
            yield subject.error(NEVER_OPENS, message, *at, "open", hint="name a later day, or end the freeze earlier")


def windows_open_again(subject: Subject) -> Iterator[Diagnostic]:
    """A window that opens no more, for its dates are past or freezes cover what is to come: a warning."""
    places: list[tuple[tuple[str, ...], WindowsShape | None]] = [((), subject.shape.windows)]
    places += [(ramp.path, ramp.shape.windows) for ramp in subject.ramps()]
    for path, shape in places:
        if subject.now is None or shape is None:
            continue
        windows = windows_of(shape)
        if windows.is_frozen_throughout(subject.now) and windows.ever_opens():
            message = (
                f"the window does not open: from {subject.now:%Y-%m-%d} on freezes cover every time within 400 days"
            )
            hint = "end a freeze earlier, or name a later day: fig plan refuses it as it is"
            where = "open" if shape.open else "freezes"
            yield subject.warning(OVER, message, *path, "windows", where, hint=hint)
        elif windows.is_over(subject.now) and windows.ever_opens():
            message = f"the window opens no more: by {subject.now:%Y-%m-%d} every time that it names is over"
            hint = "name a later day: fig plan refuses it as it is"
            yield subject.warning(OVER, message, *path, "windows", "open", hint=hint)


RULES: tuple[Rule, ...] = (
    step_rules.weights_rise,
    step_rules.holdbacks_fit,
    step_rules.each_leads_somewhere,
    step_rules.each_does_something,
    gates_can_decide,
    gates_have_a_comparison,
    gates_see_every_route,
    windows_open,
    windows_open_again,
    estate_rules.routes_exist,
    estate_rules.routes_have_two_sides,
    estate_rules.routes_are_ramped_once,
    estate_rules.groups_share_a_cohort,
    estate_rules.pinned_versions_are_published,
    estate_rules.parity_is_compared,
    estate_rules.shadows_can_be_cast,
    estate_rules.cohorts_are_built,
    estate_rules.what_is_readied_can_be,
)


def check(subject: Subject) -> list[Diagnostic]:
    """Everything that the rules find."""
    return [finding for rule in RULES for finding in rule(subject)]

"""What a release names exists in the estate, and can do what the release asks of it."""

from collections.abc import Iterator

from strangler_fig.diagnostics import Diagnostic
from strangler_fig.documents import did_you_mean

from ..estate import HttpUpstream, LambdaFunction, Route
from .gate_shape import GateShape, gate_of, without_parity
from .subject import Subject, Written

UNKNOWN_ROUTE = "RS201"
ONE_SIDE = "RS202"
TWICE = "RS205"
UNKNOWN_MEMBER = "RS206"
TWO_COHORTS = "RS207"
MOVING_ALIAS = "RS210"
NO_PARITY = "RS211"
NO_SHADOW = "RS215"
NOTHING_TO_READY = "RS216"
OTHER_COHORT = "RS217"

LATEST = "$LATEST"


def routes_exist(subject: Subject) -> Iterator[Diagnostic]:
    """Every route that is named is in the estate."""
    if subject.estate is None:
        return
    names = [route.name for route in subject.estate.routes]
    for ramp in subject.ramps():
        for number, name in enumerate(ramp.routes):
            if name in names:
                continue
            code = UNKNOWN_MEMBER if ramp.is_group else UNKNOWN_ROUTE
            message = (
                f"group {ramp.name}: there is no route {name!r}" if ramp.is_group else f"there is no route {name!r}"
            )
            yield subject.error(code, message, *ramp.place_of(number), hint=did_you_mean(name, names))


def routes_have_two_sides(subject: Subject) -> Iterator[Diagnostic]:
    """What has one side cannot be ramped."""
    for ramp in subject.ramps():
        for number, route in subject.known(ramp):
            if not route.has_two_sides:
                lacks = "lambda" if route.candidate is None else "legacy"
                message = f"route {route.name} has no {lacks} side in the estate"
                yield subject.error(
                    ONE_SIDE, message, *ramp.place_of(number), hint=f"write {lacks}: there, and publish it"
                )


def routes_are_ramped_once(subject: Subject) -> Iterator[Diagnostic]:
    """A route has one ramp."""
    seen: dict[str, str] = {}
    for ramp in subject.ramps():
        where = f"{ramp.path[0][:-1]} {ramp.name}"
        for number, name in enumerate(ramp.routes):
            if name in seen:
                message = f"route {name} is ramped twice: by {seen[name]} and by {where}"
                yield subject.error(TWICE, message, *ramp.place_of(number), hint="a route follows one ramp")
            seen.setdefault(name, where)


def groups_share_a_cohort(subject: Subject) -> Iterator[Diagnostic]:
    """A group's users move together only where its routes draw the side alike."""
    for ramp in subject.ramps():
        known = [route for _number, route in subject.known(ramp)] if ramp.is_group else []
        for number, route in subject.known(ramp) if known else ():
            problem = _apart(known[0], route)
            if problem:
                message = f"group {ramp.name}: {problem}: a user would be on both sides at once"
                hint = f"give both salt: {ramp.name} and the same sticky in the estate"
                yield subject.error(TWO_COHORTS, message, *ramp.place_of(number), hint=hint)


def pinned_versions_are_published(subject: Subject) -> Iterator[Diagnostic]:
    """With `pin: true` the estate names a version: an alias may be moved while the ramp runs."""
    for ramp, path, gate in _gates(subject):
        if not gate.pin:
            continue
        for _number, route in subject.known(ramp):
            function = subject.candidate(route)
            qualifier = function.arn.qualifier if isinstance(function, LambdaFunction) else None
            if qualifier is None or not qualifier.isdigit():
                named = f"{'alias ' if qualifier and qualifier != LATEST else ''}{qualifier or LATEST}"
                named = named if isinstance(function, LambdaFunction) else "an HTTP upstream"
                message = f"pin: route {route.name} calls {named}, which may change while the ramp runs"
                yield subject.error(
                    MOVING_ALIAS, message, *path, "pin", hint="name a version in the ARN, as in ...:books:42"
                )


def parity_is_compared(subject: Subject) -> Iterator[Diagnostic]:
    """A parity limit needs a route whose answers are compared, and nothing compares answers yet: it is left out.

    A gate that limits nothing else would have nothing to decide on.
    """
    for ramp, path, gate in _gates(subject):
        judged = gate_of(gate)[0]
        if not judged.needs_parity:
            continue
        place = (*path, "limits", "parity")
        name = f"{ramp.path[0][:-1]} {ramp.name}"
        if without_parity(judged) is None:
            message = f"{name}: the gate can never decide: it limits parity alone, and nothing compares answers there"
            yield subject.error(NO_PARITY, message, *place, hint="keep one of the built-in limits")
        else:
            message = f"{name}: the limit of parity is not judged, because nothing compares answers there"
            yield subject.warning(NO_PARITY, message, *place, hint="the release runs with its other limits")


def shadows_can_be_cast(subject: Subject) -> Iterator[Diagnostic]:
    """Only a route that says so in the estate is built to be shadowed."""
    for ramp in subject.ramps():
        for index, step in enumerate(ramp.shape.steps):
            if step.shadow is None:
                continue
            for _number, route in subject.known(ramp):
                if not route.shadow:
                    message = f"route {route.name} cannot be shadowed"
                    hint = "write shadow: true on the route in the estate, and publish it"
                    yield subject.error(NO_SHADOW, message, *ramp.path, "steps", index, "shadow", hint=hint)


def cohorts_are_built(subject: Subject) -> Iterator[Diagnostic]:
    """Named users can be sent to Lambda where the estate names the same ones: a route's matches are structure."""
    for ramp in subject.ramps():
        for index, step in enumerate(ramp.shape.steps):
            if step.cohort is None:
                continue
            wanted = (step.cohort.header, frozenset(step.cohort.values))
            for _number, route in subject.known(ramp):
                if route.cohort is None or (route.cohort.header, frozenset(route.cohort.values)) != wanted:
                    names = "no cohort" if route.cohort is None else "another cohort"
                    message = f"route {route.name} has {names} in the estate"
                    hint = "write the same cohort: {header: ..., values: [...]} on the route there, and publish it"
                    yield subject.error(OTHER_COHORT, message, *ramp.path, "steps", index, "cohort", hint=hint)


def what_is_readied_can_be(subject: Subject) -> Iterator[Diagnostic]:
    """Only a function can be made ready, and provisioned concurrency is set on an alias or a version."""
    for ramp in subject.ramps():
        for index, step in enumerate(ramp.shape.steps):
            if step.ready is None:
                continue
            for _number, route in subject.known(ramp):
                function = subject.candidate(route)
                path = (*ramp.path, "steps", index, "ready")
                if isinstance(function, HttpUpstream):
                    message = f"route {route.name}: {function.name} is plain HTTP, there is nothing to make ready"
                    yield subject.error(NOTHING_TO_READY, message, *path, hint="leave ready out")
                elif (
                    isinstance(function, LambdaFunction)
                    and step.ready.provisioned_concurrency
                    and function.arn.qualifier in {None, LATEST}
                ):
                    message = f"route {route.name}: provisioned concurrency cannot be set on {LATEST}"
                    hint = "name an alias or a version in the ARN"
                    yield subject.error(NOTHING_TO_READY, message, *path, hint=hint)


def _apart(first: Route, other: Route) -> str:
    """Why two routes do not draw a user's side alike; empty when they do."""
    if first.salt != other.salt:
        return f"routes {first.name} and {other.name} have salts of their own"
    if (first.sticky.kind, first.sticky.name) != (other.sticky.kind, other.sticky.name):
        return f"routes {first.name} and {other.name} know users by different keys"
    return ""


def _gates(subject: Subject) -> Iterator[tuple[Written, tuple[str, ...], GateShape]]:
    """Each ramp with its gate, and where that is written."""
    for ramp in subject.ramps():
        if ramp.shape.gate is not None:
            yield ramp, (*ramp.path, "gate"), ramp.shape.gate
        elif subject.shape.gate is not None:
            yield ramp, ("gate",), subject.shape.gate

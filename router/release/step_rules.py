"""Steps go up, one after the other, and each of them does something."""

from collections.abc import Iterator

from strangler_fig.diagnostics import Diagnostic
from strangler_fig.units import FULL_SHARE, format_share

from .shapes import StepShape
from .subject import Subject, Written

ORDER = "RS203"
SKIP = "RS204"
HOLDBACK = "RS212"
LEADS_NOWHERE = "RS213"
NOTHING = "RS214"

FIRST_PARTS = 2_500
"""So far the first step may go: a quarter of the users."""
FREE_PARTS = 5_000
"""So far any later step may go: half of them."""
MOST_TIMES = 10
"""Beyond that a step has at most so many times the users of the one before."""


def weights_rise(subject: Subject) -> Iterator[Diagnostic]:
    """Each step sends more to Lambda than the one before, and none of them leaps."""
    for ramp in subject.ramps():
        before, said = ramp.shape.from_, f"the ramp begins at {format_share(ramp.shape.from_)}"
        glides = False
        for index, step in enumerate(ramp.shape.steps):
            if step.lambda_ is None:
                glides = step.glide is not None or (glides and step.ready is not None)
                continue
            path = (*ramp.path, "steps", index, "lambda")
            parts = step.lambda_.parts
            what = f"step {index + 1} sends {format_share(parts)} to lambda"
            if parts < before:
                yield subject.error(ORDER, f"{what} after {said}", *path, hint="steps go up; to go down, roll back")
            elif parts == before:
                hint = "merge the two, or leave the second out: shares are not repeated"
                yield subject.error(ORDER, f"{what} as before: {said}", *path, hint=hint)
            elif parts > _most(before) and not (glides and before):
                yield subject.error(
                    SKIP, f"{what} after {said}: that skips the steps between", *path, hint=_between(before)
                )
            if parts > before:
                before, said = parts, f"step {index + 1} sent {format_share(parts)}"
            glides = False


def holdbacks_fit(subject: Subject) -> Iterator[Diagnostic]:
    """A holdback keeps some users on legacy at 100 %, fewer than the step brings."""
    for ramp in subject.ramps():
        before = ramp.shape.from_
        for index, step in enumerate(ramp.shape.steps):
            if step.lambda_ is None:
                continue
            path = (*ramp.path, "steps", index, "holdback")
            if step.holdback is not None:
                shown = format_share(step.holdback)
                if step.lambda_.parts != FULL_SHARE:
                    message = (
                        f"a holdback of {shown} at {format_share(step.lambda_.parts)}: the rest is on legacy anyway"
                    )
                    yield subject.error(HOLDBACK, message, *path, hint="a holdback belongs beside lambda: 100%")
                elif not 0 < step.holdback < FULL_SHARE - before:
                    most = format_share(FULL_SHARE - before)
                    message = f"a holdback of {shown} leaves no rise from the {format_share(before)} before"
                    message = message if step.holdback else "a holdback of 0% holds nobody back"
                    yield subject.error(HOLDBACK, message, *path, hint=f"write more than 0% and less than {most}")
                elif not step.lambda_.seconds:
                    hint = "write how long, as in lambda: 100% for 7d"
                    yield subject.error(
                        HOLDBACK, "a holdback that is held for no time compares nothing", *path, hint=hint
                    )
            before = step.lambda_.parts


def each_leads_somewhere(subject: Subject) -> Iterator[Diagnostic]:
    """A glide leads to a share, and what is made ready is made ready for one."""
    for ramp in subject.ramps():
        steps = ramp.shape.steps
        for index, step in enumerate(steps):
            key = "glide" if step.glide is not None else "ready" if step.ready is not None else None
            if key is None:
                continue
            following = [one for one in steps[index + 1 : index + 3] if not _prepares(one)][:1]
            if not following or following[0].lambda_ is None:
                message = f"step {index + 1}: {key} leads to no share"
                hint = "the next item must be a lambda share"
                yield subject.error(LEADS_NOWHERE, message, *ramp.path, "steps", index, key, hint=hint)
            elif index and key in _keys(steps[index - 1]):
                message = f"step {index + 1}: {key} twice before one share"
                yield subject.error(LEADS_NOWHERE, message, *ramp.path, "steps", index, key, hint="keep one of them")


def each_does_something(subject: Subject) -> Iterator[Diagnostic]:
    """A ramp moves something, and no step is empty."""
    for ramp in subject.ramps():
        steps = ramp.shape.steps
        if not any(_moves(step) for step in steps):
            hint = "add a lambda share, a cohort or a shadow"
            yield subject.error(
                NOTHING, f"{ramp.path[0][:-1]} {ramp.name}: no step moves anything", *ramp.path, "steps", hint=hint
            )
        yield from _empty(subject, ramp)
    if not subject.shape.ramps:
        yield subject.error(NOTHING, "the release ramps nothing", "routes", hint="name a route under routes or groups")


def _empty(subject: Subject, ramp: Written) -> Iterator[Diagnostic]:
    steps = ramp.shape.steps
    for index, step in enumerate(steps):
        path = (*ramp.path, "steps", index)
        if step.shadow is not None and step.shadow.parts == 0:
            yield subject.error(NOTHING, f"step {index + 1} shadows 0%", *path, "shadow", hint="leave it out")
        if step.shadow is not None and step.lambda_ is None and step.shadow.seconds is None:
            message = f"step {index + 1}: a shadow needs a time, for nothing else ends it"
            yield subject.error(NOTHING, message, *path, "shadow", hint="write shadow: 10% for 30m")
        if step.pause and index and steps[index - 1].pause:
            yield subject.error(NOTHING, f"step {index + 1} asks for approval twice", *path, "pause", hint="keep one")


def _moves(step: StepShape) -> bool:
    return step.shadow is not None or step.cohort is not None or step.lambda_ is not None


def _prepares(step: StepShape) -> bool:
    return step.glide is not None or step.ready is not None


def _keys(step: StepShape) -> set[str]:
    return {key for key in ("glide", "ready") if getattr(step, key) is not None}


def _between(before: int) -> str:
    most = format_share(_most(before))
    glide = ", or glide there" if before else ""
    return f"at most {most} comes next{glide}; where an earlier release brought it further, say so with from:"


def _most(before: int) -> int:
    """The most that may come next."""
    return max(FREE_PARTS, MOST_TIMES * before) if before else FIRST_PARTS

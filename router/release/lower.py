"""Shapes become the release: each step says all that is in force while it lasts.

What is written once and lasts is repeated in every step that it lasts for: a cohort stays, a shadow ends with its step,
an approval keeps what there was. A holdback becomes a step of its own at the end, in which it is given up.
"""

from collections.abc import Iterator
from dataclasses import replace
from datetime import time

from strangler_fig.units import FULL_SHARE

from ..weight import LAMBDA_ONLY, Weight
from .gate_shape import gate_of, without_parity
from .shapes import RampShape, ReadyShape, ReleaseShape, StepShape, WindowsShape
from .values import Cohort, OnBreach, Ramp, Ready, Release, Step, StepKind
from .windows import ALWAYS, Freeze, Hours, Windows


def lower(shape: ReleaseShape) -> Release:
    """The release that sound shapes stand for."""
    ramps = [_ramp(path[1], ramp, routes, shape) for path, ramp, routes in shape.ramps]
    return Release(name=shape.release, ticket=shape.ticket, ramps=tuple(sorted(ramps, key=lambda one: one.name)))


def windows_of(shape: WindowsShape | None) -> Windows:
    """The windows that a sound shape stands for."""
    if shape is None:
        return ALWAYS
    return Windows(
        zone=shape.time_zone,
        hours=tuple(
            Hours(weekdays=one.days.weekdays, dates=one.days.dates, start=one.from_ or time(0), until=one.until)
            for one in shape.open or ()
        ),
        freezes=tuple(Freeze(start=one.from_, until=one.until, reason=one.reason or "") for one in shape.freezes),
    )


def _ramp(name: str, shape: RampShape, routes: tuple[str, ...], release: ReleaseShape) -> Ramp:
    start = Weight(shape.from_)
    gate = gate_of(shape.gate or release.gate)[0]
    return Ramp(
        name=name,
        routes=routes,
        is_group=len(routes) > 1,
        steps=tuple(_steps(shape.steps, start)),
        gate=without_parity(gate) or gate,
        on_breach=OnBreach(shape.on_breach or release.on_breach),
        windows=windows_of(shape.windows or release.windows),
        start=start,
    )


def _steps(shapes: list[StepShape], start: Weight) -> Iterator[Step]:
    """The steps in order; what prepares a share is part of its step."""
    last = Step(number=0, kind=StepKind.APPROVAL, weight=start)
    glide, ready = 0.0, None
    for index, shape in enumerate(shapes):
        if shape.glide is not None:
            glide = shape.glide
        elif shape.ready is not None:
            ready = _ready(shape.ready)
        else:
            last = _step(index + 1, shape, last)
            if last.kind is StepKind.LAMBDA:
                last = replace(last, glide_seconds=glide, ready=ready)
                glide, ready = 0.0, None
            yield last
            if last.holdback:
                yield Step(number=index + 1, kind=StepKind.FINISH, weight=LAMBDA_ONLY, cohort=last.cohort)


def _step(number: int, shape: StepShape, last: Step) -> Step:
    if shape.lambda_ is not None:
        holdback = shape.holdback or 0
        return Step(
            number=number,
            kind=StepKind.LAMBDA,
            weight=Weight(min(shape.lambda_.parts, FULL_SHARE - holdback)),
            hold_seconds=shape.lambda_.seconds or 0.0,
            shadow=shape.shadow.parts if shape.shadow else 0,
            cohort=last.cohort,
            holdback=holdback,
        )
    if shape.shadow is not None:
        return Step(
            number=number,
            kind=StepKind.SHADOW,
            weight=last.weight,
            hold_seconds=shape.shadow.seconds or 0.0,
            shadow=shape.shadow.parts,
            cohort=last.cohort,
        )
    if shape.cohort is not None:
        return Step(
            number=number,
            kind=StepKind.COHORT,
            weight=last.weight,
            hold_seconds=shape.cohort.for_ or 0.0,
            cohort=Cohort(header=shape.cohort.header, values=tuple(shape.cohort.values)),
        )
    return Step(number=number, kind=StepKind.APPROVAL, weight=last.weight, shadow=last.shadow, cohort=last.cohort)


def _ready(shape: ReadyShape) -> Ready:
    return Ready(warm_calls=shape.warm_calls or 0, provisioned_concurrency=shape.provisioned_concurrency or 0)

"""A plan as people read it: what changes, step by step with times, and what speaks against it."""

from collections.abc import Iterator, Sequence
from textwrap import wrap

from strangler_fig.units import format_seconds

from ..release.values import Ready, format_hold
from ..weight import Weight
from .course import Arrival
from .document import EstatePlan
from .load import SCALING_CONCURRENCY, SCALING_SECONDS
from .present import Users
from .values import PlannedRamp, PlannedStep, ReleasePlan
from .verdict_time import LONGEST_SECONDS

_COLUMNS = ("step", "what", "earliest (UTC)", "held", "users", "requests/s", "verdict in")
_DEEP = " " * 7
_NARROWEST = 40
_LONG_SECONDS = ((86_400.0, "d"), (3600.0, "h"), (60.0, "min"))


def release_words(plan: ReleasePlan, width: int | None = None) -> Iterator[str]:
    """The lines for a release; where the table of steps is wider than `width`, it is told in sentences that fit."""
    release = plan.release
    yield f"release {release.name} ({release.ticket}), planned {plan.made_at:%Y-%m-%d %H:%M} UTC"
    for ramp in plan.ramps:
        yield ""
        yield from _ramp(ramp, width)
    yield ""
    yield f"legacy {plan.legacy}"
    yield from _unseen(plan.unseen)
    yield _sum(plan)


def estate_words(plan: EstatePlan) -> Iterator[str]:
    """The lines for an estate."""
    for change in plan.changes:
        what = change["kind"] if change["kind"] == change["name"] else f"{change['kind']} {change['name']}"
        yield f"{change['sign']} {what}" + (f"  {change['detail']}" if change["detail"] else "")
    if plan.base is not None and not plan.changes:
        yield "no changes"
    yield from _unseen(plan.unseen)


def _ramp(planned: PlannedRamp, width: int | None) -> Iterator[str]:
    ramp = planned.ramp
    kind = f"group {ramp.name} ({', '.join(ramp.routes)})" if ramp.is_group else f"route {ramp.name}"
    gate = "a gate that only looks" if ramp.gate.dry_run else f"on a breach: {ramp.on_breach.value}"
    yield f"~ {kind}  {_now(planned)} -> {_goal(planned)}  ({gate})"
    yield from _steps([_cells(step) for step in planned.steps], width)
    if planned.ends is not None:
        yield f"    ends {_at(planned.ends)}{'' if planned.ends.is_least else ' at the earliest'}"
    yield from _scaling(planned)
    for route, attempt in planned.attempts.items():
        why = f": {attempt.reason}" if attempt.reason else ""
        yield f"    last attempt at {route}: {attempt.release}, {attempt.outcome} {attempt.ended_at[:16]}{why}"


def _scaling(planned: PlannedRamp) -> Iterator[str]:
    """The step that adds most executions at once, against the rate at which a function gains them."""
    steps = [(one, step) for step in planned.steps for one in step.scaling if one.added >= 1]
    if steps:
        most, step = max(steps, key=lambda pair: pair[0].added)
        rate = f"a function gains {SCALING_CONCURRENCY:,} in {SCALING_SECONDS:.0f} s"
        yield f"    step {step.step.number} adds at most {most.added:,.1f} executions of {most.function}; {rate}"


def _now(planned: PlannedRamp) -> str:
    weights = {parts for parts in planned.now.values() if parts is not None}
    return "/".join(str(Weight(parts)) for parts in sorted(weights)) if weights else f"{planned.ramp.start}"


def _goal(planned: PlannedRamp) -> str:
    return str(planned.ramp.highest)


def _cells(one: PlannedStep) -> tuple[str, ...]:
    step = one.step
    glide = f", in {format_seconds(step.glide_seconds)}" if step.glide_seconds else ""
    shadow = f", shadow {Weight(step.shadow)}" if step.shadow and step.needs_pass else ""
    ready = f", {_ready(step.ready)} before" if step.ready else ""
    holdback = f", {Weight(step.holdback)} held back" if step.holdback else ""
    users = _users(one.users)
    rate = "?" if one.requests_per_second is None else _rate(one.requests_per_second)
    return (
        str(step.number),
        f"{step}{glide}{ready}{shadow}{holdback}",
        _at(one.arrives) if one.arrives else "never",
        format_hold(step.hold_seconds) if step.hold_seconds else "-",
        users,
        rate,
        _verdict(one),
    )


def _rate(rate: float) -> str:
    return f"{rate:.1g}" if 0 < rate < 0.1 else f"{rate:.1f}"  # noqa: PLR2004 - what one digit would call nothing


def _ready(ready: Ready) -> str:
    if ready.provisioned_concurrency:
        return f"provisioned concurrency {ready.provisioned_concurrency}"
    return f"{ready.warm_calls} warm calls"


def _users(users: Users | None) -> str:
    if users is None:
        return "?"
    return f"{'at least' if users.is_least else 'about'} {users.number:,}" if users.number else "none"


def _verdict(one: PlannedStep) -> str:
    if one.is_unknown:
        return "?"
    if one.is_undecidable:
        return f"not within {_rounded(LONGEST_SECONDS)}"
    doubt = ", or never" if one.is_doubtful else ""
    return "-" if one.verdict_seconds is None else f"about {_rounded(one.verdict_seconds)}{doubt}"


def _at(arrival: Arrival) -> str:
    approvals = f" + approval{'s' if arrival.approvals > 1 else ''}" if arrival.approvals else ""
    return f"{'no sooner than ' if arrival.is_least else ''}{arrival.at:%Y-%m-%d %H:%M}{approvals}"


def _rounded(seconds: float) -> str:
    for length, unit in _LONG_SECONDS:
        if seconds >= length:
            return f"{seconds / length:.1f}".removesuffix(".0") + f" {unit}"
    return f"{seconds:.0f} s"


def _steps(rows: Sequence[tuple[str, ...]], width: int | None) -> Iterator[str]:
    table = list(_table([_COLUMNS, *rows]))
    if width is None or max(map(len, table)) <= width:
        yield from table
        return
    for number, what, arrives, held, users, rate, verdict in rows:
        known = (
            f"earliest {arrives}{' UTC' if arrives[-1:].isdigit() else ''}",
            "" if held == "-" else f"held {held}",
            f"{'no' if users == 'none' else users} users",
            f"{rate} requests/s",
            "" if verdict == "-" else f"verdict in {verdict}" if verdict[:1] != "n" else f"verdict {verdict}",
        )
        yield f"    {number:<3}{what}"
        yield from wrap(
            ", ".join(filter(None, known)), max(width, _NARROWEST), initial_indent=_DEEP, subsequent_indent=_DEEP
        )


def _table(rows: Sequence[Sequence[str]]) -> Iterator[str]:
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    for row in rows:
        yield "    " + "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()


def _unseen(unseen: Sequence[str]) -> Iterator[str]:
    for one in unseen:
        yield f"not seen: {one}"


def _sum(plan: ReleasePlan) -> str:
    errors = sum(one.severity.value == "error" for one in plan.problems)
    if errors:
        return f"plan: refused, {errors} problem{'s' if errors > 1 else ''}"
    routes = len(plan.release.routes)
    return f"plan: {routes} route{'s' if routes > 1 else ''} to move"

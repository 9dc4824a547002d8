"""The shape of a gate, and the gate that it stands for.

A limit is written in the words of its metric: `above_legacy: 0.5%` for shares, `times_legacy: 1.5` for latency and
size, `at_most` in the metric's own unit for any.
"""

import math
from dataclasses import replace
from typing import Annotated

from pydantic import Field, PlainValidator, WithJsonSchema

from strangler_fig.documents import did_you_mean
from strangler_fig.units import FULL_SHARE, UnitError, format_share, seconds, share, size_bytes

from ..gate.evidence import BUCKETS
from ..gate.values import DEFAULT_LIMITS, Gate, Harm, Limit, Metric, Relation
from ..source.fault import Fault
from ..source.values import Duration, Shape, ShareOfRequests, Text, refused

LIMIT = "RS108"
NEVER = "RS208"

_SHORTEST_STALE_SECONDS = 2.0
"""Nodes report once a second: evidence that must be fresher is always missing."""
_MILLISECONDS = 1000.0
_SURE = "from 0.01% to 20%"
_LONGEST_NAME = 63
"""No metric has a longer name; what is longer is not said back."""

Path = tuple[str | int, ...]


def _quantity(value: object) -> str:
    """A quantity's text; its metric says later what unit it must have."""
    if isinstance(value, bool) or not isinstance(value, (str, int, float)):
        raise refused(Fault(LIMIT, "it is no quantity", "as in 0.5%, 1.5, 800ms or 50KB"))
    return str(value)


_Quantity = Annotated[str, PlainValidator(_quantity), WithJsonSchema({"type": ["string", "number"]})]


class LimitShape(Shape):
    """How far one metric may go."""

    above_legacy: _Quantity | None = Field(None, description="Shares: so many of all requests more than legacy, 0.5%.")
    times_legacy: _Quantity | None = Field(None, description="Latency and size: so many times legacy's, 1.5.")
    at_most: _Quantity | None = Field(
        None, description="In the metric's own unit, whatever legacy does: 1%, 800ms, 50KB."
    )
    tolerated: _Quantity | None = Field(
        None, description="What must be shown to be exceeded before it is a breach. Default: the limit."
    )
    either_way: bool = Field(default=False, description="Whether less than legacy is a breach too.")


class GateShape(Shape):
    """What each step must keep, and how sure one must be. Metrics that are not named keep their built-in limits."""

    limits: dict[str, LimitShape] = Field(default_factory=dict, description="Limits by metric.")
    without: list[Text] = Field(default_factory=list, description="Metrics whose built-in limits are dropped.")
    minimum_requests: Annotated[int, Field(ge=1, le=10**9)] = Field(100, description="On each side. Default: 100.")
    minimum_users: Annotated[int, Field(ge=1)] = Field(
        8, description="Buckets of users (of 64) seen on each side. Default: 8."
    )
    warm_up: Duration | None = Field(None, description="What is not judged after each shift. Default: 30s.")
    stale_after: Duration = Field(15.0, description="The age at which evidence is missing. Default: 15s.")
    alpha: ShareOfRequests = Field(
        100, description="The chance that a ramp with equal sides is rolled back, all looks together. Default: 1%."
    )
    beta: ShareOfRequests = Field(500, description="The chance that a step passes a limit that it breaks. Default: 5%.")
    dry_run: bool = Field(default=False, description="Judge without acting.")
    pin: bool = Field(default=False, description="Refuse $LATEST and aliases: only a published version is released.")

    @classmethod
    def known_below(cls) -> dict[tuple[str, ...], list[str]]:
        """The keys that are allowed inside."""
        return {("limits", "*"): list(LimitShape.model_fields)}


def gate_of(shape: GateShape | None) -> tuple[Gate, list[tuple[Path, Fault]]]:
    """The gate that the shape stands for, and what is wrong with it, each with its path inside the shape."""
    if shape is None:
        return Gate(), []
    limits: dict[Metric, tuple[Limit, ...]] = {}
    for one in DEFAULT_LIMITS:
        limits[one.metric] = (*limits.get(one.metric, ()), one)
    wrong: list[tuple[Path, Fault]] = []
    for number, name in enumerate(shape.without):
        try:
            limits[_metric(name)] = ()
        except Fault as fault:
            wrong.append((("without", number), fault))
    for name, written in shape.limits.items():
        try:
            limits[_metric(name)] = _limits(_metric(name), written)
        except Fault as fault:
            wrong.append((("limits", name), fault))
    chosen = tuple(one for group in limits.values() for one in group)
    wrong += [] if wrong else _undecidable(shape, chosen)
    return (Gate(), wrong) if wrong else (_gate(shape, chosen), [])


def without_parity(gate: Gate) -> Gate | None:
    """The gate without limits of parity, which need a route whose answers are compared; None: it has no others."""
    others = tuple(limit for limit in gate.limits if limit.metric is not Metric.PARITY)
    return replace(gate, limits=others) if others else None


def _gate(shape: GateShape, limits: tuple[Limit, ...]) -> Gate:
    gate = Gate(
        limits=limits,
        minimum_requests=shape.minimum_requests,
        minimum_users=shape.minimum_users,
        stale_after_seconds=shape.stale_after,
        alpha=shape.alpha / FULL_SHARE,
        beta=shape.beta / FULL_SHARE,
        dry_run=shape.dry_run,
        pin=shape.pin,
    )
    return gate if shape.warm_up is None else replace(gate, warm_up_seconds=shape.warm_up)


def _undecidable(shape: GateShape, limits: tuple[Limit, ...]) -> list[tuple[Path, Fault]]:
    """Why a gate of this shape can never pass anything."""
    most_share = FULL_SHARE // 5
    found = (
        (not limits, ("limits",), "every limit is off", "keep at least one limit"),
        (
            shape.minimum_users > BUCKETS,
            ("minimum_users",),
            f"{shape.minimum_users} buckets of users are asked for, and there are {BUCKETS}",
            f"write at most {BUCKETS}",
        ),
        (
            shape.stale_after < _SHORTEST_STALE_SECONDS,
            ("stale_after",),
            "evidence comes once a second, so it is always older than that somewhere",
            "write 2s or more",
        ),
        (not shape.alpha, ("alpha",), "nothing is shown with no chance of error at all", _SURE),
        (not shape.beta, ("beta",), "nothing is shown with no chance of error at all", _SURE),
    )
    never: list[tuple[Path, Fault]] = [
        (path, Fault(NEVER, f"the gate can never decide: {text}", hint))
        for applies, path, text, hint in found
        if applies
    ]
    guessed = (
        ("alpha", shape.alpha, "a ramp with equal sides"),
        ("beta", shape.beta, "a limit that is broken"),
    )
    for name, parts, what in guessed:
        if parts > most_share:
            message = f"the gate would guess: {what} may go the wrong way with {format_share(parts)}"
            never.append(((name,), Fault(NEVER, message, _SURE)))
    return never


def _metric(name: str) -> Metric:
    try:
        return Metric(name)
    except ValueError:
        shown = name if len(name) <= _LONGEST_NAME else f"{name[:20]}... of {len(name):,} characters"
        hint = did_you_mean(name[:_LONGEST_NAME], (one.value for one in Metric))
        raise Fault(LIMIT, f"there is no metric {shown!r}", hint) from None


def _limits(metric: Metric, shape: LimitShape) -> tuple[Limit, ...]:
    """The limits that one metric has: relative, absolute or both. Raises `Fault`."""
    written = {
        key: value for key in ("above_legacy", "times_legacy", "at_most") if (value := getattr(shape, key)) is not None
    }
    if not written:
        raise Fault(LIMIT, f"{metric.value}: no limit is given", "write above_legacy, times_legacy or at_most")
    if shape.tolerated is not None and len(written) > 1:
        raise Fault(LIMIT, f"{metric.value}: tolerated belongs to one limit, and there are two", "leave tolerated out")
    return tuple(_limit(metric, key, value, shape) for key, value in written.items())


def _limit(metric: Metric, key: str, value: str, shape: LimitShape) -> Limit:
    is_share = metric not in _LATENCIES and metric is not Metric.RESPONSE_SIZE
    relation = Relation.ABSOLUTE if key == "at_most" else Relation.LEGACY
    if relation is Relation.LEGACY and metric in {Metric.PARITY, Metric.COLD_P95}:
        raise Fault(LIMIT, f"{metric.value}: legacy has nothing to compare with", "write at_most")
    if relation is Relation.LEGACY and is_share != (key == "above_legacy"):
        hint = "write above_legacy: 0.5%" if is_share else "write times_legacy: 1.5"
        raise Fault(LIMIT, f"{metric.value}: {key} does not fit this metric", hint)
    if relation is Relation.ABSOLUTE and shape.either_way:
        raise Fault(LIMIT, f"{metric.value}: either_way compares with legacy, at_most does not", "leave either_way out")
    limit = _amount(metric, key, value)
    tolerated = limit if shape.tolerated is None else _amount(metric, key, shape.tolerated)
    if tolerated > limit:
        hint = "tolerated is the smaller of the two: beyond it is a breach, below the limit is a pass"
        raise Fault(NEVER, f"{metric.value}: the gate can never decide: tolerated is above the limit", hint)
    harm = Harm.ANY if shape.either_way else Harm.MORE
    try:
        return Limit(metric=metric, limit=limit, tolerated=tolerated, relation=relation, harm=harm)
    except ValueError:
        least = "1" if key == "times_legacy" else "0"
        text = f"{metric.value}: the gate can never decide: nothing can be shown to be within {value}"
        most = ", and a share below 100%" if is_share else ""
        raise Fault(NEVER, text, f"write a limit above {least}{most}") from None


_LATENCIES = frozenset({Metric.LATENCY_P50, Metric.LATENCY_P95, Metric.LATENCY_P99, Metric.COLD_P95})


def _finite(text: str) -> float:
    """The number in the text. Raises `ValueError` for what is none or has no end."""
    value = float(text)
    if not math.isfinite(value):
        raise ValueError(text)
    return value


def _amount(metric: Metric, key: str, text: str) -> float:
    """The number in the unit of `Limit`. Raises `Fault`."""
    try:
        if key == "times_legacy":
            return _finite(text)
        if metric in _LATENCIES:
            return seconds(text) * _MILLISECONDS
        return size_bytes(text) if metric is Metric.RESPONSE_SIZE else share(text) / FULL_SHARE
    except UnitError as error:
        raise Fault(LIMIT, f"{metric.value}: {error}") from error
    except ValueError as error:
        raise Fault(LIMIT, f"{metric.value}: {text!r} is not a number", "as in 1.5") from error

"""Whether evidence may be believed: the function's version, and the split of users.

A split that does not fit the weight means that something between the draw and the count is wrong (a weight that is not
in force, stickiness that does not stick, a node left out). Then every comparison may be wrong too, however sure it
looks. Users are drawn, so the test is on buckets of users: heavy users alone move the share of requests. Source:
Fabijan et al., "Diagnosing Sample Ratio Mismatch in Online Controlled Experiments", KDD 2019.
"""

from collections.abc import Sequence
from itertools import compress
from math import log, sqrt
from operator import add, eq, mul
from typing import Final

from strangler_fig.units import FULL_SHARE

from .evidence import RouteEvidence, SideEvidence
from .sequences import reach, student
from .values import Gate
from .verdict import Code, Reason
from .window import Window

_ALPHA: Final = 0.001
"""The chance that a right split is ever mistrusted in a step; it costs a hold, never a rollback."""
_SLACK: Final = 0.2
"""Differences of the smaller share that are nobody's fault: failed clients that retry, or leave, on one side only."""
_STRAY: Final = 0.02
"""The share that a side without users may still have: requests that were under way when the weight came into force."""
_FEW: Final = 6
_UNNAMED: Final = frozenset({"", "-"})
_MOVING: Final = "$LATEST"


def versions(lambda_: SideEvidence) -> frozenset[str]:
    """The versions of the function that answered; an answer of the Lambda API itself names none."""
    return frozenset(name for name, count in lambda_.executed_versions.items() if count) - _UNNAMED


def version_fault(gate: Gate, window: Window, lambda_: SideEvidence) -> Reason | None:
    """Why the answers are not those of the one version that the step judges, or None."""
    answered = versions(lambda_)
    if gate.pin and _MOVING in answered:
        return Reason(code=Code.PIN, words=f"{_MOVING} answered, and the gate pins the version: name a version")
    known = answered | ({window.version} if window.version is not None else set())
    if len(known) > 1:
        code = Code.PIN if gate.pin else Code.VERSION_CHANGED
        names = ", ".join(sorted(known))
        return Reason(code=code, words=f"several versions of the function answered in this step: {names}")
    return None


def split_fault(window: Window, evidence: RouteEvidence) -> Reason | None:
    """Why the observed split of users does not fit the weight, or None."""
    share = window.weight.parts / FULL_SHARE
    mine, both = _sent(evidence)
    if not both:
        return None
    on_lambda, everywhere = sum(mine), sum(both)
    seen = on_lambda / everywhere
    if share in {0.0, 1.0}:
        fault = abs(seen - share) > _STRAY
    elif min(len(mine) - mine.count(0), len(mine) - sum(map(eq, mine, both))) < _FEW:
        fault = _too_few(share, len(mine), evidence)
    else:
        fault = abs(seen - share) - _SLACK * min(share, 1 - share) > _chance(mine, both, share)
    if not fault:
        return None
    words = f"{seen:.2%} of the requests are of users on Lambda, the weight is {share:.2%}: the split cannot be trusted"
    return Reason(code=Code.SPLIT, words=words)


def _sent(evidence: RouteEvidence) -> tuple[Sequence[int], Sequence[int]]:
    """For each bucket that was seen: its requests on Lambda, and on both sides."""
    one, other = evidence.lambda_.columns, evidence.legacy.columns
    if one.numbers == other.numbers:
        mine, both = one.requests, list(map(add, one.requests, other.requests))
    else:
        counts = dict.fromkeys((*one, *other), 0)
        sent = counts | dict(zip(one, one.requests, strict=True))
        mine = list(sent.values())
        both = list(map(add, mine, (counts | dict(zip(other, other.requests, strict=True))).values()))
    return (mine, both) if all(both) else (list(compress(mine, both)), list(compress(both, both)))


def _chance(mine: Sequence[int], both: Sequence[int], share: float) -> float:
    """How far the observed share may be from the weight by the draw of users alone."""
    on_lambda, total, buckets = sum(mine), sum(both), len(both)
    squares = sum(map(mul, both, both))
    products = total * total * sum(map(mul, mine, mine)) - 2 * total * on_lambda * sum(map(mul, mine, both))
    apart = products + on_lambda * on_lambda * squares  # whole numbers: nothing cancels
    variance = apart / total**4 * buckets / (buckets - 1)
    if variance <= 0:
        return 0.0
    freedom = total * total / squares - 1
    return sqrt(student(reach(1 / variance, _SLACK * min(share, 1 - share), _ALPHA / 2), freedom) * variance)


def _too_few(share: float, buckets: int, evidence: RouteEvidence) -> bool:
    """Whether so few buckets on one side are beyond chance, were there but one user in each bucket (there are more)."""
    for side, drawn in ((evidence.lambda_, share), (evidence.legacy, 1 - share)):
        expected, seen = drawn * buckets, side.buckets_seen
        rest = seen * log(seen / expected) if seen else 0.0
        if seen < expected and rest - seen + expected > log(1 / _ALPHA) + log(buckets):
            return True
    return False

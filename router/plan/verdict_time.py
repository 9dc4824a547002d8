"""How long a gate needs for a verdict on a step, when Lambda is as good as legacy is now.

The judge is asked about simulated users at ever later times until it passes: what it needs depends on how many users
and requests there are, how often legacy fails, and on every limit.
"""

import functools
import math
from dataclasses import dataclass, replace

from strangler_fig.units import FULL_SHARE

from ..gate.evidence import SideEvidence
from ..gate.judge import judge
from ..gate.values import Gate, Relation
from ..gate.verdict import Outcome, Verdict
from ..gate.window import Window
from ..release.values import Step
from ..simulation.counting import VERSION, Counting, RouteCounts
from ..simulation.crowd import crowd
from ..simulation.traffic import SideAssumption, Traffic
from ..weight import Weight

LONGEST_SECONDS = 60 * 86_400.0
"""Nobody waits longer for a verdict: what takes longer is said to take no end."""
_NEAR_ALL = 9_500
"""From this weight on legacy's last baseline may stand for its users, see `router.gate.judge`."""
ASSUMED_ERRORS = 0.001
ASSUMED_LATENCY_MS = 40.0
_GROWS = 1.25
_SEEDS = (1, 2, 3, 4, 5)
_LEAST_ERRORS = 0.0001


@dataclass(frozen=True, slots=True, kw_only=True)
class Demand:
    """What is known of a route's traffic; what is not known is None."""

    requests_per_second: float
    users: int
    errors: float | None = None
    latency_ms: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class VerdictTime:
    """From when on the gate passes a step for good, in seconds; None: not within `LONGEST_SECONDS`.

    `open`: the metrics that are not decided by then. `minimum_seconds`: how long the least requests take that the gate
    asks for, whatever they show. `is_doubtful`: with some users it is never, because too few of them are on one side.
    """

    seconds: float | None
    open: tuple[str, ...] = ()
    minimum_seconds: float = 0.0
    is_doubtful: bool = False


def verdict_time(gate: Gate, step: Step, place: tuple[int, int], demand: Demand) -> VerdictTime:
    """The median over a few simulated crowds. `place`: the step's index, of how many."""
    least = minimum_seconds(gate, step.weight, demand.requests_per_second)
    if least > LONGEST_SECONDS:
        return VerdictTime(seconds=None, minimum_seconds=least)
    plain = Step(number=0, kind=step.kind, weight=step.weight, hold_seconds=step.hold_seconds, holdback=step.holdback)
    return replace(_of_crowds(gate, plain, place, demand), minimum_seconds=least)


@functools.lru_cache(maxsize=256)
def _of_crowds(gate: Gate, step: Step, place: tuple[int, int], demand: Demand) -> VerdictTime:
    """The same for what alone decides of a step; the routes of a group often have the same answer."""
    runs = [_once(gate, step, place, _traffic(demand, seed)) for seed in _SEEDS]
    middle = sorted(runs, key=lambda run: run.seconds if run.seconds is not None else math.inf)[len(runs) // 2]
    return replace(middle, is_doubtful=any(run.seconds is None for run in runs))


def minimum_seconds(gate: Gate, weight: Weight, requests_per_second: float) -> float:
    """How long the side with fewer users takes to bring the requests that the gate asks for."""
    shares = [weight.parts / FULL_SHARE]
    if weight.parts < _NEAR_ALL and any(limit.relation is Relation.LEGACY for limit in gate.limits):
        shares.append(1 - shares[0])
    rate = requests_per_second * min(shares)
    return gate.minimum_requests / rate if rate else math.inf


def _traffic(demand: Demand, seed: int) -> Traffic:
    errors = ASSUMED_ERRORS if demand.errors is None else max(demand.errors, _LEAST_ERRORS)
    side = SideAssumption(errors=min(errors, 1.0), latency_ms=demand.latency_ms or ASSUMED_LATENCY_MS)
    return Traffic(
        requests_per_second=demand.requests_per_second, users=demand.users, legacy=side, lambda_=side, seed=seed
    )


def _once(gate: Gate, step: Step, place: tuple[int, int], traffic: Traffic) -> VerdictTime:
    """One crowd. A pass counts from when it lasts until the step may be left: at first few may be compared with."""
    counting = Counting(crowd(traffic, "plan"), traffic, "plan")
    baseline = _baseline(counting)
    counts, counted = RouteCounts(), 0.0
    elapsed, passes_since = max(gate.warm_up_seconds, 1.0), None
    verdict: Verdict | None = None
    while elapsed < LONGEST_SECONDS:
        elapsed = _next_look(elapsed, step.hold_seconds)
        lasting = elapsed - gate.warm_up_seconds - counted
        counts.add(counting.count(step.weight, lasting))
        counted += lasting
        window = Window(
            evidence=counts.evidence(),
            weight=step.weight,
            elapsed_seconds=elapsed,
            step=place[0],
            steps=place[1],
            version=VERSION,
            holdback=step.holdback > 0,
            baseline=baseline,
        )
        verdict = judge(gate, window)
        passes = verdict.outcome is Outcome.PASS
        passes_since = (elapsed if passes_since is None else passes_since) if passes else None
        if passes and elapsed >= step.hold_seconds:
            break
    findings = verdict.findings if verdict else ()
    undecided = tuple(one.metric.value for one in findings if one.outcome is not Outcome.PASS)
    return VerdictTime(seconds=passes_since, open=undecided)


def _next_look(elapsed: float, hold: float) -> float:
    """The next moment at which the judge is asked; the end of the hold is one of them."""
    later = min(elapsed * _GROWS, LONGEST_SECONDS)
    return hold if elapsed < hold < later else later


def _baseline(counting: Counting) -> SideEvidence:
    """Legacy's side of an earlier step that had an hour of everybody's traffic."""
    return counting.count(Weight(0), 3600.0).evidence().legacy

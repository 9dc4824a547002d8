"""How long a gate needs for a verdict on a step, when Lambda is as good as legacy is now.

The judge is asked about simulated users at ever later times until it passes: what it needs depends on how many users
and requests there are, how often legacy fails, and on every limit.
"""

from dataclasses import dataclass

from ..gate.evidence import SideEvidence
from ..gate.judge import judge
from ..gate.values import Gate
from ..gate.verdict import Outcome
from ..gate.window import Window
from ..release.values import Step
from ..simulation.counting import VERSION, Counting, RouteCounts
from ..simulation.crowd import crowd
from ..simulation.traffic import SideAssumption, Traffic
from ..weight import Weight

LONGEST_SECONDS = 60 * 86_400.0
ASSUMED_ERRORS = 0.001
ASSUMED_LATENCY_MS = 40.0
_GROWS = 1.25
_SEEDS = (1, 2, 3)
_LEAST_ERRORS = 0.0001


@dataclass(frozen=True, slots=True, kw_only=True)
class Demand:
    """What is known of a route's traffic; what is not known is None."""

    requests_per_second: float
    users: int
    errors: float | None = None
    latency_ms: float | None = None


def verdict_seconds(gate: Gate, step: Step, place: tuple[int, int], demand: Demand) -> float | None:
    """The median over a few simulated crowds; None: not within 60 days. `place`: the step's index, of how many."""
    found = sorted(_once(gate, step, place, _traffic(demand, seed)) for seed in _SEEDS)
    median = found[len(found) // 2]
    return median if median <= LONGEST_SECONDS else None


def _traffic(demand: Demand, seed: int) -> Traffic:
    errors = ASSUMED_ERRORS if demand.errors is None else max(demand.errors, _LEAST_ERRORS)
    side = SideAssumption(errors=min(errors, 1.0), latency_ms=demand.latency_ms or ASSUMED_LATENCY_MS)
    return Traffic(
        requests_per_second=demand.requests_per_second, users=demand.users, legacy=side, lambda_=side, seed=seed
    )


def _once(gate: Gate, step: Step, place: tuple[int, int], traffic: Traffic) -> float:
    counting = Counting(crowd(traffic, "plan"), traffic, "plan")
    baseline = _baseline(counting)
    counts, counted = RouteCounts(), 0.0
    elapsed = max(gate.warm_up_seconds, 1.0)
    while elapsed <= LONGEST_SECONDS:
        elapsed *= _GROWS
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
        if judge(gate, window).outcome is Outcome.PASS:
            return elapsed
    return elapsed


def _baseline(counting: Counting) -> SideEvidence:
    """Legacy's side of an earlier step that had an hour of everybody's traffic."""
    return counting.count(Weight(0), 3600.0).evidence().legacy

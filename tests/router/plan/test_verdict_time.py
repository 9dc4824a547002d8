"""How long a gate needs, held against the simulation of the very release, which looks as often as control does."""

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from statistics import median

import pytest

from router.gate.values import Gate
from router.gate.verdict import Outcome
from router.plan.verdict_time import LONGEST_SECONDS, Demand, minimum_seconds, verdict_time
from router.release.load import load_release_file
from router.release.windows import ALWAYS
from router.simulation.outcome import RouteRun
from router.simulation.run import Course, simulate
from router.simulation.traffic import SideAssumption, Traffic
from router.weight import Weight

EXAMPLE = Path(__file__).parents[3] / "examples/bookshop/releases/2026.11.2.yaml"
SIDE = SideAssumption(errors=0.001, latency_ms=40.0)


def passes_for_good(run: RouteRun, step: int) -> float:
    """From when on the simulated gate passed the step until it was left."""
    since = None
    for look in (one for one in run.looks if one.step == step):
        passes = look.verdict.outcome is Outcome.PASS
        since = (since or look.elapsed_seconds) if passes else None
    assert since is not None, "the step was left without a pass"
    return since


def test_the_plan_s_estimate_is_what_the_simulation_shows() -> None:
    """Each judged step of the example, the holdback's too: within a factor of two of the median of some crowds."""
    release = load_release_file(EXAMPLE, estate=None).release_or_refused()
    (ramp,) = release.ramps
    steps = tuple(replace(one, hold_seconds=min(one.hold_seconds, 600.0), glide_seconds=0.0) for one in ramp.steps)
    ramp = replace(ramp, steps=steps, windows=ALWAYS)  # what the gate says of its steps alone, without the days between
    release = replace(release, ramps=(ramp,))
    course = Course(begins=datetime(2026, 11, 2, 8, tzinfo=UTC))
    runs: list[RouteRun] = []
    for seed in (11, 12, 13):
        traffic = Traffic(requests_per_second=50.0, users=2000, legacy=SIDE, lambda_=SIDE, seed=seed)
        runs += simulate(release, traffic, course).runs
    demand = Demand(requests_per_second=50.0, users=2000, errors=0.001, latency_ms=40.0)
    judged = [index for index, step in enumerate(ramp.steps) if step.needs_pass]
    assert len(judged) == 3
    for index in judged:
        seen = median(passes_for_good(run, index) for run in runs)
        said = verdict_time(ramp.gate, ramp.steps[index], (index, len(ramp.steps)), demand).seconds
        assert said is not None
        assert seen / 2 <= said <= seen * 2, (str(ramp.steps[index]), said, seen)


@pytest.mark.parametrize(
    ("weight", "requests_per_second", "seconds"),
    [(500, 10.0, 200.0), (9000, 10.0, 100.0), (9900, 10.0, 100 / 9.9), (500, 0.0, float("inf"))],
)
def test_the_least_requests_come_from_the_side_with_fewer_users(
    weight: int, requests_per_second: float, seconds: float
) -> None:
    """Near 100 % legacy's last baseline may stand for its users, so that Lambda's count alone."""
    assert minimum_seconds(Gate(), Weight(weight), requests_per_second) == pytest.approx(seconds)
    assert minimum_seconds(Gate(minimum_requests=10**9), Weight(500), 50.0) > LONGEST_SECONDS

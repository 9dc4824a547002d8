"""Whole ramps of users who differ, judged again and again; small and seeded. The benchmark does it at full size."""

from dataclasses import replace
from random import Random

import pytest

from router.gate.evidence import Counts, RouteEvidence, SideEvidence
from router.gate.judge import judge
from router.gate.values import Gate, Metric
from router.gate.verdict import Outcome
from router.gate.window import Window
from router.weight import Weight

from .crowds import User, poisson, users

STEPS = (500, 2_000, 5_000)
LOOKS = (5, 15, 40, 80)
GATE = replace(
    Gate(), limits=tuple(one for one in Gate().limits if one.metric in {Metric.SERVER_ERRORS, Metric.FALLBACKS})
)


def rolled_back(random: Random, extra: float) -> bool:
    """Whether a ramp of 600 users is rolled back, when Lambda fails `extra` more often."""
    crowd = users(random, 600)
    for step, parts in enumerate(STEPS):
        counts: dict[tuple[bool, int], list[int]] = {}
        before = 0
        for minute in LOOKS:
            for user in crowd:
                _ask(random, counts, user, (user.slot < parts, minute - before, extra))
            before = minute
            window = Window(
                evidence=RouteEvidence(legacy=_side(counts, on_lambda=False), lambda_=_side(counts, on_lambda=True)),
                weight=Weight(parts),
                elapsed_seconds=minute * 60.0,
                step=step,
                steps=len(STEPS),
            )
            if judge(GATE, window).outcome is Outcome.FAIL:
                return True
    return False


def _ask(random: Random, counts: dict[tuple[bool, int], list[int]], user: User, how: tuple[bool, int, float]) -> None:
    on_lambda, minutes, extra = how
    requests = poisson(random, user.rate * minutes)
    failed = min(requests, poisson(random, requests * (user.failing + extra * on_lambda)))
    row = counts.setdefault((on_lambda, user.bucket), [0, 0])
    row[0] += requests
    row[1] += failed


def _side(counts: dict[tuple[bool, int], list[int]], *, on_lambda: bool) -> SideEvidence:
    buckets = {
        bucket: Counts(requests=requests, by_status={200: requests - failed, 500: failed})
        for (side, bucket), (requests, failed) in counts.items()
        if side is on_lambda
    }
    return SideEvidence(buckets=buckets)


@pytest.mark.parametrize(("extra", "least", "most"), [(0.0, 0, 0), (0.03, 18, 20)])
def test_unlucky_users_roll_nothing_back_and_a_worse_lambda_is(extra: float, least: int, most: int) -> None:
    """Of 20 ramps with a few users who fail everywhere none is rolled back; with three points more nearly all are."""
    found = sum(rolled_back(Random(seed), extra) for seed in range(20))  # noqa: S311 - a simulation
    assert least <= found <= most

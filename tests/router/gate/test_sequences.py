from math import exp, inf, isclose, log, sqrt
from random import Random

from hypothesis import given
from hypothesis import strategies as st

from router.gate.sequences import distinct, divergence, farthest, reach, student


def test_the_boundary_is_the_mixtures() -> None:
    """At an information of 100 targets the nearer of two mixtures decides, with half of alpha each."""
    level = log((2 / (2 * 0.01)) ** 2)
    assert isclose(reach(100.0, 1.0, 0.01), (1 + 1 / 100) * (log(101) + level))
    assert isclose(reach(0.1, 1.0, 0.01), (1 + 1 / 3.6) * (log(4.6) + level))


@given(st.floats(1e-6, 1e6), st.floats(1e-5, 0.1))
def test_looking_as_often_as_one_likes_costs_more_than_one_look(information: float, alpha: float) -> None:
    """The boundary is wider than that of a single test by Chernoff, whatever the information."""
    assert reach(information, 1.0, alpha) > 2 * log(1 / (2 * alpha))


def test_a_walk_crosses_the_boundary_no_more_often_than_alpha() -> None:
    """2,000 random walks of 300 steps, looked at after each: at most 5 % ever leave a 5 % boundary."""
    random = Random(1)  # noqa: S311 - a simulation
    squared = [reach(step, 0.2, 0.05) for step in range(1, 301)]
    crossed = 0
    for _ in range(2_000):
        place = 0.0
        for step in range(300):
            place += random.gauss(0, 1)
            if place > sqrt(squared[step] * (step + 1)):
                crossed += 1
                break
    assert 0 < crossed / 2_000 < 0.05


@given(st.floats(1.0, 40.0), st.floats(2.0, 1e6))
def test_an_estimated_variance_makes_the_boundary_wider(squared: float, freedom: float) -> None:
    """Student's boundary is never the narrower one, and has the chance that was asked for."""
    wide = student(squared, freedom)
    assert wide >= squared * (1 - 1e-9)
    assert isclose((1 + wide / freedom) ** (-freedom / 2), exp(-squared / 2), rel_tol=1e-3)


def test_without_degrees_of_freedom_nothing_is_known() -> None:
    """One bucket, or almost none, bounds nothing."""
    assert student(10.0, 0.0) == inf
    assert student(20.0, 0.3) == inf


def test_seven_buckets_where_a_twentieth_was_expected_are_beyond_chance() -> None:
    """Few failures decide when hardly any was expected, and never when as many were."""
    assert distinct(7, 0.05) > log(1e6)
    assert distinct(7, 7.0) < log(20)
    assert distinct(0, 0.0) == -inf


def test_unlucky_users_do_not_fool_the_count_of_buckets() -> None:
    """Buckets whose users fail ten times as often as others: at most 5 % of 1,000 ever reach an evidence of 20."""
    random, fooled = Random(2), 0  # noqa: S311 - a simulation
    for _ in range(1_000):
        hazards = [0.003 if random.random() < 0.1 else 0.0003 for _ in range(64)]
        firsts = sorted(random.expovariate(hazard) for hazard in hazards)
        mean = 64 * (0.1 * 0.003 + 0.9 * 0.0003)
        fooled += any(distinct(place + 1, mean * first) > log(20) for place, first in enumerate(firsts))
    assert fooled / 1_000 < 0.05


@given(st.floats(0.005, 0.5), st.floats(1e-6, 0.05))
def test_the_farthest_share_uses_up_its_budget(chance: float, budget: float) -> None:
    """Chernoff's bound, turned around: on the careful side of its budget by a hair, or at an end."""
    hair = 2 / 2**16
    above, below = farthest(chance, budget, above=True), farthest(chance, budget, above=False)
    for share, nearer in ((above, max(chance, above - hair)), (below, min(chance, below + hair))):
        assert share in {0.0, 1.0} or divergence(nearer, chance) <= budget <= divergence(share, chance) + 1e-12

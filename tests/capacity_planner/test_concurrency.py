"""Concurrency against what AWS prints, and how it behaves for any input."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from capacity_planner.arithmetic import down, number, up
from capacity_planner.concurrency import concurrency, protected_by, ramp_seconds

from .demands import LIMITS

RATES = st.floats(min_value=0, max_value=1e6)
SECONDS = st.floats(min_value=1e-4, max_value=900)


@pytest.mark.parametrize(
    ("rate", "seconds", "environments"),
    [
        (5_000, 0.2, 1_000),  # AWS Lambda Developer Guide, lambda-concurrency
        (100, 0.5, 50),  # the same page's first example
        (10, 3, 30),  # AWS Lambda Developer Guide of 2018, scaling.md
        (3_000, 0.5, 1_500),  # the talk of 2019
        (20_000, 0.05, 2_000),  # Little's law gives 1,000, the quota of 10 requests per second and environment 2,000
        (100, 30, 3_000),  # a slow mainframe and a timeout of 30 s
        (0, 0.5, 0),
    ],
)
def test_published_examples(rate: float, seconds: float, environments: int) -> None:
    """Rate times duration, or a tenth of the rate, whichever is more."""
    assert concurrency(rate, seconds, LIMITS).environments == environments


@pytest.mark.parametrize(("environments", "seconds"), [(1, 10), (1_000, 10), (1_500, 20), (3_000, 30), (10_000, 100)])
def test_ramp_from_cold(environments: int, seconds: int) -> None:
    """A function gets 1,000 environments every ten seconds."""
    assert ramp_seconds(environments, LIMITS) == seconds


def test_reserved_concurrency_that_protects_a_database() -> None:
    """400 sessions, one for each environment: 400; three for each: 133."""
    assert protected_by(400, 1) == 400
    assert protected_by(400, 3) == 133


@given(RATES, RATES, SECONDS)
def test_more_requests_never_need_less(one: float, other: float, seconds: float) -> None:
    """Concurrency does not fall when the rate rises."""
    less, more = sorted((one, other))
    assert concurrency(less, seconds, LIMITS).environments <= concurrency(more, seconds, LIMITS).environments


@given(RATES, SECONDS, SECONDS)
def test_slower_requests_never_need_less(rate: float, one: float, other: float) -> None:
    """Concurrency does not fall when requests take longer."""
    less, more = sorted((one, other))
    assert concurrency(rate, less, LIMITS).environments <= concurrency(rate, more, LIMITS).environments


@given(RATES, SECONDS)
def test_both_bounds_hold(rate: float, seconds: float) -> None:
    """What is answered carries the requests in flight and the requests per second, and one less would not."""
    found = concurrency(rate, seconds, LIMITS).environments
    assert found >= rate * seconds - 1e-3
    assert found * 10 >= rate - 1e-3
    assert found <= max(rate * seconds, rate / 10) + 1


@pytest.mark.parametrize(("value", "ceiling", "floor"), [(30 * 0.1, 3, 3), (2.5, 3, 2), (7, 7, 7), (0.1 + 0.2, 1, 0)])
def test_rounding_ignores_the_last_bit(value: float, ceiling: int, floor: int) -> None:
    """30 x 0.1 is 3 in both directions, though floating point says a little more."""
    assert up(value) == ceiling
    assert down(value) == floor


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (1_500, "1,500"),
        (0.5, "0.5"),
        (2.9375, "2.938"),
        (470.53, "470.5"),
        (1234.5, "1,234"),
        (math.inf, "unbounded"),
    ],
)
def test_numbers_as_people_read_them(value: float, text: str) -> None:
    """Thousands are set apart and needless decimals left out."""
    assert number(value) == text

import pytest

from router.gate.values import DEFAULT_LIMITS, Gate, Harm, Limit, Metric, Relation

ABSOLUTE = Relation.ABSOLUTE


@pytest.mark.parametrize(
    "make",
    [
        lambda: Limit(metric=Metric.SERVER_ERRORS, limit=0.0, tolerated=0.0),
        lambda: Limit(metric=Metric.SERVER_ERRORS, limit=0.01, tolerated=0.02),
        lambda: Limit(metric=Metric.SERVER_ERRORS, limit=1.5, tolerated=0.0),
        lambda: Limit(metric=Metric.LATENCY_P99, limit=1.0, tolerated=1.0),
        lambda: Limit(metric=Metric.LATENCY_P99, limit=1.5, tolerated=0.9),
        lambda: Limit(metric=Metric.LATENCY_P99, limit=1.5, tolerated=1.2, harm=Harm.ANY),
        lambda: Limit(metric=Metric.PARITY, limit=0.01, tolerated=0.01),
        lambda: Limit(metric=Metric.COLD_P95, limit=2.0, tolerated=1.5),
        lambda: Limit(metric=Metric.REDIRECTS, limit=0.1, tolerated=0.1, relation=ABSOLUTE, harm=Harm.ANY),
        lambda: Gate(limits=()),
        lambda: Gate(limits=(DEFAULT_LIMITS[0], DEFAULT_LIMITS[0])),
        lambda: Gate(minimum_users=65),
        lambda: Gate(minimum_requests=0),
        lambda: Gate(alpha=0.0),
        lambda: Gate(beta=0.9),
        lambda: Gate(stale_after_seconds=0.0),
    ],
)
def test_a_gate_that_can_never_decide_is_refused(make: object) -> None:
    """Limits and gates that make no sense are a `ValueError` where they are made."""
    with pytest.raises(ValueError, match=r"\w"):
        make()  # type: ignore[operator] # a lambda


def test_a_gate_says_whether_it_needs_parity() -> None:
    """Only a gate that limits parity needs a route that compares answers."""
    parity = Limit(metric=Metric.PARITY, limit=0.01, tolerated=0.005, relation=ABSOLUTE)
    assert not Gate().needs_parity
    assert Gate(limits=(*DEFAULT_LIMITS, parity)).needs_parity


def test_the_defaults_look_at_everything_that_every_route_has() -> None:
    """Each metric has a default limit but the two that need a marked cold start or a comparison."""
    assert set(Metric) - {limit.metric for limit in DEFAULT_LIMITS} == {Metric.COLD_P95, Metric.PARITY}

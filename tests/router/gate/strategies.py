"""Evidence of any kind, for property tests: drawn by seed, because piece by piece it takes hypothesis too long."""

from random import Random

from hypothesis import strategies as st

from router.gate.evidence import BUCKETS, FOLDS, Counts, Histogram, Parity, Reading, RouteEvidence, SideEvidence

BOUNDS = (1.0, 5.0, 25.0)


def _counts(random: Random) -> Counts:
    return Counts(
        requests=random.randrange(50),
        by_status={
            status: random.randrange(1, 50) for status in random.sample((200, 302, 404, 500), random.randrange(4))
        },
        fallbacks=random.randrange(3),
        throttles=random.randrange(3),
        timeouts=random.randrange(3),
        response_bytes=random.randrange(10_000),
    )


def _folds(random: Random) -> dict[int, Histogram]:
    return {
        fold: Histogram(bounds=BOUNDS, counts=tuple(random.randrange(20) for _ in range(len(BOUNDS) + 1)))
        for fold in random.sample(range(FOLDS), random.randrange(4))
    }


def _side(random: Random) -> SideEvidence:
    compared = random.randrange(20)
    return SideEvidence(
        buckets={bucket: _counts(random) for bucket in random.sample(range(BUCKETS), random.randrange(4))},
        latency=_folds(random),
        cold_latency=_folds(random),
        executed_versions={name: 1 for name in ("41", "42", "$LATEST") if random.random() < 0.5},
        parity=Parity(compared=compared, different=random.randint(0, compared)),
    )


def _evidence(seed: int) -> RouteEvidence:
    random = Random(seed)  # noqa: S311 - a simulation
    return RouteEvidence(legacy=_side(random), lambda_=_side(random))


evidence = st.integers(0, 2**32).map(_evidence)
readings = st.builds(
    Reading,
    node=st.just("router-1"),
    epoch=st.just("a"),
    weights_version=st.integers(0, 9),
    at=st.floats(0, 2e9),
    routes=st.dictionaries(st.sampled_from(("books", "carts")), evidence, max_size=2),
)

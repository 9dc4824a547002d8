"""Evidence of any kind, for property tests."""

from hypothesis import strategies as st

from router.gate.evidence import BUCKETS, FOLDS, Counts, Histogram, Parity, Reading, RouteEvidence, SideEvidence

BOUNDS = (1.0, 5.0, 25.0)
_FEW = st.integers(0, 50)

counts = st.builds(
    Counts,
    requests=_FEW,
    by_status=st.dictionaries(st.sampled_from((200, 302, 404, 500)), st.integers(1, 50)),
    fallbacks=_FEW,
    throttles=_FEW,
    timeouts=_FEW,
    response_bytes=_FEW,
)
histograms = st.builds(Histogram, bounds=st.just(BOUNDS), counts=st.tuples(_FEW, _FEW, _FEW, _FEW))
folds = st.dictionaries(st.integers(0, FOLDS - 1), histograms, max_size=3)
parities = st.builds(lambda same, different: Parity(compared=same + different, different=different), _FEW, _FEW)
sides = st.builds(
    SideEvidence,
    buckets=st.dictionaries(st.integers(0, BUCKETS - 1), counts, max_size=4),
    latency=folds,
    cold_latency=folds,
    executed_versions=st.dictionaries(st.sampled_from(("41", "42", "$LATEST")), st.integers(1, 50)),
    parity=parities,
)
evidence = st.builds(RouteEvidence, legacy=sides, lambda_=sides)
readings = st.builds(
    Reading,
    node=st.just("router-1"),
    epoch=st.just("a"),
    weights_version=st.integers(0, 9),
    at=st.floats(0, 2e9),
    routes=st.dictionaries(st.sampled_from(("books", "carts")), evidence, max_size=2),
)

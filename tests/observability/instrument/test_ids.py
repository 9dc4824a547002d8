"""Ids are of the environment's own, wherever its memory came from."""

import random

from observability.instrument.ids import Ids


def test_two_environments_of_one_snapshot_differ() -> None:
    """With the same state of `random`, as after SnapStart's restore, ids are others; none is 0."""
    found = set()
    for _ in range(2):
        random.seed(7)
        found |= {Ids().generate_trace_id(), Ids().generate_span_id()}
    assert len(found) == 4
    assert 0 not in found

from pathlib import Path

import pytest

from benchmarks.soak_adapters import report, soak


@pytest.mark.timeout(300)
def test_ten_seconds_of_everything_that_breaks(tmp_path: Path) -> None:
    """Eight environments: no wrong answer, none later than its deadline, no error without a cause, nothing left."""
    tally = soak(10.0, 1, tmp_path)
    assert tally.is_clean, report(tally)
    assert tally.answers > 50, report(tally)
    assert len(tally.faults) == 5, report(tally)

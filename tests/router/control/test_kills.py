"""kill -9 at any moment of a ramp."""

import asyncio
from pathlib import Path

import pytest

from .kills import faults, kill_often


@pytest.mark.timeout(300)  # ten starts of a process, on a machine that may be busy
@pytest.mark.parametrize("seed", [1, 2])
def test_a_control_that_is_killed_goes_on_from_the_same_step(tmp_path: Path, seed: int) -> None:
    """After ten kills at random moments every step was made once, in order, and recorded before any node had it."""
    killed, entries, found = asyncio.run(kill_often(tmp_path, 10, seed))
    assert killed.kills == 10
    assert faults(killed, entries, found) == []

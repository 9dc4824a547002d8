"""Two nodes and one control, as real processes: the figures of the fleet hold at the application that they protect."""

from pathlib import Path

import pytest

from .networks import are_possible, run_inside
from .stories import STORIES

pytestmark = pytest.mark.timeout(450)


@pytest.mark.parametrize("story", STORIES)
def test_the_fleets_figures_hold(story: str, tmp_path: Path) -> None:
    """Each story ends well: see `stories.py`, where it is told."""
    if not are_possible():
        pytest.skip("this system gives its users no network namespaces, and two nodes need two addresses")
    code, said = run_inside(story, tmp_path, seconds=400)
    assert code == 0, said[-6000:]

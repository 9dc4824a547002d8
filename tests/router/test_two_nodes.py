"""Two real nodes behind one VIP, with a real control: how they differ while a weight moves, and that nobody swings."""

import json
import math
import subprocess
import sys
from pathlib import Path

import pytest

SCRIPT = Path(__file__).parents[2] / "benchmarks" / "two_nodes.py"
SHIFTS = 6


@pytest.mark.timeout(300)  # two whole estates' worth of processes, on a machine that may be busy with other tests
def test_no_user_swings_but_while_the_nodes_follow(capsys: pytest.CaptureFixture[str]) -> None:
    """Over shifts up and down, a publish and the way back no request fails, and every side is explained by a weight
    that was in force or on its way; the time in which the nodes differed is measured, and it ends.
    """  # noqa: D205
    command = [sys.executable, str(SCRIPT), "--shifts", str(SHIFTS), "--json"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        try:
            output, errors = process.communicate(timeout=260)
        except BaseException:
            process.terminate()  # it ends everything that it started
            raise
    if "refuses them" in errors:
        pytest.skip(errors.strip())
    assert process.returncode == 0, errors
    seen = json.loads(output)
    with capsys.disabled():
        print(f"\n{json.dumps(seen, indent=1)}")  # noqa: T201 - the measurement
    assert seen["failed"] == {}
    assert seen["bounced"] == 0
    assert seen["shifts"] == seen["in_force"] == SHIFTS
    assert all(count > 100 for count in [*seen["by_node"], seen["answered"]["legacy"], seen["answered"]["lambda"]])
    assert len(seen["differed_at_most_ms"]) == SHIFTS
    assert all(0 < most < math.inf for most in seen["differed_at_most_ms"])

"""How soon everybody is back on legacy when a function begins to fail at 5 %: the whole way, on the bookshop.

    python benchmarks/breaker.py [--times 5]

Envoy counts, the node reads once a second, control judges what arrives, the node puts weight 0 in force. Measured in
Envoy's own access log, from the first request that the function failed to the last one that was meant for it.
"""

import argparse
import json
import statistics
import sys
import tempfile
from datetime import UTC, datetime
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent))  # a script's folder is on the path, the repository's is not

from tests.examples.test_bookshop_faults import Traffic
from tests.examples.test_bookshop_release import fail, has_ended, is_judged, seconds_to_leave, write
from tests.examples.test_bookshop_up import fig, until, up

GOAL_SECONDS = 2.0


def measured(folder: Path) -> float:
    """The seconds of one release that a failing function ends."""
    with up(folder) as running, Traffic(running.addresses["entry"], users=100).running():
        write(folder, "1h", limit="0.5%")
        started = fig("apply", "release.plan", "--detach", folder=folder)
        if started.returncode:
            raise SystemExit(started.stderr)
        until(lambda: is_judged(folder))
        since = datetime.now(UTC)
        fail(running)
        if not has_ended(folder):
            raise SystemExit("the release was not rolled back")
        return seconds_to_leave(folder, since)


def main() -> None:
    """Measure, and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--times", type=int, default=5)
    parser.add_argument("--json", action="store_true")
    asked = parser.parse_args()
    found = []
    for _ in range(asked.times):
        with tempfile.TemporaryDirectory() as folder:
            found.append(measured(Path(folder)))
    result = {"seconds": found, "median": statistics.median(found), "most": max(found), "goal": GOAL_SECONDS}
    if asked.json:
        sys.stdout.write(json.dumps(result) + "\n")
        return
    sys.stdout.write(f"at weight 0 after {', '.join(f'{one:.2f}' for one in found)} s; goal {GOAL_SECONDS:g} s\n")


if __name__ == "__main__":
    main()

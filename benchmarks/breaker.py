"""How soon everybody is back on legacy when a function begins to fail at 5 %: the whole way, on the bookshop.

    python benchmarks/breaker.py [--times 3] [--limit 5%]

Envoy counts, the node reads and tells of failures at once, control judges what arrives, the node puts 0 in force.
Measured in Envoy's own access log, up to the last request that was meant for the function: from the first request that
it failed; from the one that made the failing users enough to prove a disaster, which is as soon as anybody can tell;
and from control's decision.
"""

import argparse
import json
import statistics
import sys
import tempfile
from dataclasses import asdict
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent))  # a script's folder is on the path, the repository's is not

from strangler_fig.units import FULL_SHARE, share
from tests.examples.test_bookshop_faults import Traffic
from tests.examples.test_bookshop_release import Left, rolled_back, start, switch
from tests.examples.test_bookshop_up import Up, up

GOAL_SECONDS = 2.0


def measured(running: Up, number: int, limit: str) -> Left:
    """How one release that a failing function ends was left."""
    with Traffic(running.addresses["entry"], users=100).running():
        start(running.folder, f"fails-{number}", "1h", limit=limit)
        left = rolled_back(running, f"fails-{number}", share(limit) / FULL_SHARE)
    switch(running, "none")
    return left


def main() -> None:
    """Measure, and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--times", type=int, default=3)
    parser.add_argument("--limit", default="5%", help="The gate's limit on failed requests above legacy's.")
    parser.add_argument("--json", action="store_true")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder, up(Path(folder)) as running:
        found = [measured(running, number, asked.limit) for number in range(asked.times)]
    if asked.json:
        sys.stdout.write(json.dumps({"left": [asdict(one) for one in found], "goal": GOAL_SECONDS}) + "\n")
        return
    names = {"first": "the first failure", "enough": "failing users enough", "decided": "control's decision"}
    for name, words in names.items():
        seconds = [float(getattr(one, name)) for one in found]
        runs = ", ".join(f"{one:.2f}" for one in seconds)
        sys.stdout.write(f"at weight 0 after {words}: {statistics.median(seconds):.2f} s ({runs})\n")
    sys.stdout.write(f"goal: {GOAL_SECONDS:g} s; users that it failed: {', '.join(str(one.users) for one in found)}\n")


if __name__ == "__main__":
    main()

"""Kills control for longer than the suite has time for: `python -m tests.router.control.kill_soak --kills 300`."""

import argparse
import asyncio
import sys
import tempfile
from pathlib import Path

from .kills import STEPS, faults, kill_often


def main() -> None:
    """Kill as often as is asked, and say what was wrong."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--kills", type=int, default=300)
    parser.add_argument("--seed", type=int, default=1)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        killed, entries, found = asyncio.run(kill_often(Path(folder), asked.kills, asked.seed))
    wrong = faults(killed, entries, found)
    ended = sum(entry["kind"] == "completed" for entry in entries)
    text = f"control was killed {killed.kills} times; {ended} ramps of {STEPS} steps completed; faults: {len(wrong)}"
    sys.stdout.write("\n".join([text, *wrong]) + "\n")
    sys.exit(1 if wrong else 0)


if __name__ == "__main__":
    main()

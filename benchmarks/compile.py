"""How long `fig check` and `fig compile` take, and how much memory, as whole processes.

    python benchmarks/compile.py [ROUTES] [RUNS]

The budget is for both together at 10,000 routes: 2 s of processor time and 300 MB.
"""

import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent))  # a script's folder is on the path, the repository's is not

from benchmarks.estates import large_estate

FIG = Path(sys.executable).parent / "fig"
BUDGET_SECONDS = 2.0
BUDGET_MB = 300.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Cost:
    """What one process took: wall clock and processor seconds, and its peak resident memory in MB."""

    wall: float
    cpu: float
    peak_mb: float


def cost(command: Sequence[str | Path]) -> Cost:
    """Run the command to its end and say what it took. Raises `SystemExit` when it fails."""
    started = time.perf_counter()
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    _pid, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        message = f"{command} ended with {process.returncode}"
        raise SystemExit(message)
    wall = time.perf_counter() - started
    return Cost(wall=wall, cpu=usage.ru_utime + usage.ru_stime, peak_mb=usage.ru_maxrss / 1024)


def main(routes: int = 10_000, runs: int = 5) -> None:
    """Print the medians as a table."""
    with tempfile.TemporaryDirectory() as folder:
        estate, output = Path(folder) / "estate.yaml", Path(folder) / "snapshots"
        estate.write_text(large_estate(routes), encoding="utf-8")
        taken: dict[str, list[Cost]] = {"fig check": [], "fig compile": []}
        for _run in range(runs):
            taken["fig check"].append(cost([FIG, "check", estate]))
            shutil.rmtree(output, ignore_errors=True)
            taken["fig compile"].append(cost([FIG, "compile", estate, "-o", output]))
    print(f"{routes:,} routes, medians of {runs} whole processes, Python {sys.version.split()[0]}\n")
    print(f"{'command':<14} {'wall s':>8} {'cpu s':>8} {'peak MB':>8}")
    medians = {name: _median(costs) for name, costs in taken.items()}
    for name, median in medians.items():
        print(f"{name:<14} {median.wall:>8.2f} {median.cpu:>8.2f} {median.peak_mb:>8.0f}")
    total, peak = sum(one.cpu for one in medians.values()), max(one.peak_mb for one in medians.values())
    print(f"{'both':<14} {'':>8} {total:>8.2f} {peak:>8.0f}   budget {BUDGET_SECONDS:.0f} s, {BUDGET_MB:.0f} MB")


def _median(costs: Sequence[Cost]) -> Cost:
    return Cost(
        wall=statistics.median(one.wall for one in costs),
        cpu=statistics.median(one.cpu for one in costs),
        peak_mb=statistics.median(one.peak_mb for one in costs),
    )


if __name__ == "__main__":
    main(*(int(argument) for argument in sys.argv[1:]))

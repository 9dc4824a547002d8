"""How long the planner takes to start, and to read, size and judge a demand of 5,000 functions.

    python benchmarks/planner_demand.py [FUNCTIONS] [RUNS]

`fig cidr size` is measured as whole processes from a cold start; the rest inside one process, as processor time.
"""

import gc
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import TypeVar

sys.path.insert(0, str(Path(__file__).parent.parent))  # a script's folder is on the path, the repository's is not

from benchmarks.compile import cost
from capacity_planner.demand.load import load_demand_file
from capacity_planner.limits.catalogue import load
from capacity_planner.path.judge import judge
from capacity_planner.spoke import spoke_needs
from capacity_planner.verdict.document import document, render
from capacity_planner.whatif.sweep import sweep

FIG = Path(sys.executable).parent / "fig"
GENERATOR = Path(__file__).parent.parent / "examples" / "bank" / "generate.py"
SIZE = ["cidr", "size", "--rps", "3000", "--duration", "500ms", "--memory", "1536", "--azs", "3"]
BUDGET_START_SECONDS = 0.4
BUDGET_DEMAND_SECONDS = 1.0

Value = TypeVar("Value")


def main(functions: int = 5_000, runs: int = 5) -> None:
    """Print the medians as a table."""
    starts = [cost([FIG, *SIZE]) for _run in range(runs)]
    wall, cpu = (statistics.median(getattr(one, name) for one in starts) for name in ("wall", "cpu"))
    print(f"fig cidr size: {wall:.2f} s wall, {cpu:.2f} s cpu; budget {BUDGET_START_SECONDS} s\n")
    with tempfile.TemporaryDirectory() as folder:
        script = [sys.executable, str(GENERATOR), folder, "--functions", str(functions)]
        subprocess.run(script, check=True)
        taken = [_once(Path(folder) / "demand.yaml") for _run in range(runs)]
    print(f"{functions:,} functions, medians of {runs}\n")
    print(f"{'step':<28} {'cpu s':>8}")
    for name in taken[0]:
        print(f"{name:<28} {statistics.median(one[name] for one in taken):>8.2f}")
    total = statistics.median(one["read"] + one["size"] + one["judge"] for one in taken)
    print(f"{'read, size and judge':<28} {total:>8.2f}   budget {BUDGET_DEMAND_SECONDS} s")


def _once(file: Path) -> dict[str, float]:
    """Processor seconds of each step."""
    seconds: dict[str, float] = {}

    def timed(name: str, step: Callable[[], Value]) -> Value:
        gc.collect()
        started = time.process_time()
        found = step()
        seconds[name] = time.process_time() - started
        return found

    limits = load()
    demand = timed("read", lambda: load_demand_file(file, environment={}).demand_or_refused())
    timed("size", lambda: spoke_needs(demand, limits))
    timed("judge", lambda: judge(demand, limits))
    timed("verdict document", lambda: render(document(demand, limits, as_of=date(2026, 1, 1))))
    timed("whatif 1..10", lambda: sweep(demand, limits, 1, 10))
    return seconds


if __name__ == "__main__":
    main(*map(int, sys.argv[1:3]))

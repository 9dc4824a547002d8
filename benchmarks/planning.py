"""How long `fig cidr plan` takes for 5,000 functions among 5,000 blocks in use, and `fig cidr size` from a cold start.

    python benchmarks/planning.py [FUNCTIONS] [RUNS]

Whole processes, imports included. The budgets: 2 s to plan, 0.4 s to size.
"""

import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent))  # a script's folder is on the path, the repository's is not

from benchmarks.compile import FIG, Cost, cost

_BANK = Path(__file__).parent.parent / "examples/bank/generate.py"
_SIZE = ("size", "--rps", "3000", "--duration", "500ms", "--memory", "1536", "--azs", "3")


def main(functions: int = 5_000, runs: int = 5) -> None:
    """Print the medians as a table."""
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        subprocess.run([sys.executable, _BANK, folder, "--functions", str(functions)], check=True)
        plan, demand, used = folder / "plan.json", folder / "demand.yaml", folder / "allocations.csv"
        asked = ("plan", demand, "--existing", used, "-o", plan)
        commands: dict[str, tuple[tuple[str | Path, ...], float | None]] = {
            "plan, from nothing": ((*asked, "--anew"), 2.0),
            "plan, from the plan before": (asked, 2.0),
            "show, as a picture": (("show", plan, "--format", "svg"), None),
            "show, as tfvars": (("show", plan, "--format", "tfvars"), None),
            "size, cold": (_SIZE, 0.4),
        }
        taken: dict[str, list[Cost]] = {name: [] for name in commands}
        for _run in range(runs):
            for name, (arguments, _budget) in commands.items():
                taken[name].append(cost([FIG, "cidr", *arguments]))
        size_mb = plan.stat().st_size / 1e6
    print(
        f"{functions:,} functions, 5,000 blocks in use, a plan of {size_mb:.1f} MB; medians of {runs} whole processes"
    )
    print(f"Python {sys.version.split()[0]}\n")
    print("| fig cidr | wall s | CPU s | peak MB | budget s |")
    print("|---|---:|---:|---:|---:|")
    for name, costs in taken.items():
        wall = statistics.median(one.wall for one in costs)
        cpu = statistics.median(one.cpu for one in costs)
        peak = statistics.median(one.peak_mb for one in costs)
        budget = commands[name][1]
        print(f"| {name} | {wall:.2f} | {cpu:.2f} | {peak:.0f} | {'' if budget is None else f'{budget:.1f}'} |")


if __name__ == "__main__":
    main(*(int(argument) for argument in sys.argv[1:]))

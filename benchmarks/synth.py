"""How long `fig infra synth`, `check` and `diagram` take for a hub, three spokes (one of each way) and both fleets.

    python benchmarks/synth.py [RUNS]

Whole processes, imports and Node included. The budget: 15 s to synthesise. What is checked stands beside it, without
one: cfn-lint takes nearly all of its time.
"""

import json
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent))  # a script's folder is on the path, the repository's is not

from benchmarks.compile import FIG, Cost, cost

_TOPOLOGY = Path(__file__).parent.parent / "tests/infra"


def main(runs: int = 3) -> None:
    """Print the medians as a table."""
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        plan, capacity, templates = folder / "plan.json", folder / "capacity.json", folder / "templates"
        made: tuple[tuple[str | Path, ...], ...] = (
            ("cidr", "plan", _TOPOLOGY / "demand.yaml", "-o", plan),
            ("cidr", "verdict", _TOPOLOGY / "demand.yaml", "-o", capacity),
            ("compile", _TOPOLOGY / "estate.yaml", "-o", folder / "compiled"),
        )
        for arguments in made:
            subprocess.run([FIG, *arguments], check=True, capture_output=True)
        planned = ("--plan", plan, "--capacity", capacity)
        more = ("--estate", folder / "compiled", "--settings", _TOPOLOGY / "infra.yaml", "-o", templates)
        commands: dict[str, tuple[tuple[str | Path, ...], float | None]] = {
            "synth": (("synth", *planned, *more), 15.0),
            "check": (("check", templates, *planned), None),
            "diagram": (("diagram", *planned, "-o", folder / "topology.svg"), None),
        }
        taken: dict[str, list[Cost]] = {name: [] for name in commands}
        for _run in range(runs):
            for name, (arguments, _budget) in commands.items():
                taken[name].append(cost([FIG, "infra", *arguments]))
        stacks = json.loads((templates / "stacks.json").read_text(encoding="utf-8"))["stacks"]
        texts = [(templates / f"{one['name']}.json").read_text(encoding="utf-8") for one in stacks]
    count = sum(len(json.loads(text)["Resources"]) for text in texts)
    print(f"{len(stacks)} stacks, {count} resources; medians of {runs} whole processes")
    print(f"Python {sys.version.split()[0]}\n")
    print("| fig infra | wall s | CPU s | peak MB | budget s |")
    print("|---|---:|---:|---:|---:|")
    for name, costs in taken.items():
        wall = statistics.median(one.wall for one in costs)
        cpu = statistics.median(one.cpu for one in costs)
        peak = statistics.median(one.peak_mb for one in costs)
        budget = commands[name][1]
        print(f"| {name} | {wall:.1f} | {cpu:.1f} | {peak:.0f} | {'' if budget is None else f'{budget:.0f}'} |")


if __name__ == "__main__":
    main(*(int(argument) for argument in sys.argv[1:]))

"""What blocks in bulk cost: parsing, overlaps, collapsing and free blocks, side by side with the usual libraries.

    python benchmarks/addresses.py [RUNS]

Processor time on one core, parsing included but where it says "built"; medians of several rounds, each library in a
child process of its own, one after the other. The million blocks are a child process, too, for their peak memory.
pytricia and py-radix are tries in C, and see no exact duplicate; adjacent pairs of sorted networks say whether blocks
overlap, not which and how many. Ours counts all pairs, duplicates too.
"""

import json
import math
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

ROUNDS = Path(__file__).with_name("address_rounds.py")
PEERS = Path(__file__).parent.parent / ".venv" / "peers" / "bin" / "python"
MANY = 100_000
MOST = 1_000_000
LIBRARIES = ("ours", "ipaddress", "netaddr", "pytricia", "py-radix")
GOALS_LOAD_MS = 342.0  # what ipaddress takes to load 100,000 on the machine that the goals were set on

GOALS_MS = {
    "load": 120.0,
    "load CSV with places": 400.0,
    "overlap": 250.0,
    "collapse": 250.0,
    "first free /24": 20.0,
    "build a pool": math.inf,
    "built: first free /24": 5.0,
    "built: 1,000 allocations": 50.0,
}
GOAL_MILLION_MS = 4_000.0
GOAL_MILLION_MB = 500.0


def rounds(library: str, size: int, runs: int, *operations: str) -> dict[str, Any] | None:
    """What a library's child process measured; None where the library is not installed."""
    python = PEERS if library not in ("ours", "ipaddress") else Path(sys.executable)
    if not python.exists():
        return None
    core = str(min(os.sched_getaffinity(0)))
    command: list[str | Path] = ["taskset", "--cpu-list", core, python, ROUNDS, library, str(size), str(runs)]
    done = subprocess.run([*command, *operations], capture_output=True, text=True, check=False)
    if done.returncode and "ModuleNotFoundError" in done.stderr:
        return None
    if done.returncode:
        message = f"{library}: {done.stderr}"
        raise SystemExit(message)
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def table(found: dict[str, dict[str, Any] | None], slower: float) -> Iterator[str]:
    """The operations as rows, the libraries as columns, and the goals; `slower`: than the machine of the goals."""
    yield f"{'CPU ms':<26}" + "".join(f"{name:>11}" for name in found) + f"{'goal':>9}"
    for name, goal in GOALS_MS.items():
        cells = []
        for library in found.values():
            one = library["operations"].get(name) if library else None
            cells.append(f"{one['ms']:>11.1f}" if one else f"{'-':>11}")
        ours = found["ours"]
        taken = ours["operations"][name]["ms"] if ours else math.inf
        at_speed = " at its machine's speed" if goal < taken <= goal * slower else ""
        word = "kept" if taken <= goal or at_speed else "missed"
        verdict = "" if goal == math.inf else f"{goal:>9.0f} {word}{at_speed}"
        yield f"{name:<26}{''.join(cells)}{verdict}"


def main(runs: int = 5) -> None:
    """Print the tables."""
    found = {library: rounds(library, MANY, runs) for library in LIBRARIES}
    agree(found)
    print(f"{MANY:,} blocks (free: 20,000 in 10.0.0.0/8), medians of {runs}, Python {sys.version.split()[0]}\n")
    reference = found["ipaddress"]
    slower = reference["operations"]["load"]["ms"] / GOALS_LOAD_MS if reference else 1.0
    print("\n".join(table(found, slower)))
    print(f"\nipaddress loads {slower:.1f} times as slowly here and now as on the machine of the goals")
    missing = [library for library, one in found.items() if one is None]
    if missing:
        print(f"\nnot installed: {', '.join(missing)}; make bench installs what it can")
    million = rounds("ours", MOST, 1, "overlap")
    tries = {library: rounds(library, MOST, 1, "overlap") for library in ("pytricia", "py-radix") if found[library]}
    print(f"\n{MOST:,} blocks, overlaps counted exactly, parsing included, one round, whole process")
    for library, one in {"ours": million, **tries}.items():
        if one:
            print(f"{library:<26}{one['operations']['overlap']['ms']:>11.0f} ms{one['peak_mb']:>9.0f} MB")
    print(f"{'goal':<26}{GOAL_MILLION_MS:>11.0f} ms{GOAL_MILLION_MB:>9.0f} MB")


def agree(found: dict[str, dict[str, Any] | None]) -> None:
    """Refuse figures of libraries that answer differently: one of them would measure something else."""
    for name in GOALS_MS:
        answers = {
            library: one["operations"][name]["answer"]
            for library, one in found.items()
            if one and name in one["operations"]
        }
        if len(set(answers.values())) > 1:
            message = f"{name}: the libraries do not agree: {answers}"
            raise SystemExit(message)


if __name__ == "__main__":
    main(*(int(argument) for argument in sys.argv[1:]))

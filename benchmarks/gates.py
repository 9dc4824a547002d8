"""False rollbacks when both sides are equal, and the time until a regression is caught: this gate and others', on the
same simulated ramps.

    python benchmarks/gates.py [--ramps 10000] [--quick] [--seed 1] [--processes 2]

A ramp has five steps in six hours (`gate_traffic.STEPS`), on a schedule that no gate changes but by a rollback. This
gate looks after each of the first twenty minutes of a step and every third then, 215 times in all; the others as often
as their documentation says. Medians are over all ramps, those that are never caught among them. Each regression has a
tenth as many ramps as the equal sides. numpy is among the peers: without it this runs itself with their Python.
"""

import argparse
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parent.parent
PEERS = ROOT / ".venv" / "peers" / "bin" / "python"
OURS = "this gate"
sys.path.insert(0, str(ROOT))  # a script's folder is on the path, the repository's is not
REGRESSIONS = {
    "equal": {},
    "+0.5 points": {"failures": 0.005},
    "+1 point": {"failures": 0.01},
    "+5 points": {"failures": 0.05},
    "p99 x 1.5": {"tail": 1.5},
}


def judged(task: tuple[str, int]) -> tuple[str, dict[str, float], int, float, str]:
    """A ramp's regression, the minute at which each gate rolled it back, our looks, their seconds, and our reason."""
    import numpy as np  # noqa: PLC0415 - the main process starts without it

    from benchmarks import gate_peers, gate_traffic  # noqa: PLC0415 - they need numpy

    name, seed = task
    regression = gate_traffic.Regression(**REGRESSIONS[name])
    ramp = gate_traffic.ramp(np.random.default_rng(seed), regression)
    minute, looks, seconds, reason = _ours(gate_traffic, ramp)
    return name, {OURS: minute, **gate_peers.caught(ramp)}, looks, seconds, reason


def _ours(traffic: Any, ramp: Any) -> tuple[float, int, float, str]:
    from router.gate.judge import judge  # noqa: PLC0415 - beside the rest of the ramp's imports
    from router.gate.values import Gate  # noqa: PLC0415
    from router.gate.verdict import Outcome  # noqa: PLC0415
    from router.gate.window import Window  # noqa: PLC0415
    from router.weight import Weight  # noqa: PLC0415

    gate, start, looks, seconds = Gate(), 0, 0, 0.0
    for step, (weight, minutes) in enumerate(traffic.STEPS):
        for minute in traffic.looks(minutes):
            window = Window(
                evidence=ramp.evidence(start, start + minute),
                weight=Weight(weight),
                elapsed_seconds=minute * 60.0,
                step=step,
                steps=len(traffic.STEPS),
                recent=(ramp.evidence(start + minute - 1, start + minute),),
            )
            began = time.process_time()
            verdict = judge(gate, window)
            seconds += time.process_time() - began
            looks += 1
            if verdict.outcome is Outcome.FAIL:
                return float(start + minute), looks, seconds, verdict.reasons[0].words
        start += minutes
    return float("inf"), looks, seconds, ""


def table(found: dict[str, list[dict[str, float]]]) -> Iterator[str]:
    """One row for each gate: false rollbacks, then the median minutes and the share that was caught."""
    names = [name for name in REGRESSIONS if name in found]
    yield "| gate | false rollbacks | " + " | ".join(f"{name}: minutes (caught)" for name in names[1:]) + " |"
    yield "|---|---" + "|---" * len(names[1:]) + "|"
    for gate in found["equal"][0]:
        false = sum(one[gate] < float("inf") for one in found["equal"]) / len(found["equal"])
        cells = [_cell([one[gate] for one in found[name]]) for name in names[1:]]
        yield f"| {gate} | {false:.2%} | " + " | ".join(cells) + " |"


def _cell(minutes: list[float]) -> str:
    middle = sorted(minutes)[len(minutes) // 2]
    caught = sum(one < float("inf") for one in minutes) / len(minutes)
    return f"{'never' if middle == float('inf') else f'{middle:.0f}'} ({caught:.0%})"


def run(options: argparse.Namespace) -> None:
    """Simulate, judge and print."""
    ramps = 300 if options.quick else options.ramps
    tasks = [("equal", options.seed * 1_000_000 + number) for number in range(ramps)]
    for place, name in enumerate(list(REGRESSIONS)[1:], start=1):
        first = (options.seed * 10 + place) * 1_000_000
        tasks += [(name, first + number) for number in range(max(50, ramps // 10))]
    found: dict[str, list[dict[str, float]]] = {}
    looks, seconds, began, reasons = 0, 0.0, time.monotonic(), []
    with ProcessPoolExecutor(options.processes) as pool:
        for done, (name, caught, looked, took, reason) in enumerate(pool.map(judged, tasks, chunksize=5), start=1):
            found.setdefault(name, []).append(caught)
            looks, seconds = looks + looked, seconds + took
            if name == "equal" and reason:
                reasons.append(reason)
            if sys.stderr.isatty():
                print(f"\r{done} of {len(tasks)} ramps", end="", file=sys.stderr)
    print(f"{ramps} ramps with equal sides, {max(50, ramps // 10)} of each regression; seed {options.seed}\n")
    print("\n".join(table(found)))
    print(f"\n{looks} looks, {seconds / looks * 1e6:.0f} us of CPU each; {time.monotonic() - began:.0f} s in all")
    print("\n".join(f"false: {reason}" for reason in reasons[:20]))


def main() -> None:
    """Run here when numpy is here, else with the peers' Python."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--ramps", type=int, default=10_000)
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--processes", type=int, default=2)
    options = parser.parse_args()
    try:
        import numpy as _  # noqa: PLC0415 - whether it is there is the question
    except ModuleNotFoundError:
        if not PEERS.exists() or Path(sys.executable) == PEERS:
            raise SystemExit("numpy is not installed: make bench installs the peers") from None
        raise SystemExit(subprocess.run([PEERS, *sys.argv], check=False).returncode) from None
    run(options)


if __name__ == "__main__":
    main()

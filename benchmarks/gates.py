"""False rollbacks when both sides are equal, and the time until a regression is caught: this gate's and others'.

    python benchmarks/gates.py [--ramps 10000] [--seconds S] [--quick] [--seed 1] [--processes 2]

All judge the same simulated ramps: five steps in six hours (`gate_traffic.STEPS`), on a schedule that no gate changes
but by a rollback. This gate looks after each of the first ten minutes of a step and every fifth then, 113 times in all;
the others as often as their documentation says. Looks at which it cannot roll back are not judged (`gate_screen`).
Medians are over all ramps, those that are never caught among them.
Each regression has a tenth as many ramps as the equal sides. Tools that roll back equal sides too often have a second
row: loosened by the first setting of `gate_peers` that rolls back at most 1 % of them.

numpy is among the peers: without it this runs itself with their Python.
"""

import argparse
import importlib.util
import subprocess
import sys
import time
from collections.abc import Iterable, Iterator
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parent.parent
PEERS = ROOT / ".venv" / "peers" / "bin" / "python"
OURS = "this gate"
sys.path.insert(0, str(ROOT))  # a script's folder is on the path, the repository's is not
GOAL = 0.01
_WHOLE = 25
"""One ramp in so many is judged at every look, to see that the screen hides nothing, and how long a look takes."""
Found = dict[str, dict[str, list[list[float]]]]
"""By regression, gate and setting: the minute of the rollback of each ramp."""
REGRESSIONS: dict[str, dict[str, float]] = {
    "equal": {},
    "+0.5 points": {"failures": 0.005},
    "+1 point": {"failures": 0.01},
    "+5 points": {"failures": 0.05},
    "p99 x 1.5": {"tail": 1.5},
}


def judged(task: tuple[str, int, bool]) -> tuple[str, dict[str, list[float]], tuple[int, float], str]:
    """A ramp's regression, the minutes at which each gate's settings rolled it back, our looks and seconds, our reason.

    The last of the task: whether to judge at every look, not only where the screen sees that a fail is possible.
    """
    import numpy as np  # noqa: PLC0415 - the main process starts without it

    from benchmarks import gate_peers, gate_screen, gate_traffic  # noqa: PLC0415 - they need numpy
    from router.gate.values import Gate  # noqa: PLC0415 - beside the rest of the ramp's imports

    name, seed, is_whole = task
    regression = gate_traffic.Regression(**REGRESSIONS[name])
    ramp = gate_traffic.ramp(np.random.default_rng(seed), regression)
    suspect = gate_screen.suspect(ramp, Gate())
    minute, reason, _ = _ours(ramp, suspect, is_whole=False)
    spent = (0, 0.0)
    if is_whole:
        unscreened, _, spent = _ours(ramp, range(len(gate_screen.LOOKS)), is_whole=True)
        assert unscreened == minute, f"{name}, seed {seed}: the screen hid a rollback at minute {unscreened}"
    return name, {OURS: [minute], **gate_peers.caught(ramp)}, spent, reason


def _ours(ramp: Any, places: Iterable[int], *, is_whole: bool) -> tuple[float, str, tuple[int, float]]:
    """The minute at which this gate rolls back and why; how many looks were judged, and the seconds of CPU.

    The breaker sees the last minute; of a ramp that is not judged as a whole only where it has anything to see.
    """
    from benchmarks.gate_screen import LOOKS, STARTS, is_disaster  # noqa: PLC0415 - it needs numpy
    from benchmarks.gate_traffic import STEPS  # noqa: PLC0415
    from router.gate.judge import judge  # noqa: PLC0415
    from router.gate.values import Gate  # noqa: PLC0415
    from router.gate.verdict import Outcome  # noqa: PLC0415
    from router.gate.window import Window  # noqa: PLC0415
    from router.weight import Weight  # noqa: PLC0415

    gate, looks, seconds = Gate(), 0, 0.0
    for place in places:
        step, minute = LOOKS[place]
        begin, now = int(STARTS[step]), int(STARTS[step]) + minute
        window = Window(
            evidence=ramp.evidence(begin, now),
            weight=Weight(STEPS[step][0]),
            elapsed_seconds=minute * 60.0,
            step=step,
            steps=len(STEPS),
            recent=(ramp.evidence(now - 1, now),) if is_whole or is_disaster(ramp, now) else (),
        )
        began = time.process_time()
        verdict = judge(gate, window)
        looks, seconds = looks + 1, seconds + time.process_time() - began
        if verdict.outcome is Outcome.FAIL:
            return float(now), verdict.reasons[0].words, (looks, seconds)
    return float("inf"), "", (looks, seconds)


def table(found: Found) -> Iterator[str]:
    """A row for each gate, and one for it loosened: false rollbacks, then the median minutes and the share caught."""
    from benchmarks.gate_peers import SETTINGS  # noqa: PLC0415 - it needs numpy

    names = list(REGRESSIONS)[1:]
    yield "| gate | false rollbacks | " + " | ".join(f"{name}: minutes (caught)" for name in names) + " |"
    yield "|---|---" + "|---" * len(names) + "|"
    for gate, equal in found["equal"].items():
        false = [sum(minute < float("inf") for minute in column) / len(column) for column in equal]
        loose = next((place for place, share in enumerate(false) if share <= GOAL), None)
        for place in sorted({0} if loose is None else {0, loose}):
            setting = f", {SETTINGS[gate][place][0]}" if gate in SETTINGS else ""
            cells = " | ".join(_cell(found[name][gate][place]) for name in names)
            yield f"| {gate}{setting} | {false[place]:.2%} | {cells} |"


def _cell(minutes: list[float]) -> str:
    middle = sorted(minutes)[len(minutes) // 2]
    caught = sum(one < float("inf") for one in minutes) / len(minutes)
    return f"{'never' if middle == float('inf') else f'{middle:.0f}'} ({caught:.0%})"


def run(options: argparse.Namespace) -> None:
    """Simulate, judge and print."""
    ramps = 300 if options.quick else options.ramps
    tasks = [("equal", options.seed * 1_000_000 + number, number % _WHOLE == 0) for number in range(ramps)]
    for place, name in enumerate(list(REGRESSIONS)[1:], start=1):
        first = (options.seed * 10 + place) * 1_000_000
        tasks += [(name, first + number, number % _WHOLE == 0) for number in range(max(50, ramps // 10))]
    tasks.sort(key=lambda task: task[1] % 1_000_000 * (1 if task[0] == "equal" else 10))
    found: Found = {name: {} for name in REGRESSIONS}
    looks, seconds, began, reasons = 0, 0.0, time.monotonic(), list[str]()
    with ProcessPoolExecutor(options.processes) as pool:
        for done, (name, caught, spent, reason) in enumerate(pool.map(judged, tasks, chunksize=5), start=1):
            for gate, minutes in caught.items():
                columns = found[name].setdefault(gate, [[] for _ in minutes])
                for column, minute in zip(columns, minutes, strict=True):
                    column.append(minute)
            looks, seconds = looks + spent[0], seconds + spent[1]
            if name == "equal" and reason:
                reasons.append(reason)
            if sys.stderr.isatty():
                print(f"\r{done} of {len(tasks)} ramps", end="", file=sys.stderr)
            if options.seconds and time.monotonic() - began > options.seconds:
                pool.shutdown(wait=False, cancel_futures=True)
                break
    counts = {name: len(gates[OURS][0]) for name, gates in found.items()}
    print(f"ramps: {', '.join(f'{count} {name}' for name, count in counts.items())}; seed {options.seed}\n")
    print("\n".join(table(found)))
    spent_words = f"{looks} looks of whole ramps, {seconds / max(looks, 1) * 1e6:.0f} us of CPU each"
    print(f"\n{spent_words}; {time.monotonic() - began:.0f} s in all")
    print("\n".join(f"false: {reason}" for reason in reasons[:20]))


def main() -> None:
    """Run here when numpy is here, else with the peers' Python."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--ramps", type=int, default=10_000)
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--seconds", type=float, help="Stop after so long, with the ramps that are done.")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--processes", type=int, default=2)
    options = parser.parse_args()
    if importlib.util.find_spec("numpy"):
        run(options)
        return
    if not PEERS.exists() or Path(sys.executable) == PEERS:
        raise SystemExit("numpy is not installed: make bench installs the peers")
    raise SystemExit(subprocess.run([PEERS, *sys.argv], check=False).returncode)


if __name__ == "__main__":
    main()

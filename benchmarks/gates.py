"""False rollbacks when both sides are equal, and the time until a regression is caught: this gate's and others'.

    python benchmarks/gates.py [--ramps 10000] [--seconds S] [--quick] [--seed 1] [--processes 2]

All judge the same simulated ramps: five steps in six hours (`gate_traffic.STEPS`), on a schedule that no gate changes
but by a rollback. This gate looks after each of the first ten minutes of a step and every fifth then, 112 times in all;
the others as often as their documentation says. Looks at which it cannot roll back are not judged (`gate_screen`).
Medians are over all ramps, those that are never caught among them.
Each regression is tried on a part of the crowds, each of which has a ramp with equal sides, too. Tools that roll back
equal sides too often have a second row: loosened by the first setting of `gate_peers` that rolls back at most 1 % of
them.

numpy is among the peers: without it this runs itself with their Python.
"""

import argparse
import importlib.util
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parent.parent
PEERS = ROOT / ".venv" / "peers" / "bin" / "python"
OURS = "this gate"
sys.path.insert(0, str(ROOT))  # a script's folder is on the path, the repository's is not
GOAL = 0.01
_WHOLE = 101
"""One crowd's ramps in so many are judged at every look, to see that the screen hides nothing."""
Found = dict[str, dict[str, list[list[float]]]]
"""By regression, gate and setting: the minute of the rollback of each ramp."""
REGRESSIONS: dict[str, dict[str, float]] = {
    "equal": {},
    "+0.5 points": {"failures": 0.005},
    "+1 point": {"failures": 0.01},
    "+5 points": {"failures": 0.05},
    "p99 x 1.5": {"tail": 1.5},
}


@dataclass(frozen=True, slots=True)
class Judged:
    """What one ramp came to: by gate and setting the minute of the rollback; why ours did, what our looks cost."""

    regression: str
    caught: dict[str, list[float]]
    reason: str
    looks: int
    look_seconds: float


def judged(task: tuple[int, bool, bool]) -> tuple[list[Judged], float]:
    """The ramps of one crowd, and the seconds of CPU that they took.

    The task: a seed; whether there is a ramp of each regression, too; whether to judge at every look, not only where
    the screen sees that a fail is possible.
    """
    import numpy as np  # noqa: PLC0415 - the main process starts without it

    from benchmarks import gate_crowd, gate_peers, gate_traffic  # noqa: PLC0415 - they need numpy

    began = time.process_time()
    seed, is_worse_wanted, is_whole = task
    random = np.random.Generator(np.random.SFC64(seed))
    crowd = gate_crowd.Crowd(random)
    found = []
    for name, worse in REGRESSIONS.items() if is_worse_wanted else [("equal", {})]:
        ramp = gate_traffic.ramp(random, crowd, gate_traffic.Regression(**worse))
        minute, reason, looks, seconds = _ours(random, ramp, is_whole=is_whole)
        found.append(Judged(name, {OURS: [minute], **gate_peers.caught(ramp)}, reason, looks, seconds))
    return found, time.process_time() - began


def _ours(random: Any, ramp: Any, *, is_whole: bool) -> tuple[float, str, int, float]:
    """The minute at which this gate rolls back and why; how many looks were judged, and their seconds of CPU.

    The breaker sees the last minute; of a ramp that is not judged as a whole only where it has anything to see.
    """
    from benchmarks.gate_crowd import ENDS, LOOKS, STEPS  # noqa: PLC0415 - it needs numpy
    from benchmarks.gate_screen import disasters, suspect  # noqa: PLC0415
    from benchmarks.gate_traffic import Counting  # noqa: PLC0415
    from router.gate.judge import judge  # noqa: PLC0415
    from router.gate.values import Gate  # noqa: PLC0415
    from router.gate.verdict import Outcome  # noqa: PLC0415
    from router.gate.window import Window  # noqa: PLC0415
    from router.weight import Weight  # noqa: PLC0415

    gate, looks, seconds = Gate(), 0, 0.0
    suspects, disaster = suspect(ramp, gate), disasters(ramp)
    counting = Counting(random, ramp)
    for place in range(len(LOOKS)) if is_whole else suspects:
        step, minute = LOOKS[place]
        window = Window(
            evidence=counting.look(place),
            weight=Weight(STEPS[step][0]),
            elapsed_seconds=minute * 60.0,
            step=step,
            steps=len(STEPS),
            recent=(counting.last_minute(place),) if is_whole or disaster[place] else (),
        )
        began = time.process_time()
        verdict = judge(gate, window)
        looks, seconds = looks + 1, seconds + time.process_time() - began
        if verdict.outcome is Outcome.FAIL:
            now = int(ENDS[place])
            assert place in suspects, f"the screen would have hidden a rollback at minute {now}"
            return float(now), verdict.reasons[0].words, looks, seconds
    return float("inf"), "", looks, seconds


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
    ramps, regressions = (300, 50) if options.quick else (options.ramps, options.regressions)
    first, apart = options.seed * 1_000_000, max(1, ramps // max(1, regressions))
    tasks = [(first + number, number % apart == 0, number % _WHOLE == 0) for number in range(ramps)]
    tally, began = _Tally(), time.monotonic()
    with ProcessPoolExecutor(options.processes) as pool:
        for done, (found, seconds) in enumerate(pool.map(judged, tasks, chunksize=5), start=1):
            tally.add(found, seconds)
            if sys.stderr.isatty():
                print(f"\r{done} of {len(tasks)} crowds", end="", file=sys.stderr)
            if options.seconds and time.monotonic() - began > options.seconds:
                pool.shutdown(wait=False, cancel_futures=True)
                break
    print("\n".join(tally.told(options.seed)))
    print(f"{time.monotonic() - began:.0f} s in all")


@dataclass(slots=True)
class _Tally:
    """What all ramps came to."""

    found: Found = field(default_factory=lambda: {name: {} for name in REGRESSIONS})
    reasons: list[str] = field(default_factory=list)
    seconds: float = 0.0
    whole: list[tuple[int, float]] = field(default_factory=list)
    looks: int = 0

    def add(self, ramps: list[Judged], seconds: float) -> None:
        """Take the ramps of one crowd."""
        self.seconds += seconds
        for one in ramps:
            for gate, minutes in one.caught.items():
                columns = self.found[one.regression].setdefault(gate, [[] for _ in minutes])
                for column, minute in zip(columns, minutes, strict=True):
                    column.append(minute)
            self.whole.append((one.looks, one.look_seconds))
            if one.regression == "equal" and one.reason:
                self.reasons.append(one.reason)

    def told(self, seed: int) -> Iterator[str]:
        """The table, and what it cost."""
        counts = {name: len(gates[OURS][0]) for name, gates in self.found.items() if gates}
        yield f"ramps: {', '.join(f'{count} {name}' for name, count in counts.items())}; seed {seed}\n"
        yield from table(self.found)
        looks, seconds = (sum(column) for column in zip(*self.whole, strict=True))
        yield f"\n{looks} looks, {seconds / max(looks, 1) * 1e6:.0f} us of CPU each"
        each = self.seconds / sum(counts.values()) * 1e3
        yield f"{each:.1f} ms of CPU a ramp; {seconds:.0f} of {self.seconds:.0f} s in looks"
        yield from (f"false: {reason}" for reason in self.reasons[:20])


def main() -> None:
    """Run here when numpy is here, else with the peers' Python."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--ramps", type=int, default=10_000)
    parser.add_argument("--regressions", type=int, default=250, help="Crowds that each regression is tried on.")
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

"""How long a weight takes to be in force on a node with many routes, while its traffic is read every second.

    python benchmarks/weight_flip.py [ROUTES] [MOVING] [FLIPS]

A whole node: the agent in a process of its own, its Envoy, and a control process that answers its long polls. The
budget is 10 ms for 99 of 100 flips at 10,000 routes of which 200 move, and 80 MB for the agent.
"""

import os
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Sequence
from http.client import HTTPConnection
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent))  # a script's folder is on the path, the repository's is not

from benchmarks.estates import large_estate

BUDGET_MS = 10.0
BUDGET_MB = 80.0
_ENDPOINT = "https://vpce-0123456789abcdef0.lambda.eu-west-1.vpce.amazonaws.com"
_AGENT = "--agent"


def agent(state: str, control: str, record: str) -> None:
    """Run a node's agent that writes down how long each flip took; this is the benchmark's second process."""
    from router.node.app import NodeSettings, run  # noqa: PLC0415 - the first process has no need of it
    from router.node.drain import DrainSettings  # noqa: PLC0415 - as above
    from router.node.serving import Flip  # noqa: PLC0415 - as above

    with Path(record).open("w", encoding="utf-8") as file:

        def measured(flip: Flip) -> None:
            print(flip.since_known_seconds * 1000, flip.since_written_seconds * 1000, file=file, flush=True)

        settings = NodeSettings(
            state=Path(state),
            name="n1",
            control=control,
            envoy=None,
            concurrency=2,
            drain=DrainSettings(notice_seconds=0.0, finish_seconds=1.0),
            handover_seconds=5,
            frozen_after_seconds=20.0,
        )
        run(settings, measured=measured)


def main(routes: int = 10_000, moving: int = 200, flips: int = 300) -> None:
    """Print the figures as a table."""
    from tests.router.node.fake_control import TOKEN, fake_control  # noqa: PLC0415 - the agent's process must not pay
    from tests.router.node.host import free_port  # noqa: PLC0415 - as above

    port = free_port()
    snapshot = _compiled(routes, port)
    names = sorted(snapshot.manifest.routes)[:moving]
    environment = {**os.environ, "FIG_TOKEN": TOKEN, "AWS_ACCESS_KEY_ID": "none", "AWS_SECRET_ACCESS_KEY": "none"}
    with tempfile.TemporaryDirectory() as folder, fake_control() as control:
        state, record = Path(folder) / "state", Path(folder) / "flips"
        control.want(snapshot, **dict.fromkeys(names, 0))
        command = [sys.executable, __file__, _AGENT, str(state), control.url, str(record)]
        process = subprocess.Popen(command, env=environment)
        over = threading.Event()
        try:
            started = time.perf_counter()
            report = control.await_in_force(seconds=120)
            first = time.perf_counter() - started
            _request_each(port, routes)
            scrape = threading.Thread(target=_scrape, args=(state, over))
            scrape.start()
            before = len(record.read_text().splitlines())
            whole = []
            for number in range(flips):
                weights = dict.fromkeys(names, 0) | {names[number % moving]: 100 + number}
                started = time.perf_counter()
                control.want(**weights)
                control.await_in_force()
                whole.append((time.perf_counter() - started) * 1000)
                over.wait(0.03)
            lines = [[float(value) for value in line.split()] for line in record.read_text().splitlines()[before:]]
            sizes = _resident_mb(process.pid), _resident_mb(report["envoy"]["pid"])
        finally:
            over.set()
            process.terminate()
            process.wait(20)
        scrape.join(10)
    _table(f"{routes:,} routes, {moving} moving, {len(lines)} flips, a scrape each second", lines, whole)
    print(f"\nfirst snapshot pulled, validated and served after {first:.1f} s")
    print(f"resident memory: agent {sizes[0]:.0f} MB (budget {BUDGET_MB:.0f}), Envoy {sizes[1]:.0f} MB")


def _table(title: str, lines: Sequence[Sequence[float]], whole: Sequence[float]) -> None:
    print(f"{title}\n\n{'ms until in force, from':<44}{'p50':>8}{'p99':>8}{'max':>8}")
    rows = {
        "the weights file's rename (Envoy alone)": [line[1] for line in lines],
        f"the agent's knowing (budget p99 {BUDGET_MS:.0f})": [line[0] for line in lines],
        "control's wish to the report that it is done": whole,
    }
    for name, values in rows.items():
        print(f"{name:<44}{statistics.median(values):>8.2f}{_percentile(values, 99):>8.2f}{max(values):>8.2f}")


def _percentile(values: Sequence[float], percent: int) -> float:
    return sorted(values)[min(len(values) - 1, len(values) * percent // 100)]


def _compiled(routes: int, port: int):  # type: ignore[no-untyped-def]  # noqa: ANN202 - imported late
    from router.snapshot.compiler import compile_estate  # noqa: PLC0415 - the agent's process must not pay for it
    from router.source.load import load_estate  # noqa: PLC0415 - as above

    text = large_estate(routes).replace(_ENDPOINT, "http://127.0.0.1:9").replace("10.0.", "127.0.")
    loaded = load_estate(text, file="estate.yaml", environment={"ENTRY_PORT": str(port)})
    if loaded.estate is None:
        raise SystemExit("\n".join(str(one) for one in loaded.diagnostics[:5]))
    return compile_estate(loaded.estate, {})


def _request_each(port: int, routes: int) -> None:
    """Give the traffic counters something to hold: requests over many routes (nobody answers them)."""
    connection = HTTPConnection("127.0.0.1", port, timeout=20)
    for number in range(0, min(routes, 2000), 2):
        connection.request("GET", f"/team-{number % 97}/{number}", headers={"X-User": str(number)})
        connection.getresponse().read()
    connection.close()


def _scrape(state: Path, over: threading.Event) -> None:
    """Read the moving routes' counters and histograms each second, as the agent does once there are any."""
    import asyncio  # noqa: PLC0415 - this thread's own

    from router.node.admin import Admin  # noqa: PLC0415 - as above

    async def read() -> int:
        admin = Admin(state / "admin.sock")
        try:
            return len(await admin.text("/stats?format=json&filter=%5Efig%5C.requests&histogram_buckets=cumulative"))
        finally:
            admin.close()

    while not over.wait(1.0):
        asyncio.run(read())


def _resident_mb(pid: int) -> float:
    pages = int(Path(f"/proc/{pid}/statm").read_text(encoding="ascii").split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 1e6


if __name__ == "__main__":
    if _AGENT in sys.argv:
        agent(*sys.argv[2:])
    else:
        main(*(int(argument) for argument in sys.argv[1:]))

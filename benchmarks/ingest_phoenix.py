"""What Arize Phoenix takes in of the same spans, and `fig observe` beside it: until all are stored, bytes, memory.

Phoenix is the nearest receiver of OTLP with pages that pip installs; `make bench-phoenix` gives it an environment of
its own. It acknowledges before it stores, so that the clock runs until its database has every span. It masks nothing.
"""

import argparse
import os
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx2

from benchmarks import ingest
from benchmarks import spans as encoded
from benchmarks.measuring import cpu_seconds, free_port, resident_mb

_PHOENIX = Path(sys.executable).parents[1] / "phoenix" / "bin" / "phoenix"
_START_SECONDS = 300.0
_STORED_SECONDS = 900.0


@dataclass(frozen=True)
class Subject:
    """A receiver that runs: its process, where it takes spans, and how many it has stored."""

    name: str
    pid: int
    netloc: str
    stored: Callable[[], int]


@contextmanager
def phoenix(folder: Path) -> Iterator[Subject]:
    """Phoenix, until the block ends."""
    own = {"WORKING_DIR": folder, "HOST": "127.0.0.1", "PORT": free_port(), "GRPC_PORT": free_port()}
    environment = {f"PHOENIX_{name}": str(value) for name, value in own.items()} | {
        "PHOENIX_TELEMETRY_ENABLED": "false"
    }
    netloc = f"127.0.0.1:{own['PORT']}"

    def serves() -> bool:
        try:
            return httpx2.get(f"http://{netloc}/healthz", timeout=2, trust_env=False).is_success
        except httpx2.HTTPError:
            return False

    def stored() -> int:
        with closing(sqlite3.connect(f"file:{folder / 'phoenix.db'}?mode=ro", uri=True, timeout=60)) as database:
            return int(database.execute("SELECT count(*) FROM spans").fetchone()[0])

    with (
        (folder / "log").open("wb") as log,
        subprocess.Popen([_PHOENIX, "serve"], env={**os.environ, **environment}, stdout=log, stderr=log) as process,
    ):
        try:
            _until(serves, _START_SECONDS)
            yield Subject("Phoenix", process.pid, netloc, stored)
        finally:
            process.terminate()


@contextmanager
def observe(folder: Path) -> Iterator[Subject]:
    """`fig observe`, until the block ends."""
    server = ingest.Server(folder)
    try:
        yield Subject(
            "fig observe",
            server.process.pid,
            server.otlp.netloc,
            lambda: int(server.ask("/api/health", minutes=1)[1]["process"]["stored"]),
        )
    finally:
        server.stop()


def _until(done: Callable[[], bool], seconds: float) -> None:
    end = time.monotonic() + seconds
    while not done():
        if time.monotonic() > end:
            sys.exit(f"still not so after {seconds:.0f} s")
        time.sleep(0.2)


def measure(subject: Subject, settings: argparse.Namespace) -> None:
    """Send, wait until all of it is stored, and print."""
    templates = [encoded.body(seed) for seed in range(8)]
    before, began = cpu_seconds(subject.pid), time.perf_counter()
    sending = ingest.send(subject.netloc, templates, settings, settings.spans)
    spans = len(sending.latencies) * encoded.SPANS_OF_A_BODY
    _until(lambda: subject.stored() >= spans, _STORED_SECONDS)
    took, spent = time.perf_counter() - began, cpu_seconds(subject.pid) - before
    ingest.show(
        f"{subject.name}, {spans:,} spans, {settings.connections} connections",
        [
            ("stored, spans/s", f"{spans / took:,.0f}"),
            ("processor time, us/span", f"{spent / spans * 1e6:.0f}"),
            ("acknowledged, the longest, ms", f"{max(sending.latencies):.0f}"),
            ("resident, MB", f"{resident_mb(subject.pid):.0f}"),
        ],
    )


def main() -> None:
    """Run both, one after the other."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--spans", type=int, default=20_000)
    parser.add_argument("--connections", type=int, default=4)
    parser.set_defaults(hours=0.1, rate=0.0)
    settings = parser.parse_args()
    if not _PHOENIX.exists():
        sys.exit(f"{_PHOENIX} is missing: make bench-phoenix")
    for start, files in ((phoenix, "phoenix.db*"), (observe, ".fig/observe.duckdb")):
        with tempfile.TemporaryDirectory() as name:
            with start(Path(name)) as subject:
                measure(subject, settings)
            size = sum(file.stat().st_size for file in Path(name).glob(files))
            print(f"  {'bytes per span on disk':38} {size / settings.spans:.0f}")
    print(f"  (load average {os.getloadavg()[0]:.1f})")


if __name__ == "__main__":
    main()

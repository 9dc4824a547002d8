"""What `fig observe` takes in, masked, and how quickly it answers: spans/s, acknowledgements, bytes, memory, queries.

The generator sends bodies of 1,000 spans that were encoded before, over as many connections as are asked for; what it
takes of the processor is told. `--rate` paces it. Beside it SQLite with the same rows, in this process, without HTTP.
"""

import argparse
import functools
import http.client
import json
import os
import random
import resource
import signal
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlencode, urlsplit

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from benchmarks import spans as encoded
from observability.normalise.bounds import Clock
from observability.normalise.minutes import RouteNames
from observability.normalise.spans import spans_batch
from observability.tables import Row

_TEMPLATES = 8
_ROUNDS = 9
_HEADERS = {"Content-Type": "application/x-protobuf"}


@dataclass
class Sending:
    """What the generator saw."""

    latencies: list[float] = field(default_factory=list)
    refused: int = 0
    seconds: float = 0.0
    cpu: float = 0.0
    sample: str = ""
    sample_at: int = 0
    end: int = 0


class Server:
    """A running `fig observe` with a file of its own."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        command = [str(Path(sys.executable).with_name("fig")), "observe", "--otlp-port", "0", "--port", "0", "--json"]
        self.process = subprocess.Popen(command, cwd=folder, stdout=subprocess.PIPE, text=True)
        assert self.process.stdout
        told = json.loads(self.process.stdout.readline())
        self.otlp, self.pages = urlsplit(told["otlp"]), urlsplit(told["ready"])
        token = json.loads((folder / ".fig" / "observe.json").read_text())["token"]
        self.headers = {"Authorization": f"Bearer {token}"}

    def ask(self, path: str, **values: object) -> tuple[float, Any]:
        """Milliseconds that an answer took, and the answer."""
        connection = http.client.HTTPConnection(self.pages.netloc, timeout=120)
        began = time.perf_counter()
        connection.request("GET", f"{path}?{urlencode(values)}", headers=self.headers)
        answer = connection.getresponse()
        body = answer.read()
        took = (time.perf_counter() - began) * 1e3
        connection.close()
        assert answer.status == 200, body
        return took, json.loads(body)

    def status(self, name: str) -> int:
        """A figure of the process in kilobytes, by its name in /proc."""
        text = Path(f"/proc/{self.process.pid}/status").read_text()
        return next(int(line.split()[1]) for line in text.splitlines() if line.startswith(name))

    def cpu_seconds(self) -> float:
        """Processor time of the process so far."""
        parts = Path(f"/proc/{self.process.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(parts[11]) + int(parts[12])) / os.sysconf("SC_CLK_TCK")

    def stop(self) -> None:
        """End it as an operator would."""
        self.process.send_signal(signal.SIGTERM)
        self.process.wait(120)


def send(netloc: str, templates: list[bytes], settings: argparse.Namespace, number: int) -> Sending:
    """Send so many spans, spread over the last hours in the order of time, and measure each acknowledgement."""
    sending = Sending()
    end = sending.end = time.time_ns()
    bodies = max(number // encoded.SPANS_OF_A_BODY, 1)
    waiting = deque(range(bodies))
    began, cpu = time.perf_counter(), time.process_time()

    def work() -> None:
        connection = http.client.HTTPConnection(netloc, timeout=120)
        while waiting:
            try:
                index = waiting.popleft()
            except IndexError:
                break
            due = began + index * encoded.SPANS_OF_A_BODY / settings.rate if settings.rate else 0.0
            time.sleep(max(due - time.perf_counter(), 0))
            when, trace = end - int((bodies - index) / bodies * settings.hours * 3.6e12), random.randbytes(4)
            body = encoded.at(templates[index % len(templates)], when, trace)
            _send_one(connection, body, sending)
            if index == bodies * 9 // 10:
                sending.sample, sending.sample_at = encoded.first_trace(body, trace), when
        connection.close()

    threads = [threading.Thread(target=work) for _ in range(settings.connections)]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    sending.seconds = time.perf_counter() - began
    sending.cpu = time.process_time() - cpu
    return sending


def _send_one(connection: http.client.HTTPConnection, body: bytes, sending: Sending) -> None:
    """Send until it is taken."""
    asked = time.perf_counter()
    while True:
        connection.request("POST", "/v1/traces", body, _HEADERS)
        answer = connection.getresponse()
        answer.read()
        if answer.status == 200:
            break
        sending.refused += 1
        time.sleep(0.1)
    sending.latencies.append((time.perf_counter() - asked) * 1e3)


def median(ask: Callable[[], float], spent: Callable[[], float] = time.process_time) -> str:
    """The median of some rounds, the first, and the processor time of each that follows, in milliseconds."""
    first, before = ask(), spent()
    times = [ask() for _ in range(_ROUNDS)]
    cpu = (spent() - before) / _ROUNDS * 1e3
    return f"{statistics.median(times):.1f} (first {first:.1f}; processor {cpu:.0f})"


def queries(server: Server, sending: Sending, end: int = 0) -> list[tuple[str, str]]:
    """How long the questions take that pages ask, over HTTP: of the time until now, or until `end`."""

    def last(minutes: int) -> dict[str, object]:
        return {"start": end - minutes * 60 * 10**9, "end": end} if end else {"minutes": minutes}

    asked: list[tuple[str, str, dict[str, object]]] = [
        ("routes, last 15 min, ms", "/api/routes", last(15)),
        ("routes, last day, ms", "/api/routes", last(1440)),
        ("trace by id, with its time, ms", f"/api/traces/{sending.sample}", {"at": sending.sample_at}),
        ("trace by id alone, ms", f"/api/traces/{sending.sample}", {}),
        ("slowest 20 of a route, 15 min, ms", "/api/routes/route-0/slowest", last(15)),
        ("search of a path, 15 min, ms", "/api/traces", last(15) | {"text": "/orders/12"}),
        ("health, 5 min, ms", "/api/health", last(5)),
    ]
    return [
        (name, median(functools.partial(_took, server, path, values), server.cpu_seconds))
        for name, path, values in asked
    ]


def _took(server: Server, path: str, values: dict[str, object]) -> float:
    return server.ask(path, **values)[0]


def sqlite(templates: list[bytes], number: int, hours: float, folder: Path) -> list[tuple[str, str]]:
    """The same rows in SQLite, as a stand-in for what is in Python's library: WAL, one commit for each body."""
    file = folder / "spans.sqlite"
    database = sqlite3.connect(file)
    database.execute("PRAGMA journal_mode=WAL")
    database.execute("PRAGMA synchronous=NORMAL")
    columns = [f"c{position}" for position in range(28)]
    database.execute(f"CREATE TABLE spans ({', '.join(columns)})")
    database.execute("CREATE INDEX by_trace ON spans (c1)")
    database.execute("CREATE INDEX by_time ON spans (c6, c0, c24, c22, c12, c25)")
    insert = f"INSERT INTO spans VALUES ({','.join('?' * 28)})"  # noqa: S608 - our own columns
    bodies, end, took = max(number // encoded.SPANS_OF_A_BODY, 1), time.time_ns(), 0.0
    for index in range(bodies):
        when = end - int((bodies - index) / bodies * hours * 3.6e12)
        body = encoded.at(templates[index % len(templates)], when, random.randbytes(4))
        batch = spans_batch(ExportTraceServiceRequest.FromString(body), Clock(end), RouteNames(), 1)
        began = time.perf_counter()
        with database:
            database.executemany(insert, [_flat(row) for row in batch.rows["otel_traces"]])
        took += time.perf_counter() - began
    database.execute("PRAGMA wal_checkpoint(TRUNCATE)")

    def overview() -> float:
        began = time.perf_counter()
        database.execute(
            "SELECT c24, c22, count(*), avg(c12), sum(c25 >= 500) FROM spans"
            " WHERE c6 = 'Server' AND c0 >= ? GROUP BY c24, c22",
            [end - int(9e11)],
        ).fetchall()
        return (time.perf_counter() - began) * 1e3

    spans = bodies * encoded.SPANS_OF_A_BODY
    found = [
        ("inserted, spans/s", f"{spans / took:,.0f} (rows only, in-process)"),
        ("bytes per span on disk", f"{file.stat().st_size / spans:.0f}"),
        ("routes, last 15 min, ms", f"{median(overview)} (without percentiles)"),
    ]
    database.close()
    return found


def _flat(row: Row) -> tuple[object, ...]:
    return tuple(json.dumps(value) if isinstance(value, dict | list) else value for value in row)


def show(title: str, figures: list[tuple[str, str]]) -> None:
    """Print a table."""
    print(f"\n{title}")
    for name, value in figures:
        print(f"  {name:38} {value}")


def main() -> None:
    """Run the benchmark."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--spans", type=int, default=50_000)
    parser.add_argument("--connections", type=int, default=4)
    parser.add_argument("--hours", type=float, default=2.0, help="the time that the spans are spread over")
    parser.add_argument("--rate", type=float, default=0.0, help="spans a second; 0: as many as are taken")
    parser.add_argument("--beside", type=int, default=0, help="ask once more while so many spans a second come in")
    parser.add_argument("--sqlite-spans", type=int, default=20_000)
    settings = parser.parse_args()
    templates = [encoded.body(seed) for seed in range(_TEMPLATES)]
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        server = Server(folder)
        try:
            measure(server, templates, settings)
        finally:
            server.stop()
        file = folder / ".fig" / "observe.duckdb"
        size, number = file.stat().st_size, settings.spans // encoded.SPANS_OF_A_BODY * encoded.SPANS_OF_A_BODY
        show("after its end", [("bytes per span on disk", f"{size / number:.0f} ({size / 1e6:.1f} MB)")])
        show("SQLite", sqlite(templates, settings.sqlite_spans, settings.hours, folder))


def measure(server: Server, templates: list[bytes], settings: argparse.Namespace) -> None:
    """Send, ask, and print."""
    before = server.cpu_seconds()
    sending = send(server.otlp.netloc, templates, settings, settings.spans)
    spans = len(sending.latencies) * encoded.SPANS_OF_A_BODY
    spent = server.cpu_seconds() - before
    stored = server.ask("/api/health", minutes=1)[1]["process"]["stored"]
    assert stored == spans, f"{stored} of {spans} spans are stored"
    cuts = statistics.quantiles(sending.latencies, n=100) if len(sending.latencies) > 1 else sending.latencies * 99
    show(
        f"fig observe, {spans:,} spans, masked, {settings.connections} connections",
        [
            ("taken, spans/s", f"{spans / sending.seconds:,.0f}"),
            ("processor time, us/span", f"{spent / spans * 1e6:.1f}"),
            ("generator's processor time, us/span", f"{sending.cpu / spans * 1e6:.1f}"),
            ("acknowledged, ms p50 / p99 / max", f"{cuts[49]:.0f} / {cuts[98]:.0f} / {max(sending.latencies):.0f}"),
            ("asked to come again", str(sending.refused)),
            ("resident, MB now / most", f"{server.status('VmRSS') / 1e3:.0f} / {server.status('VmHWM') / 1e3:.0f}"),
            *queries(server, sending),
        ],
    )
    if settings.beside:
        paced = argparse.Namespace(**vars(settings) | {"rate": float(settings.beside), "hours": 0.01})
        thread = threading.Thread(target=send, args=(server.otlp.netloc, templates, paced, settings.beside * 20))
        thread.start()
        show(f"the same while {settings.beside:,} spans/s come in", queries(server, sending))
        thread.join()
    print(f"  (load average {os.getloadavg()[0]:.1f}, generator's memory {_own_megabytes():.0f} MB)")


def _own_megabytes() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e3


if __name__ == "__main__":
    main()

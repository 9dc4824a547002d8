"""How quickly `fig observe` answers over a day of ten million spans, alone and while more come in.

A stretch of the day (500,000 spans, 72 minutes) is sent over HTTP as any emitter would. The day before it is that
stretch again and again, moved back in time, with ids of its own, written by SQL while the process is down: the file is
then what it would be after a day, without a day's wait. A stretch is several of DuckDB's row groups, so that nothing
is compressed better for having come before.
"""

import argparse
import json
import os
import tempfile
import threading
import time
from pathlib import Path
from typing import Any

import duckdb

from benchmarks import ingest
from benchmarks import spans as encoded
from observability.store.upkeep import Keep, Upkeep

_DAY_MINUTES = 1_440
_BACK = "to_seconds($1)"
_MOVED = {
    "otel_traces": f"* REPLACE (Timestamp - {_BACK} AS Timestamp, md5(TraceId || $2) AS TraceId, "
    "md5(SpanId || $2)[:16] AS SpanId, "
    "CASE WHEN ParentSpanId = '' THEN '' ELSE md5(ParentSpanId || $2)[:16] END AS ParentSpanId)",
    "otel_traces_trace_id_ts": f'md5(TraceId || $2), Start - {_BACK}, "End" - {_BACK}, '
    "('0x' || left(md5(TraceId || $2), 8))::UINTEGER",
    "route_minute": f"* REPLACE (Minute - {_BACK} AS Minute, WeightAt - {_BACK} AS WeightAt)",
}


def grow(file: Path, copies: int, minutes: int) -> int:
    """Put the stretch into the file so many times more, the oldest first, and return how many spans there are."""
    with duckdb.connect(str(file), config={"memory_limit": "600MB"}) as database:
        Upkeep(database, Keep()).merge(time.time_ns() + 10 * 60 * 10**9)  # as the process does once a minute is over
        for table in _MOVED:
            database.execute(f"CREATE TEMP TABLE stretch_{table} AS SELECT * FROM {table}")  # noqa: S608 - our own names
            database.execute(f"DELETE FROM {table}")  # noqa: S608 - the same
        for number in range(copies, -1, -1):
            for table, moved in _MOVED.items():
                columns = moved if number else "*"
                values = [number * minutes * 60, str(number)][: columns.count("$1") and 1 + ("$2" in columns)]
                database.execute(f"INSERT INTO {table} SELECT {columns} FROM stretch_{table}", values)  # noqa: S608 - the same
            database.execute("CHECKPOINT")
        found = database.execute("SELECT count(*) FROM otel_traces").fetchone()
    assert found
    return int(found[0])


def main() -> None:
    """Run the benchmark."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--spans", type=int, default=10_000_000)
    parser.add_argument("--stretch", type=int, default=500_000, help="spans that are sent over HTTP")
    parser.add_argument("--beside", type=int, default=5_000, help="spans a second that come in while it answers")
    parser.add_argument("--folder", type=Path, help="keeps the day there, and asks the one that is there already")
    settings = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = settings.folder or Path(name)
        made = folder / "day.json"
        if not made.exists():
            made.write_text(json.dumps(make(folder, settings.spans, settings.stretch)))
        measure(folder, json.loads(made.read_text()), settings.beside)


def make(folder: Path, number: int, stretch: int) -> dict[str, Any]:
    """Fill the folder's store with a day of so many spans, and return what is needed to ask it."""
    copies = max(number // stretch - 1, 1)
    minutes = _DAY_MINUTES // (copies + 1)
    folder.mkdir(exist_ok=True)
    began = time.perf_counter()
    server = ingest.Server(folder)
    try:
        paced = argparse.Namespace(rate=0.0, hours=minutes / 60, connections=4)
        sending = ingest.send(server.otlp.netloc, [encoded.body(seed) for seed in range(8)], paced, stretch)
    finally:
        server.stop()
    sent = time.perf_counter()
    spans = grow(folder / ".fig" / "observe.duckdb", copies, minutes)
    print(f"made: sent in {sent - began:.0f} s, grown in {time.perf_counter() - sent:.0f} s", flush=True)
    return {"sample": sending.sample, "sample_at": sending.sample_at, "end": sending.end, "spans": spans}


def measure(folder: Path, day: dict[str, Any], beside: int) -> None:
    """Ask the day what pages ask, alone and while so many spans a second come in, and print."""
    size, spans = (folder / ".fig" / "observe.duckdb").stat().st_size, day["spans"]
    sending = ingest.Sending(sample=day["sample"], sample_at=day["sample_at"])
    templates = [encoded.body(seed) for seed in range(8)]
    server = ingest.Server(folder)
    try:
        ingest.show(f"a day of {spans:,} spans, {size / 1e9:.2f} GB", ingest.queries(server, sending, day["end"]))
        paced = argparse.Namespace(rate=float(beside), hours=0.01, connections=4)
        thread = threading.Thread(target=ingest.send, args=(server.otlp.netloc, templates, paced, beside * 20))
        thread.start()
        ingest.show(f"the same while {beside:,} spans/s come in", ingest.queries(server, sending, day["end"]))
        thread.join()
        most = server.status("VmHWM") / 1e3
        ingest.show(
            "in all", [("bytes per span on disk", f"{size / spans:.0f}"), ("resident, MB at most", f"{most:.0f}")]
        )
        print(f"  (load average {os.getloadavg()[0]:.1f})")
    finally:
        server.stop()


if __name__ == "__main__":
    main()

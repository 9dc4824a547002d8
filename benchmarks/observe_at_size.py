"""How quickly `fig observe` answers over a day of ten million spans, alone and while more come in.

A stretch of seven minutes is sent over HTTP as any emitter would; the day before it is that stretch again and again,
moved back in time, with traces of its own, written by SQL while the process is down. The file is then what it would be
after a day, without a day's wait.
"""

import argparse
import tempfile
import threading
from pathlib import Path

import duckdb

from benchmarks import ingest
from benchmarks import spans as encoded

_STRETCH_MINUTES = 7
_MOVED = {
    "otel_traces": "* REPLACE (Timestamp - $1 * INTERVAL 7 MINUTE AS Timestamp, md5(TraceId || $1) AS TraceId)",
    "otel_traces_trace_id_ts": 'md5(TraceId || $1), Start - $1 * INTERVAL 7 MINUTE, "End" - $1 * INTERVAL 7 MINUTE',
    "route_minute": "* REPLACE (Minute - $1 * INTERVAL 7 MINUTE AS Minute, "
    "WeightAt - $1 * INTERVAL 7 MINUTE AS WeightAt)",
}


def grow(file: Path, copies: int) -> int:
    """Put the stretch into the file so many times more, the oldest first, and return how many spans there are."""
    with duckdb.connect(str(file), config={"memory_limit": "400MB", "preserve_insertion_order": "false"}) as database:
        for table in _MOVED:
            database.execute(f"CREATE TEMP TABLE stretch_{table} AS SELECT * FROM {table}")  # noqa: S608 - our own names
            database.execute(f"DELETE FROM {table}")  # noqa: S608 - the same
        for number in range(copies, -1, -1):
            for table, moved in _MOVED.items():
                columns = moved if number else "*"
                values = [number] if number else []
                statement = f"INSERT INTO {table} SELECT {columns} FROM stretch_{table}"  # noqa: S608 - the same
                database.execute(statement, values)
        database.execute("CHECKPOINT")
        found = database.execute("SELECT count(*) FROM otel_traces").fetchone()
    assert found
    return int(found[0])


def main() -> None:
    """Run the benchmark."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--spans", type=int, default=10_000_000)
    parser.add_argument("--stretch", type=int, default=50_000, help="spans that are sent over HTTP")
    parser.add_argument("--beside", type=int, default=5_000, help="spans a second that come in while it answers")
    settings = parser.parse_args()
    templates = [encoded.body(seed) for seed in range(8)]
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        sending = _fill(folder, templates, settings.stretch)
        file = folder / ".fig" / "observe.duckdb"
        spans = grow(file, max(settings.spans // settings.stretch - 1, 1))
        size = file.stat().st_size
        server = ingest.Server(folder)
        try:
            ingest.show(f"a day of {spans:,} spans, {size / 1e9:.2f} GB", ingest.queries(server, sending))
            paced = argparse.Namespace(rate=float(settings.beside), hours=0.01, connections=4)
            thread = threading.Thread(target=ingest.send, args=(server, templates, paced, settings.beside * 20))
            thread.start()
            ingest.show(f"the same while {settings.beside:,} spans/s come in", ingest.queries(server, sending))
            thread.join()
            most = server.status("VmHWM") / 1e3
            ingest.show(
                "in all", [("bytes per span on disk", f"{size / spans:.0f}"), ("resident, MB at most", f"{most:.0f}")]
            )
        finally:
            server.stop()


def _fill(folder: Path, templates: list[bytes], number: int) -> ingest.Sending:
    server = ingest.Server(folder)
    try:
        return ingest.send(
            server, templates, argparse.Namespace(rate=0.0, hours=_STRETCH_MINUTES / 60, connections=2), number
        )
    finally:
        server.stop()


if __name__ == "__main__":
    main()

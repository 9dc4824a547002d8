"""The whole process and its file: killed, filled, and asked for twice."""

import os
import resource
import threading
import time
from pathlib import Path

from tests.observability.process import eventually, observing
from tests.observability.telemetry import span, traces


def _now() -> int:
    return time.time_ns()


def test_acknowledged_means_stored_after_kill_9(tmp_path: Path) -> None:
    """Killed in the middle of an ingest, the process has every batch that it acknowledged after its restart."""
    acknowledged: list[str] = []
    with observing(tmp_path) as running:

        def send() -> None:
            for number in range(100_000):
                id_ = f"{number + 1:016x}"
                try:
                    answer = running.send("traces", traces(*[span(id_=id_, start=_now()) for _ in range(20)]))
                except Exception:  # noqa: BLE001 - it was killed: whatever comes is no acknowledgement
                    return
                if answer.status_code == 200:
                    acknowledged.append(id_)

        sending = threading.Thread(target=send)
        sending.start()
        eventually(lambda: len(acknowledged) >= 20, 60)
        running.kill()
        sending.join(30)
    with observing(tmp_path) as running:
        rows = running.sql("SELECT SpanId, count(*) FROM otel_traces GROUP BY SpanId LIMIT 1000")
        found = {str(row[0]): row[1] for row in rows}
    assert set(acknowledged) <= set(found)
    assert set(found.values()) == {20}, "a batch is there as a whole or not at all"


def test_a_full_disk_and_its_end(tmp_path: Path) -> None:
    """While the file cannot grow, senders get 503 and health says why; then everything goes on."""
    with observing(tmp_path) as running:
        assert running.send("traces", traces(span(start=_now()))).status_code == 200
        _, hard = resource.prlimit(running.process.pid, resource.RLIMIT_FSIZE)
        resource.prlimit(running.process.pid, resource.RLIMIT_FSIZE, (600_000, hard))
        many = traces(
            *[span(id_=f"{n + 1:016x}", start=_now() - n, attributes={"n": f"{n}" * 40}) for n in range(4_000)]
        )
        answers = [running.send("traces", many) for _ in range(2)]
        assert {answer.status_code for answer in answers} == {503}
        assert all(answer.headers["retry-after"] for answer in answers)
        assert "nothing was stored" in running.ask("/api/health")["process"]["fault"]
        assert running.sql("SELECT count(*) FROM otel_traces") == [[1]]
        resource.prlimit(running.process.pid, resource.RLIMIT_FSIZE, (hard, hard))
        assert running.send("traces", many).status_code == 200
        assert running.ask("/api/health")["process"]["fault"] == ""
    with observing(tmp_path) as running:
        assert running.sql("SELECT count(*) FROM otel_traces") == [[4_001]]


def test_everything_is_for_its_owner_alone(tmp_path: Path) -> None:
    """Whatever the user's mask: the store, its log, the queue, the run file, an export, and the folders around them."""
    old = os.umask(0o022)
    try:
        with observing(tmp_path) as running:
            assert running.fig("forward", "--to", "http://127.0.0.1:9").returncode == 0
            assert running.send("traces", traces(span(start=_now()))).status_code == 200
            assert running.fig("export", "--parquet", str(tmp_path / "out"), "--table", "otel_logs").returncode == 0
            found = [tmp_path / ".fig", *(tmp_path / ".fig").rglob("*"), tmp_path / "out" / "otel_logs.parquet"]
            modes = {path.name: path.stat().st_mode & 0o777 for path in found if path.exists()}
    finally:
        os.umask(old)
    assert {"observe.duckdb", "observe.duckdb.wal", "observe.json", "target.json"} <= set(modes)
    assert {name: mode for name, mode in modes.items() if mode & 0o077} == {}


def test_a_second_process_on_the_file(tmp_path: Path) -> None:
    """It is told who has the file, and the first one's run file stays."""
    with observing(tmp_path) as running:
        second = running.fig("--otlp-port", "0", "--port", "0")
        assert second.returncode == 1
        assert f"in use by process {running.process.pid}" in second.stderr
        assert running.sql("SELECT 1") == [[1]]
    assert not (tmp_path / ".fig" / "observe.json").exists()

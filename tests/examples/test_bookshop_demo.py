"""The demo, told quickly: it holds, reports, and leaves nothing behind."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

pytestmark = pytest.mark.timeout(300)  # a dozen processes start, on a machine that may be busy
ROOT = Path(__file__).parents[2]
DEMO = (sys.executable, str(ROOT / "examples" / "bookshop" / "demo"), "--seconds-per-step", "0.6")


def environment(folder: Path) -> dict[str, str]:
    """The environment of a demo whose temporary files are the test's own."""
    return {**os.environ, "TMPDIR": str(folder), "KEEP": ""}


def processes_below(folder: Path) -> list[str]:
    """The command lines of processes that work in the folder or name it."""
    found = []
    for process in Path("/proc").iterdir():
        if process.name.isdigit() and int(process.name) != os.getpid():
            try:
                line = (process / "cmdline").read_text().replace("\0", " ")
                if str(folder) in line or (process / "cwd").readlink().is_relative_to(folder):
                    found.append(line)
            except OSError:
                continue  # it ended, or is somebody else's
    return found


def test_demo_holds(tmp_path: Path) -> None:
    """The story ends with exit 0: nothing failed, nobody bounced, legacy stood in; the report says the same."""
    report = tmp_path / "demo.json"
    command = [*DEMO, "--report", str(report)]
    done = subprocess.run(
        command, cwd=tmp_path, env=environment(tmp_path), capture_output=True, text=True, timeout=200, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    values = json.loads(report.read_text())
    assert (values["failed"], values["bounced_users"]) == (0, 0)
    assert values["requests"] > 300
    assert values["fallbacks"] > 50
    assert [shift["weight"] for shift in values["shifts"]] == [0, 5, 25, 50, 100, 0, 100, 0]
    assert all(0 <= shift["in_force_ms"] < 10_000 for shift in values["shifts"])
    assert "Nothing failed" in done.stdout
    observed = values["observed"]
    assert observed["requests"] == sum(observed["by_side"].values()) >= values["requests"] * 0.9
    assert {hop["service"] for hop in observed["spans"]} == {"fig-router", "books", "bookshop"}
    assert observed["log_lines_of_trace"] == 3, "the router's, the function's, and that of legacy, which it asked"
    assert observed["weight"] == 0
    assert observed["trace"] in done.stdout
    assert "Watch it live, in a browser: http://127.0.0.1:" in done.stdout
    assert processes_below(tmp_path) == []


def test_interrupted_demo(tmp_path: Path) -> None:
    """Ctrl-C in the middle of the story ends everything that it started."""
    with subprocess.Popen(
        [*DEMO, "--no-observe"],
        cwd=tmp_path,
        env=environment(tmp_path),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    ) as demo:
        assert demo.stdout is not None
        told = ""
        while "in force after" not in told:
            line = demo.stdout.readline()
            assert line, told
            told += line
        demo.send_signal(signal.SIGINT)
        rest = demo.stdout.read()
        assert demo.wait(30) == 130, told + rest
    assert processes_below(tmp_path) == []


def test_kept_demo(tmp_path: Path) -> None:
    """A kept demo ends, leaves the estate running, and says where it is and how to end it."""
    command = [*DEMO[:-1], "0.2", "--keep", "--no-observe"]
    done = subprocess.run(
        command, cwd=tmp_path, env=environment(tmp_path), capture_output=True, text=True, timeout=200, check=False
    )
    run = json.loads((tmp_path / ".fig" / "run.json").read_text())
    try:
        assert f"kill {run['pid']}" in done.stdout, done.stdout + done.stderr
        assert run["addresses"]["entry"] in done.stdout
        os.kill(run["pid"], 0)
    finally:
        os.kill(run["pid"], signal.SIGTERM)
        deadline = time.monotonic() + 30
        while processes_below(tmp_path) and time.monotonic() < deadline:
            time.sleep(0.05)
    assert processes_below(tmp_path) == []

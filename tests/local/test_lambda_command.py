import json
import os
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.local.running import Running, has_gone, process_state, wait_for, write_code

TEXT = """
version: 1
functions:
  echo: {handler: app.echo, code: code}
  speak: {handler: app.speak, code: code}
  count: {handler: app.count, code: code, freeze: true}
  stubborn:
    handler: app.stubborn
    code: code
    timeout: 5m
    environment:
      PLACE: ${PLACE}
"""


def command(folder: Path, *options: str) -> list[str]:
    return [sys.executable, "-m", "fig", "lambda", str(folder / "lambda.yaml"), *options]


@contextmanager
def started(folder: Path, *options: str) -> Iterator[tuple["subprocess.Popen[str]", str]]:
    """The command as a process, and its first line."""
    write_code(folder)
    (folder / "lambda.yaml").write_text(TEXT)
    with (folder / "stderr").open("w") as stderr:
        process = subprocess.Popen(
            command(folder, *(options or ("--port", "0"))),
            stdout=subprocess.PIPE,
            stderr=stderr,
            text=True,
            env={**os.environ, "PLACE": str(folder)},
        )
    assert process.stdout
    try:
        yield process, process.stdout.readline()
    finally:
        process.kill()
        process.wait()
        process.stdout.close()


def running(line: str) -> Running:
    return Running(line.split()[1], [])


def run(folder: Path, *options: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(command(folder, *options), capture_output=True, text=True, check=False, timeout=30)


def test_the_command_says_when_it_is_ready(folder: Path) -> None:
    """One line on stdout names the address; from then on functions can be invoked."""
    with started(folder) as (process, line):
        assert line.startswith("ready http://127.0.0.1:")
        assert running(line).invoke("echo", {"a": 1}).document == {"a": 1}
        process.send_signal(signal.SIGINT)
        assert process.wait(15) == 0
        assert process.stdout
        assert process.stdout.read() == ""


def test_the_line_may_be_json(folder: Path) -> None:
    """With --json the line is an object."""
    with started(folder, "--port", "0", "--json") as (_process, line):
        assert json.loads(line)["ready"].startswith("http://127.0.0.1:")


def test_handlers_logs_go_to_stderr(folder: Path) -> None:
    """What a handler prints is on stderr, after its function's name."""
    with started(folder) as (_process, line):
        running(line).invoke("speak")
        wait_for(lambda: "speak | first line\n" in (folder / "stderr").read_text(), "the handler's line")


def pids_of_stubborn(folder: Path, local: Running) -> list[int]:
    """Invoke a handler that ignores signals and never answers: its process id and its child's."""

    def call() -> None:
        with pytest.raises((ConnectionError, OSError)):
            local.invoke("stubborn")

    threading.Thread(target=call).start()
    pids = folder / "pids"
    wait_for(lambda: pids.exists() and len(pids.read_text().split()) == 2, "the handler to run")
    return [int(pid) for pid in pids.read_text().split()]


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
def test_a_signal_ends_every_process(folder: Path, number: signal.Signals) -> None:
    """Stopping ends handlers that ignore signals, their children and frozen ones, and exits 0."""
    with started(folder) as (process, line):
        local = running(line)
        frozen = local.invoke("count").document["pid"]
        stubborn = pids_of_stubborn(folder, local)
        process.send_signal(number)
        assert process.wait(15) == 0
        wait_for(lambda: all(has_gone(pid) for pid in (frozen, *stubborn)), "no process to be left")
    assert "Traceback" not in (folder / "stderr").read_text()


def test_handlers_die_with_a_server_that_is_killed(folder: Path) -> None:
    """After kill -9 of the command no handler is left: not a busy one, not a frozen one, not an idle one."""
    with started(folder) as (process, line):
        local = running(line)
        frozen = local.invoke("count").document["pid"]
        wait_for(lambda: process_state(frozen) == "T", "the process to stop")
        local.invoke("echo")
        idle = local.state("echo")["process_ids"]
        busy = pids_of_stubborn(folder, local)
        process.kill()
        wait_for(lambda: all(has_gone(pid) for pid in (frozen, *idle, busy[0])), "no handler to be left")
        os.kill(busy[1], signal.SIGKILL)  # a handler's own child is nobody's when the server was killed


def test_an_address_in_use_is_said_plainly(folder: Path) -> None:
    """Exit code 2 and one message with what to do; nothing on stdout."""
    write_code(folder)
    (folder / "lambda.yaml").write_text("version: 1\nfunctions:\n  f: {handler: app.echo, code: code}\n")
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        done = run(folder, "--port", str(port))
    assert (done.returncode, done.stdout) == (2, "")
    assert f"LF203 error: cannot listen on 127.0.0.1:{port}: Address already in use" in done.stderr
    assert "--port 0" in done.stderr


def test_a_host_that_is_none_is_said_plainly(folder: Path) -> None:
    """A name that does not resolve, or an address of another machine, is exit code 2."""
    write_code(folder)
    (folder / "lambda.yaml").write_text("version: 1\nfunctions:\n  f: {handler: app.echo, code: code}\n")
    done = run(folder, "--host", "203.0.113.9", "--port", "0")
    assert (done.returncode, "LF203" in done.stderr, "Traceback" in done.stderr) == (2, True, False)


def test_a_wrong_file_changes_nothing(folder: Path) -> None:
    """A file with faults, and one that is not there, are exit code 2 with diagnostics."""
    (folder / "lambda.yaml").write_text("version: 1\nfunctions:\n  f: {handler: app.echo, code: nowhere, memry: 1}\n")
    done = run(folder)
    assert (done.returncode, done.stdout) == (2, "")
    assert "lambda.yaml:3:41: SH101 error: unknown key 'memry'" in done.stderr
    (folder / "lambda.yaml").unlink()
    done = run(folder)
    assert done.returncode == 2
    assert "LF202 error" in done.stderr
    (folder / "lambda.yaml").write_bytes(b"\xff\xfe")
    assert run(folder).returncode == 2

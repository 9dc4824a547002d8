"""`fig up` on the bookshop: everything comes up, serves, and leaves nothing behind, however it ends."""

import json
import os
import signal
import socket
import stat
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx2
import pytest

BOOKSHOP = Path(__file__).parents[2] / "examples" / "bookshop"
ESTATE = BOOKSHOP / "estate.yaml"
PARTS = {"fig control", "fig lambda", "fig node", "legacy.py", "envoy -c"}
"""What `fig up` starts, and the Envoy that its node starts in a session of its own; words of their command lines."""
DEADLINE_SECONDS = 60.0


def fig(*arguments: str, folder: Path, environment: dict[str, str] | None = None) -> subprocess.CompletedProcess[str]:
    """A finished command."""
    return subprocess.run(
        [sys.executable, "-P", "-m", "fig", *arguments],
        cwd=folder,
        env={**os.environ, **(environment or {})},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def until(condition: Callable[[], bool]) -> bool:
    """Wait for a condition; False when the deadline passes first."""
    deadline = time.monotonic() + DEADLINE_SECONDS
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.05)
    return True


def of_run(mark: str) -> list[str]:
    """The command lines of the processes that carry the run's mark."""
    found = []
    for process in Path("/proc").iterdir():
        if process.name.isdigit():
            try:
                if f"FIG_UP_RUN={mark}".encode() in (process / "environ").read_bytes().split(b"\0"):
                    found.append((process / "cmdline").read_text().replace("\0", " "))
            except OSError:
                continue  # it ended, or is somebody else's
    return found


def parts_of(mark: str) -> set[str]:
    """Which parts of the estate carry the run's mark; only what carries it can be missed at the end."""
    lines = of_run(mark)
    return {part for part in PARTS if any(part in line for line in lines)}


class Up:
    """A running `fig up`."""

    def __init__(self, process: subprocess.Popen[str], ready: dict[str, Any], log: Path, folder: Path) -> None:
        self.process = process
        self.addresses: dict[str, str] = ready["addresses"]
        self.run_file = Path(ready["run_file"])
        self.folder = folder
        self._log = log

    @property
    def log(self) -> str:
        """What it printed on standard error so far."""
        return self._log.read_text()

    @property
    def mark(self) -> str:
        """The mark of this run's processes."""
        children = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children").read_text().split()
        for child in children:
            for value in Path(f"/proc/{child}/environ").read_bytes().split(b"\0"):
                if value.startswith(b"FIG_UP_RUN="):
                    return value.partition(b"=")[2].decode()
        pytest.fail("no child carries a mark")

    def child(self, *words: str) -> int:
        """The process id of the child whose command line has all the words."""
        children = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children").read_text().split()
        for child in children:
            line = Path(f"/proc/{child}/cmdline").read_text().split("\0")
            if all(word in line for word in words):
                return int(child)
        pytest.fail(f"no child runs {words}")

    def get(self, path: str, user: str = "alice") -> httpx2.Response:
        """What the entry answers."""
        return httpx2.get(self.addresses["entry"] + path, headers={"X-User": user}, timeout=10, trust_env=False)


@contextmanager
def up(folder: Path, *options: str) -> Iterator[Up]:
    """The bookshop, running unobserved, with its state in the folder's `.fig`; or with these options instead."""
    log = folder / "up.log"
    command = [sys.executable, "-P", "-m", "fig", "up", str(ESTATE), "--json", "--until-eof"]
    command += options or ("--no-observe",)
    with (
        log.open("w") as errors,
        subprocess.Popen(
            command, cwd=folder, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=errors, text=True
        ) as process,
    ):
        assert process.stdout is not None
        try:
            line = process.stdout.readline()
            assert line, log.read_text()
            yield Up(process, json.loads(line), log, folder)
        finally:
            if process.poll() is None:
                process.terminate()


def test_comes_up_serves_and_goes(tmp_path: Path) -> None:
    """One command brings the estate up; a shift from another terminal takes effect; Ctrl-C leaves nothing, exit 0."""
    with up(tmp_path) as running:
        assert set(running.addresses) == {"entry", "control", "lambda", "legacy"}
        assert stat.S_IMODE(running.run_file.stat().st_mode) == 0o600
        assert running.run_file == tmp_path / ".fig" / "run.json"
        environment = json.loads(running.run_file.read_text())["environment"]
        assert running.addresses["entry"].endswith(":" + environment["ENTRY_PORT"])

        first = running.get("/books/7")
        assert (first.status_code, first.json()["title"], first.headers["x-fig-side"]) == (200, "Moss", "legacy")
        shifted = fig("shift", "books-read", "100%", "--json", folder=tmp_path)
        assert json.loads(shifted.stdout)["in_force"], shifted.stderr
        second = running.get("/books/7")
        assert (second.status_code, second.json(), second.headers["x-fig-side"]) == (200, first.json(), "lambda")

        again = fig("up", str(ESTATE), folder=tmp_path)
        assert (again.returncode, "UP124 error: an estate already runs on" in again.stderr) == (2, True)

        mark = running.mark
        assert parts_of(mark) == PARTS
        running.process.send_signal(signal.SIGINT)
        assert running.process.wait(DEADLINE_SECONDS) == 0, running.log
        assert of_run(mark) == []
        assert not running.run_file.exists()


def test_weights_survive(tmp_path: Path) -> None:
    """Ended and started again, the estate has the same addresses and the same weights."""
    with up(tmp_path) as running:
        addresses = running.addresses
        assert fig("shift", "books-read", "100%", folder=tmp_path).returncode == 0
        running.process.terminate()
        assert running.process.wait(DEADLINE_SECONDS) == 0
    with up(tmp_path) as running:
        assert running.addresses["entry"] == addresses["entry"]
        assert until(lambda: running.get("/books/7").headers["x-fig-side"] == "lambda")  # the first may be late


def test_killed_leaves_nothing(tmp_path: Path) -> None:
    """When fig up is killed, its processes, Envoy among them, end by themselves."""
    with up(tmp_path) as running:
        mark = running.mark
        assert parts_of(mark) == PARTS
        running.process.kill()
        assert until(lambda: not of_run(mark)), of_run(mark)


def test_control_dies(tmp_path: Path) -> None:
    """When control dies, requests go on and it is said aloud; when the application dies, the run ends with exit 1."""
    with up(tmp_path) as running:
        mark = running.mark
        os.kill(running.child("control"), signal.SIGKILL)
        assert until(lambda: "!! control ended by signal SIGKILL" in running.log), running.log
        assert running.get("/books/7").status_code == 200
        assert running.process.poll() is None
        os.kill(running.child("legacy.py"), signal.SIGKILL)
        assert running.process.wait(DEADLINE_SECONDS) == 1
        assert "!! legacy ended by signal SIGKILL" in running.log
        assert of_run(mark) == []


def test_entry_in_use(tmp_path: Path) -> None:
    """An entry address in use is said with its place, exit 2, and nothing is started."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        estate = tmp_path / "estate.yaml"
        estate.write_text(ESTATE.read_text().replace("${ENTRY_PORT:-8080}", str(port)))
        done = fig("up", str(estate), folder=tmp_path)
    assert done.returncode == 2
    assert f"{estate}:12:12: UP122 error: entry.address 127.0.0.1:{port} cannot be used" in done.stderr
    assert not (tmp_path / ".fig").exists()


def test_wrong_local_file(tmp_path: Path) -> None:
    """A mistake in local.yaml is said with its place, exit 2, and nothing is started."""
    (tmp_path / "estate.yaml").write_text(ESTATE.read_text())
    (tmp_path / "local.yaml").write_text("version: 1\ncommands:\n  legacy:\n    runs: [python, legacy.py]\n")
    done = fig("up", "estate.yaml", folder=tmp_path)
    assert done.returncode == 2
    assert "local.yaml:4:5: SH101 error: unknown key 'runs'\n  hint: did you mean run?" in done.stderr
    assert not (tmp_path / ".fig").exists()


def test_wrong_estate(tmp_path: Path) -> None:
    """An estate with a mistake is refused with fig check's own words, exit 2, and nothing is started."""
    estate = tmp_path / "estate.yaml"
    estate.write_text(ESTATE.read_text().replace("default: bookshop", "default: bookshpo"))
    done = fig("up", str(estate), folder=tmp_path)
    assert done.returncode == 2
    assert f"{estate}:14:" in done.stderr
    assert not (tmp_path / ".fig").exists()

"""The real process: `fig observe` on free ports with a file of its own, asked over HTTP, ended by its id."""

import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx2
from google.protobuf.message import Message

FIG = Path(sys.executable).with_name("fig")
PROTOBUF = {"Content-Type": "application/x-protobuf"}
_START_SECONDS = 60


def eventually(happened: Callable[[], object], seconds: float = 60) -> None:
    """Wait until it happened. Fails when it does not."""
    end = time.monotonic() + seconds
    while not happened():
        assert time.monotonic() < end, "it did not happen in time"
        time.sleep(0.02)


@dataclass
class Observing:
    """A running `fig observe`."""

    process: "subprocess.Popen[str]"
    folder: Path
    pages: str
    otlp: str
    login: str
    http: httpx2.Client

    def send(self, signal_: str, message: Message) -> httpx2.Response:
        """Send a message, and give the answer."""
        return self.http.post(f"{self.otlp}/v1/{signal_}", content=message.SerializeToString(), headers=PROTOBUF)

    def ask(self, path: str, **values: object) -> Any:
        """What the API answers to a command's question."""
        answer = self.http.get(self.pages + path, params={k: str(v) for k, v in values.items()}, headers=self.bearer())
        assert answer.status_code == 200, answer.text
        return answer.json()

    def bearer(self) -> dict[str, str]:
        """The token of the run file."""
        run = json.loads((self.folder / ".fig" / "observe.json").read_text())
        return {"Authorization": f"Bearer {run['token']}"}

    def sql(self, text: str) -> list[list[Any]]:
        """The rows of a SELECT."""
        answer = self.http.post(f"{self.pages}/api/query", json={"sql": text}, headers=self.bearer())
        assert answer.status_code == 200, answer.text
        rows: list[list[Any]] = answer.json()["rows"]
        return rows

    def fig(self, *arguments: str) -> "subprocess.CompletedProcess[str]":
        """Run a subcommand in the process's folder."""
        return subprocess.run(
            [FIG, "observe", *arguments], cwd=self.folder, capture_output=True, text=True, timeout=60, check=False
        )

    def kill(self) -> None:
        """End the process at once, as a crash would."""
        self.process.kill()
        self.process.wait(10)


@contextmanager
def observing(folder: Path, *options: str) -> Iterator[Observing]:
    """`fig observe` in this folder until the block ends."""
    command = [str(FIG), "observe", "--otlp-port", "0", "--port", "0", "--json", *options]
    process = subprocess.Popen(
        command, cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env={**os.environ}
    )
    complaints: list[str] = []
    assert process.stdout is not None
    assert process.stderr is not None
    stdout, stderr = process.stdout, process.stderr
    reading = threading.Thread(target=lambda: complaints.extend(stderr), daemon=True)
    reading.start()
    alarm = threading.Timer(_START_SECONDS, process.kill)
    alarm.start()
    try:
        line = stdout.readline()
        alarm.cancel()
        assert line, "".join(complaints)
        told = json.loads(line)
        with httpx2.Client(timeout=30, trust_env=False) as http:
            yield Observing(process, folder, told["ready"], told["otlp"], told["login"], http)
    finally:
        alarm.cancel()
        if process.poll() is None:
            process.send_signal(signal.SIGTERM)
            try:
                process.wait(20)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait(10)
        reading.join(10)
        stdout.close()
        stderr.close()
    assert not [one for one in complaints if "Traceback" in one], "".join(complaints)

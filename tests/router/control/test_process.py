"""The real `fig control` process and the real commands, with a node that is played."""

import asyncio
import contextlib
import json
import os
import signal
import socket
import sys
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx2
import pytest

from router import run_file

from .fakes import FakeNode

ESTATE = """\
version: 1
entry:
  address: 127.0.0.1:${ENTRY_PORT:-18080}
  default: shop
legacy:
  shop:
    endpoints:
      - 127.0.0.1:18081
lambda:
  books:
    arn: arn:aws:lambda:eu-west-1:123456789012:function:books:live
    endpoint: http://127.0.0.1:19002
    timeout: 5s
routes:
  books-read:
    match:
      path:
        prefix: /books
      methods: [GET, HEAD]
    legacy: shop
    lambda: books
  events:
    match:
      path:
        exact: /events
    legacy: shop
    stream: true
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """What a command said and how it ended."""

    code: int
    out: str
    err: str

    def json(self) -> Any:
        """Standard output as JSON."""
        return json.loads(self.out)


@dataclass(frozen=True, slots=True, kw_only=True)
class Desk:
    """A folder to run commands in."""

    folder: Path

    async def fig(self, *arguments: str, **environ: str) -> Said:
        """Run a command to its end."""
        process = await self.start(*arguments, **environ)
        out, err = await asyncio.wait_for(process.communicate(), 60)
        return Said(code=process.returncode or 0, out=out.decode(), err=err.decode())

    @contextlib.asynccontextmanager
    async def control(self, *arguments: str) -> AsyncIterator[asyncio.subprocess.Process]:
        """Run a control process on this folder's state until the block ends."""
        envoy = self.folder / "envoy"
        envoy.write_text("#!/bin/sh\nexit 0\n")  # the real one is asked where the data plane is tested
        envoy.chmod(0o755)
        process = await self.start("control", "--state", "state", "--port", "0", "--envoy", str(envoy), *arguments)
        assert process.stdout is not None
        try:
            line = await asyncio.wait_for(process.stdout.readline(), 120)
            assert b"ready" in line, await process.communicate()
            yield process
        finally:
            if process.returncode is None:
                process.kill()
            await process.wait()

    @contextlib.asynccontextmanager
    async def node(self) -> AsyncIterator[FakeNode]:
        """Play a node of the control that the run file names."""
        run = run_file.read(self.folder / run_file.NAME)
        headers = {"Authorization": f"Bearer {run.token}"}
        async with (
            httpx2.AsyncClient(base_url=run.control, headers=headers, trust_env=False) as http,
            FakeNode(http=http).running() as node,
        ):
            yield node

    async def start(self, *arguments: str, **environ: str) -> asyncio.subprocess.Process:
        """Start a command."""
        known = {name: value for name, value in os.environ.items() if not name.startswith("FIG_")}
        return await asyncio.create_subprocess_exec(
            sys.executable,
            "-P",
            "-m",
            "fig",
            *arguments,
            cwd=self.folder,
            env={**known, **environ},
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    (tmp_path / "estate.yaml").write_text(ESTATE)
    return Desk(folder=tmp_path)


def test_publish_shift_and_what_survives_kill_9(desk: Desk) -> None:
    """A shift returns in force; a control that was killed and started again goes on where it was."""

    async def main() -> None:
        async with desk.control() as control:
            async with desk.node() as node:
                published = await desk.fig("publish", "estate.yaml", "--json")
                assert published.code == 0, published.err
                assert published.json()["in_force"]
                shifted = await desk.fig("shift", "books-read", "25%", "--reason", "first users", "--actor", "ann")
                assert shifted.code == 0, shifted.err
                assert shifted.out.startswith("books-read: 0% -> 25%, in force after ")
                assert node.weights == {"books-read": 2500}
                version = node.weights_version
            control.kill()
            await control.wait()
        async with desk.control(), desk.node() as node:
            assert (node.weights, node.weights_version) == ({"books-read": 2500}, version)
            history = (await desk.fig("history", "--json")).json()["entries"]
            assert (history[0]["kind"], history[0]["actor"], history[0]["reason"]) == ("shift", "ann", "first users")
            again = (await desk.fig("shift", "books-read", "0", "--json")).json()
            assert (again["from"], again["in_force"]) == (2500, True)
            assert again["version"] > version
            shown = await desk.fig("status")
            assert "books-read" in shown.out
            assert "node-1" in shown.out

    asyncio.run(main())


def test_a_changed_estate_is_shown_and_back_undoes_it(desk: Desk) -> None:
    """A publish prints the changes with their fields, exits 3 where that was asked for, and back returns."""

    async def main() -> None:
        async with desk.control(), desk.node():
            await desk.fig("publish", "estate.yaml")
            (desk.folder / "estate.yaml").write_text(ESTATE.replace("prefix: /books", "prefix: /library"))
            plan = await desk.fig("publish", "estate.yaml", "--dry-run", "--detailed-exit-code")
            assert plan.code == 3
            assert plan.out == "~ route books-read  match.path.prefix: /books -> /library\n"
            assert (await desk.fig("publish", "estate.yaml")).code == 0
            back = await desk.fig("publish", "--back", "--reason", "wrong path")
            assert back.code == 0, back.err
            assert back.out.splitlines()[0] == "~ route books-read  match.path.prefix: /library -> /books"
            same = await desk.fig("publish", "--back", "--dry-run", "--json", "--detailed-exit-code")
            assert same.json()["changes"] != []

    asyncio.run(main())


def test_a_node_that_rejects_makes_publish_fail_with_its_reason(desk: Desk) -> None:
    """When a node cannot run the estate, publish prints the node's reason and exits 1."""

    async def main() -> None:
        async with desk.control(), desk.node() as node:
            node.rejects_new = "listener entry: address in use"
            answer = await desk.fig("publish", "estate.yaml")
            assert answer.code == 1
            assert "node-1 cannot run snapshot" in answer.err
            assert "listener entry: address in use" in answer.err

    asyncio.run(main())


def test_wrong_requests_exit_with_2_and_an_absent_control_with_1(desk: Desk) -> None:
    """What the user got wrong is said with exit 2, a control that does not answer with exit 1, without a traceback."""
    cases = [
        (["shift", "books-raed", "5%"], 2, "hint: did you mean books-read?"),
        (["shift", "events", "5%"], 2, "events has no weight: it streams, which only legacy serves"),
        (["shift", "books-read", "101%"], 2, "out of range"),
        (["shift", "books-read", "5.001%"], 2, "too many digits"),
        (["shift", "books-read", "5"], 2, "did you mean 5%?"),
        (["shift", "books-read", "5%", "--wait", "soon"], 2, "'soon' is not a duration"),
        (["shift", "books-read", "5%", "--control", "ftp://x"], 2, "is not control's address"),
        (["shift", "books-read", "5%", "--control", "http://127.0.0.1:1"], 1, "is fig control or fig up running?"),
        (["publish", "nowhere.yaml"], 2, "nowhere.yaml"),
        (["publish", "--back"], 2, "there is no estate to go back to"),
        (["publish"], 2, "name an estate file, or say --back"),
    ]

    async def main() -> None:
        async with desk.control():
            await desk.fig("publish", "estate.yaml", "--wait", "0s")
            for arguments, code, said in cases:
                answer = await desk.fig(*arguments)
                assert (answer.code, said in answer.err, "Traceback" in answer.err) == (code, True, False), answer.err
            assert len((await desk.fig("history", "--json")).json()["entries"]) == 1

    asyncio.run(main())


def test_a_shift_without_a_node_is_recorded_with_a_warning(desk: Desk) -> None:
    """Without a live node a shift is done, exit 0, and says when it will be in force; a wrong token is refused."""

    async def main() -> None:
        async with desk.control():
            await desk.fig("publish", "estate.yaml", "--wait", "0s")
            answer = await desk.fig("shift", "books-read", "1%")
            assert (answer.code, answer.out) == (0, "books-read: 0% -> 1%, recorded\n")
            assert "no node is live" in answer.err
            refused = await desk.fig("status", FIG_TOKEN="not the token")  # noqa: S106 - a wrong one
            assert refused.code == 1
            assert "the token is missing or wrong" in refused.err

    asyncio.run(main())


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_control_ends_at_once_and_cleanly(desk: Desk, number: signal.Signals) -> None:
    """SIGTERM and Ctrl-C end control, exit 0, although nodes wait, and take the run file away."""

    async def main() -> None:
        async with desk.control() as control, desk.node():
            path = desk.folder / run_file.NAME
            assert path.stat().st_mode & 0o777 == 0o600
            control.send_signal(number)
            assert await asyncio.wait_for(control.wait(), 30) == 0
            assert not path.exists()
            assert control.stderr is not None
            assert await control.stderr.read() == b""

    asyncio.run(main())


def test_an_address_in_use_and_a_state_in_use_are_refused(desk: Desk) -> None:
    """A second control on one state folder, and one on an address in use, exit 2 with the reason."""

    async def main() -> None:
        async with desk.control("--json"):
            second = await desk.fig("control", "--state", "state", "--port", "0", "--no-run-file")
            assert second.code == 2
            assert "another control process runs on state" in second.err
            with socket.create_server(("127.0.0.1", 0)) as taken:
                port = str(taken.getsockname()[1])
                third = await desk.fig("control", "--state", "other", "--port", port, "--no-run-file")
            assert third.code == 2
            assert f"the address 127.0.0.1:{port} is in use" in third.err

    asyncio.run(main())


@pytest.mark.parametrize(
    ("prepare", "arguments", "said"),
    [
        (lambda folder: (folder / "t").write_text("short"), ["--token-file", "t"], "the token in t is no secret"),
        (lambda _: None, ["--token-file", "nowhere"], "the token file nowhere cannot be read"),
        (lambda _: None, ["--envoy", "nowhere"], "nowhere is not a program"),
        (lambda _: None, ["--host", "192.0.2.1"], "is not an address of this machine"),
        (lambda folder: (folder / "state").write_text(""), [], "Directory 'state' is a file"),
    ],
)
def test_control_refuses_to_start_on_wrong_options(
    desk: Desk, prepare: Callable[[Path], object], arguments: list[str], said: str
) -> None:
    """A token or an Envoy that is none, an address elsewhere, a state that is a file: exit 2, said in words."""
    prepare(desk.folder)
    answer = asyncio.run(desk.fig("control", "--state", "state", "--port", "0", *arguments))
    assert (answer.code, said in answer.err, "Traceback" in answer.err) == (2, True, False), answer.err

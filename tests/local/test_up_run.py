"""The processes of `fig up`: readiness, a process that dies, the end, and that nothing outlives it."""

import asyncio
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from infra.local.estate_run.child import Child, ReadyLine, ReadyObject, ReadyUrl, Spec
from infra.local.estate_run.errors import ChildEnded, EstateRunFailed, NotReady, StepFailed
from infra.local.estate_run.ports import choose
from infra.local.estate_run.run import Run, Stopped

DEADLINE_SECONDS = 60.0

SERVES = "import time; print('ready', flush=True); time.sleep(600)"
STUBBORN = (
    "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('ready', flush=True); time.sleep(600)"
)
# prints the id of a child of its own that ignores SIGTERM, then waits
PARENT = (
    "import subprocess, sys, time\n"
    f"child = subprocess.Popen([sys.executable, '-c', {STUBBORN!r}], stdout=subprocess.DEVNULL)\n"
    "print('child', child.pid, flush=True); print('ready', flush=True); time.sleep(600)"
)
MOVES = PARENT.replace("stdout=subprocess.DEVNULL", "stdout=subprocess.DEVNULL, start_new_session=True")


class Lines:
    """Keeps the lines of processes."""

    def __init__(self) -> None:
        self.taken: list[tuple[str, str]] = []

    def line(self, name: str, text: str) -> None:
        """Keep a line."""
        self.taken.append((name, text))

    def number_after(self, word: str) -> int:
        """The number in the first line that begins with the word."""
        return next(int(text.split()[1]) for _, text in self.taken if text.startswith(word))


def spec(name: str, code: str, *, when_gone: str | None = None, ready: str = "ready") -> Spec:
    return Spec(
        name=name,
        argv=(sys.executable, "-u", "-c", code),
        folder=Path.cwd(),
        environment=os.environ,
        ready=ReadyLine(ready),
        when_gone=when_gone,
    )


def runs(pid: int) -> bool:
    """Whether the process is there and not merely waiting to be collected."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return False
    return stat.rpartition(")")[2].split()[0] != "Z"


def until(condition: Callable[[], bool]) -> bool:
    """Wait for a condition; False when the deadline passes first."""
    deadline = time.monotonic() + DEADLINE_SECONDS
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.02)
    return True


async def started(run: Run, *specs: Spec) -> list[Child]:
    children = [await run.start(one) for one in specs]
    await run.ready(children, deadline_seconds=DEADLINE_SECONDS)
    return children


def test_lines_and_readiness() -> None:
    """A process is ready once it prints its ready line, and every line of both its streams comes under its name."""

    async def story() -> list[tuple[str, str]]:
        lines = Lines()
        run = Run(lines)
        code = "import sys, time; print('one'); print('two', file=sys.stderr); print('ready at x'); time.sleep(600)"
        await started(run, spec("a", code))
        await run.end_all()
        return lines.taken

    assert asyncio.run(story()) == [("a", "one"), ("a", "two"), ("a", "ready at x")]


def test_ready_by_what_it_tells() -> None:
    """A process that tells where it is in a line of JSON is ready then; the line, maybe a secret, is not shown."""

    async def story() -> tuple[object, list[tuple[str, str]]]:
        lines = Lines()
        run = Run(lines)
        code = "import time; print('[1]'); print('{\"login\": \"secret\"}'); print('{}'); time.sleep(600)"
        argv = (sys.executable, "-u", "-c", code)
        try:
            one = Spec(name="a", argv=argv, folder=Path.cwd(), environment=os.environ, ready=ReadyObject())
            [child] = await started(run, one)
            async with asyncio.timeout(30):
                while ("a", "{}") not in lines.taken:  # noqa: ASYNC110 - a list of lines has no event
                    await asyncio.sleep(0.01)
        finally:
            await run.end_all()
        return child.told, lines.taken

    assert asyncio.run(story()) == ({"login": "secret"}, [("a", "[1]"), ("a", "{}")])


def test_ready_by_address() -> None:
    """A process with an address is ready once the address answers 2xx, however long that takes within the deadline."""
    port = free_port()
    code = (
        "import http.server, time\n"
        "class Answer(http.server.BaseHTTPRequestHandler):\n"
        "    asked = 0\n"
        "    def log_message(self, *_): pass\n"
        "    def do_GET(self):\n"
        "        Answer.asked += 1\n"
        "        print('asked', Answer.asked, flush=True)\n"
        "        self.send_response(503 if Answer.asked < 3 else 200); self.end_headers()\n"
        f"http.server.HTTPServer(('127.0.0.1', {port}), Answer).serve_forever()\n"
    )

    async def story() -> int:
        lines = Lines()
        run = Run(lines)
        url = f"http://127.0.0.1:{port}/health"
        argv = (sys.executable, "-u", "-c", code)
        try:
            await started(
                run, Spec(name="a", argv=argv, folder=Path.cwd(), environment=os.environ, ready=ReadyUrl(url))
            )
        finally:
            await run.end_all()
        return len(lines.taken)

    assert asyncio.run(story()) == 3


def test_not_ready_in_time() -> None:
    """A process that is not ready at the deadline fails the run, and the message says what was waited for."""

    async def story() -> None:
        run = Run(Lines())
        child = await run.start(spec("slow", "import time; time.sleep(600)"))
        try:
            await run.ready([child], deadline_seconds=0.2)
        finally:
            await run.end_all()

    with pytest.raises(
        NotReady, match=r"slow was not ready after 0.2 s \(waited for a line that begins with 'ready'\)"
    ):
        asyncio.run(story())


def test_dies_before_ready() -> None:
    """A process that ends before it is ready fails the run at once, with its exit code, after its last lines."""

    async def story(lines: Lines) -> None:
        run = Run(lines)
        try:
            await started(run, spec("well", SERVES), spec("ill", "import sys; print('no such table'); sys.exit(3)"))
        finally:
            await run.end_all()

    lines = Lines()
    with pytest.raises(ChildEnded, match="ill ended with exit code 3"):
        asyncio.run(story(lines))
    assert ("ill", "no such table") in lines.taken


def test_dies_later() -> None:
    """A process that ends while the estate runs ends the run, and a signal is named."""

    async def story() -> None:
        run = Run(Lines())
        children = await started(run, spec("well", SERVES), spec("ill", SERVES))
        os.kill(children[1].pid, signal.SIGKILL)
        try:
            await run.until_stopped()
        finally:
            await run.end_all()
            assert not any(runs(child.pid) for child in children)

    with pytest.raises(ChildEnded, match="ill ended by signal SIGKILL"):
        asyncio.run(story())


def test_control_may_die() -> None:
    """The run goes on without a process that it can do without, and says so aloud."""

    async def story() -> list[tuple[str, str]]:
        lines = Lines()
        run = Run(lines)
        control, other = await started(run, spec("control", SERVES, when_gone="Requests go on."), spec("node", SERVES))
        os.kill(control.pid, signal.SIGKILL)
        waiting = asyncio.create_task(run.until_stopped())
        while not any(name == "fig up" for name, _ in lines.taken):  # noqa: ASYNC110 - what it does is print
            await asyncio.sleep(0.01)
        assert runs(other.pid)
        assert not waiting.done()
        run.ask_to_stop()
        await waiting
        await run.end_all()
        return lines.taken

    assert ("fig up", "!! control ended by signal SIGKILL. Requests go on.") in asyncio.run(story())


def test_end_takes_grandchildren() -> None:
    """Ending a process also ends what it started and left behind, even what ignores the request to end."""

    async def story() -> tuple[int, int]:
        lines = Lines()
        run = Run(lines)
        (child,) = await started(run, spec("parent", PARENT))
        grandchild = lines.number_after("child")
        assert runs(grandchild)
        await run.end_all()
        return child.pid, grandchild

    child, grandchild = asyncio.run(story())
    assert not runs(child)
    assert until(lambda: not runs(grandchild))


def test_end_takes_what_moved_away() -> None:
    """What a process moved into a session of its own, as a node does with Envoy, ends with the run all the same."""

    async def story() -> int:
        lines = Lines()
        run = Run(lines)
        (child,) = await started(run, spec("parent", MOVES))
        os.kill(child.pid, signal.SIGKILL)
        await run.end_all()
        return lines.number_after("child")

    moved = asyncio.run(story())
    assert until(lambda: not runs(moved))


def test_end_in_reverse_order() -> None:
    """Processes end in the reverse of the order in which they started, each after the one before has gone."""
    says = (
        "import signal, sys, time\n"
        "def end(*_): print('ending'); sys.exit(0)\n"
        "signal.signal(signal.SIGTERM, end); print('ready'); time.sleep(600)"
    )

    async def story() -> list[str]:
        lines = Lines()
        run = Run(lines)
        await started(run, spec("first", says), spec("second", says), spec("third", says))
        await run.end_all()
        return [name for name, text in lines.taken if text == "ending"]

    assert asyncio.run(story()) == ["third", "second", "first"]


def test_asked_twice() -> None:
    """Asked to stop a second time, the run waits for nobody: a process that ignores the first request is killed."""

    async def story() -> float:
        run = Run(Lines())
        await started(run, spec("stubborn", STUBBORN))
        run.ask_to_stop()
        run.ask_to_stop()
        begun = time.monotonic()
        await run.end_all()
        return time.monotonic() - begun

    assert asyncio.run(story()) < 4.0


def test_stop_while_starting() -> None:
    """A stop while processes still start ends the waiting at once."""

    async def story() -> None:
        run = Run(Lines())
        child = await run.start(spec("slow", "import time; time.sleep(600)"))
        asyncio.get_running_loop().call_later(0.1, run.ask_to_stop)
        try:
            await run.ready([child], deadline_seconds=60)
        finally:
            await run.end_all()

    with pytest.raises(Stopped):
        asyncio.run(story())


def test_step_exit_code() -> None:
    """A step that fails gives the run its exit code."""

    async def story() -> None:
        run = Run(Lines())
        try:
            await run.step(spec("publish", "import sys; sys.exit(2)"))
        finally:
            await run.end_all()

    with pytest.raises(StepFailed, match="publish ended with exit code 2") as raised:
        asyncio.run(story())
    assert raised.value.exit_code == 2


def test_no_such_program() -> None:
    """A program that is not there fails the run by name, without a traceback of the system's."""

    async def story() -> None:
        run = Run(Lines())
        missing = Spec(name="legacy", argv=("no-such-program",), folder=Path.cwd(), environment=os.environ)
        try:
            await run.start(missing)
        finally:
            await run.end_all()

    with pytest.raises(EstateRunFailed, match="legacy cannot be started"):
        asyncio.run(story())


def test_endless_line() -> None:
    """A process that never ends its line is read in pieces, and neither blocks nor fills the memory."""

    async def story() -> int:
        lines = Lines()
        run = Run(lines)
        code = "import sys, time; sys.stdout.write('x' * 300_000 + '\\n'); print('ready'); time.sleep(600)"
        await started(run, spec("a", code))
        await run.end_all()
        return sum(len(text) for _, text in lines.taken if text != "ready")

    assert asyncio.run(story()) == 300_000


RUNS_UNTIL_KILLED = """
import asyncio, sys
sys.path.insert(0, {root!r})
from tests.local.test_up_run import Lines, MOVES, Run, SERVES, spec, started

async def story():
    lines = Lines()
    children = await started(run := Run(lines), spec("simple", SERVES), spec("parent", MOVES))
    print(*(child.pid for child in children), lines.number_after("child"), flush=True)
    await run.until_stopped()

asyncio.run(story())
"""


def test_killed_leaves_nothing() -> None:
    """When fig up itself is killed, its processes end soon after, and so does what they started."""
    code = RUNS_UNTIL_KILLED.format(root=str(Path(__file__).parents[2]))
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True) as running:
        assert running.stdout is not None
        pids = [int(word) for word in running.stdout.readline().split()]
        assert len(pids) == 3
        assert all(runs(pid) for pid in pids)
        running.kill()
    assert until(lambda: not any(runs(pid) for pid in pids))


def free_port() -> int:
    """A free port, chosen as fig up chooses it."""
    import random  # noqa: PLC0415

    return int(choose(["PORT"], {}, random.Random())["PORT"])  # noqa: S311

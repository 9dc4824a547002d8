"""The run: start processes, wait until they are ready, watch them, end them in reverse order.

One rule: whatever happens after a process was started (a fault, a signal, a process that ends by itself), the caller
runs `end_all`.
"""

import asyncio
import contextlib
import secrets
import sys
from collections.abc import Callable, Coroutine, Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Protocol, TypeVar

from . import warden
from .child import Child, ReadyAtOnce, ReadyLine, ReadyNode, ReadyObject, ReadyUrl, Spec
from .errors import ChildEnded, EstateRunFailed, NotReady, StepFailed, ending
from .output import OWN_NAME

if TYPE_CHECKING:
    import httpx2

END_SECONDS = 12.0
"""How long a process may take to end before it is killed; a node waits up to ten seconds for its Envoy."""
_LOOK_EVERY_SECONDS = 0.05
_PROBE_SECONDS = 2.0
_WARDEN = Path(warden.__file__)

Result = TypeVar("Result")


class Lines(Protocol):
    """Takes the lines of processes."""

    def line(self, name: str, text: str) -> None:
        """Take one line of the process `name`."""


class Stopped(Exception):  # noqa: N818 - not an error: somebody asked the run to end
    """The run was asked to end."""


class Run:
    """The processes of one estate. `stop` ends it in order; `hurry` stops the waiting for processes that linger."""

    def __init__(self, output: Lines) -> None:
        self.stop = asyncio.Event()
        self.hurry = asyncio.Event()
        self._output = output
        self._mark = secrets.token_hex(8)
        self._children: list[Child] = []
        self._warden: asyncio.subprocess.Process | None = None

    def ask_to_stop(self) -> None:
        """Stop the run; asked again, in a hurry."""
        if self.stop.is_set():
            self.hurry.set()
        self.stop.set()

    async def start(self, spec: Spec) -> Child:
        """Start one process. Raises `EstateRunFailed` when it cannot even start."""
        if self._warden is None:
            self._warden = await _start_warden(self._mark)
        try:
            marked = replace(spec, environment={**spec.environment, warden.MARK: self._mark})
            child = await Child.start(marked, self._output.line)
        except OSError as error:
            message = f"{spec.name} cannot be started: {error}"
            raise EstateRunFailed(message) from error
        self._children.append(child)
        await self._tell_warden(f"+{child.pid}")
        return child

    async def ready(self, children: Iterable[Child], *, deadline_seconds: float) -> None:
        """Wait until all are ready.

        Raises:
            ChildEnded: a process ended by itself meanwhile.
            NotReady: the deadline passed.
            Stopped: the run was asked to stop.
        """
        waiting = tuple(children)
        await self.while_running(_all_ready(waiting, deadline_seconds), [*self._essential(), *waiting])

    async def step(self, spec: Spec) -> None:
        """Run a short command to its end. Raises `StepFailed` when it does not succeed."""
        child = await self.start(spec)
        try:
            returncode = await self.while_running(
                _end_of(child), [one for one in self._essential() if one is not child]
            )
        finally:
            await child.end(deadline_seconds=END_SECONDS, hurry=self.hurry)
            self._children.remove(child)
            await self._tell_warden(f"-{child.pid}")
        if returncode:
            raise StepFailed(spec.name, returncode)

    async def until_stopped(self) -> None:
        """Wait until the run is asked to stop. Raises `ChildEnded` when a process that it needs ends by itself."""
        tolerated = [
            asyncio.create_task(self._say_when_gone(child)) for child in self._children if child.spec.when_gone
        ]
        try:
            await self.while_running(self.stop.wait(), self._essential())
        except Stopped:
            return
        finally:
            for task in tolerated:
                task.cancel()

    async def while_running(self, work: Coroutine[object, object, Result], watched: Sequence[Child]) -> Result:
        """The work's result, as long as all of `watched` run and nobody stops the run."""
        task = asyncio.ensure_future(work)
        stopping = asyncio.create_task(self.stop.wait())
        try:
            await asyncio.wait(
                {task, stopping, *(child.ended for child in watched)}, return_when=asyncio.FIRST_COMPLETED
            )
            if stopping.done():
                raise Stopped
            for child in watched:
                if child.ended.done():
                    await child.last_lines()
                    raise ChildEnded(child.spec.name, child.ended.result())
            return await task
        finally:
            stopping.cancel()
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError, EstateRunFailed):
                await task

    async def end_all(self) -> None:
        """End every process, newest first, and wait for each."""
        while self._children:
            child = self._children[-1]
            await child.end(deadline_seconds=END_SECONDS, hurry=self.hurry)
            self._children.pop()
            await self._tell_warden(f"-{child.pid}")
        await asyncio.to_thread(warden.kill_marked, self._mark)
        if self._warden is not None and self._warden.stdin is not None:
            self._warden.stdin.close()
            await self._warden.wait()
            self._warden = None

    def _essential(self) -> list[Child]:
        return [child for child in self._children if child.spec.when_gone is None]

    async def _tell_warden(self, line: str) -> None:
        stream = self._warden.stdin if self._warden else None
        if stream is not None:
            # a warden that somebody killed is a lost safety net, not a reason to end the run
            with contextlib.suppress(ConnectionError):
                stream.write(f"{line}\n".encode())
                await stream.drain()

    async def _say_when_gone(self, child: Child) -> None:
        returncode = await asyncio.shield(child.ended)
        await child.last_lines()
        self._output.line(OWN_NAME, f"!! {child.spec.name} ended {ending(returncode)}. {child.spec.when_gone}")


async def _start_warden(mark: str) -> asyncio.subprocess.Process:
    return await asyncio.create_subprocess_exec(
        *(sys.executable, "-I", "-S", str(_WARDEN), mark),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.DEVNULL,
        start_new_session=True,
    )


async def _end_of(child: Child) -> int:
    return await asyncio.shield(child.ended)


async def _all_ready(children: tuple[Child, ...], deadline_seconds: float) -> None:
    await asyncio.gather(*(_ready(child, deadline_seconds) for child in children))


async def _ready(child: Child, deadline_seconds: float) -> None:
    try:
        async with asyncio.timeout(deadline_seconds):
            match child.spec.ready:
                case ReadyAtOnce():
                    return
                case ReadyLine() | ReadyObject():
                    await child.said_ready.wait()
                case ReadyUrl(url=url):
                    await _until(url, {}, lambda answer: answer.is_success)
                case ReadyNode(control=url, token=token):
                    headers = {"Authorization": f"Bearer {token}"}
                    await _until(f"{url}/v1/status", headers, _has_live_node)
    except TimeoutError as error:
        waited_for = str(child.spec.ready)
        raise NotReady(child.spec.name, waited_for=waited_for, seconds=deadline_seconds) from error


async def _until(url: str, headers: Mapping[str, str], is_ready: Callable[["httpx2.Response"], bool]) -> None:
    import httpx2  # noqa: PLC0415 - a sixth of a second that `fig up --help` need not wait

    async with httpx2.AsyncClient(timeout=_PROBE_SECONDS, trust_env=False, headers=headers) as client:
        while True:
            with contextlib.suppress(httpx2.TransportError):
                if is_ready(await client.get(url)):
                    return
            await asyncio.sleep(_LOOK_EVERY_SECONDS)


def _has_live_node(answer: "httpx2.Response") -> bool:
    return answer.is_success and any(node["live"] for node in answer.json()["nodes"])

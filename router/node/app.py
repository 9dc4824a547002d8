"""Builds a node's agent and runs it until it is told to stop."""

import asyncio
import os
import random
import signal
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from strangler_fig.diagnostics import Diagnostic, Refused

from .agent import Agent
from .backoff import Backoff
from .control import check_url, find_control
from .credentials import Choice, source
from .credentials_watch import AwsWatch
from .envoy_process import EnvoySettings, adopt, find_envoy
from .errors import Rejection
from .report import Problems
from .serving import Flip, Serving, check_entry
from .state_directory import StateDirectory
from .supervisor import Supervisor


@dataclass(frozen=True, slots=True, kw_only=True)
class NodeSettings:
    """What a user chooses about a node; `control` None means: find it."""

    state: Path
    name: str
    control: str | None
    envoy: str | None
    concurrency: int
    credentials: Choice = Choice.AUTO
    check_clock: bool = True


def _ignore(_flip: Flip) -> None:
    """Take no notice of how long a flip took."""


def run(settings: NodeSettings, *, measured: Callable[[Flip], None] = _ignore) -> None:
    """Run a node's agent until SIGTERM or SIGINT, then stop its Envoy; `measured` is told of every flip.

    Raises `Refused` when Envoy is missing or the entry's address is in use, `StateBusy` when another agent is here.
    """
    binary = find_envoy(settings.envoy)
    if settings.control is not None:
        check_url(settings.control)
    state = StateDirectory(settings.state.resolve())
    state.prepare()
    with state.held_by_one_agent():
        asyncio.run(_run(settings, state, binary, measured))


async def _run(settings: NodeSettings, state: StateDirectory, binary: Path, measured: Callable[[Flip], None]) -> None:
    problems = Problems()
    aws = AwsWatch(
        state=state,
        source=source(settings.credentials, os.environ),
        problems=problems,
        serving=lambda: serving.serving,
        say=_say,
    )
    envoy = EnvoySettings(
        binary=binary, node=settings.name, concurrency=settings.concurrency, environment=aws.environment
    )
    supervisor = Supervisor(state=state, settings=envoy, backoff=Backoff(draw=random.random), say=_say)
    serving = Serving(state=state, supervisor=supervisor, problems=problems, measured=measured)
    _refuse_taken_address(state, serving)
    agent = Agent(
        settings=envoy,
        state=state,
        supervisor=supervisor,
        serving=serving,
        problems=problems,
        aws=aws,
        check_clock=settings.check_clock,
        find_control=lambda: find_control(settings.control, os.environ, Path.cwd()),
        say=_say,
    )
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    working = asyncio.create_task(agent.run())
    stopping = asyncio.create_task(stop.wait())
    await asyncio.wait([working, stopping], return_when=asyncio.FIRST_COMPLETED)
    for task in (working, stopping):
        task.cancel()
    await asyncio.gather(working, stopping, return_exceptions=True)
    if stop.is_set():
        await supervisor.stop()
        await aws.stop()
    elif not working.cancelled():
        working.result()  # a fault of ours ends the agent, never Envoy: the next agent takes it over


def _refuse_taken_address(state: StateDirectory, serving: Serving) -> None:
    left = adopt(state)
    if left is not None:
        left.close()
        return
    manifest = serving.last_good()
    if manifest is None:
        return
    try:
        check_entry(manifest.entry)
    except Rejection as error:
        hint = "stop what listens there, or publish an estate with another entry.address"
        raise Refused([Diagnostic(code="ND104", message=str(error), hint=hint)]) from error


def _say(text: str) -> None:
    print(f"fig node: {text}", file=sys.stderr, flush=True)  # noqa: T201 - progress of a process in the foreground

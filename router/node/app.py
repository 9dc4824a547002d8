"""Builds a node's agent and runs it until it is told to stop."""

import asyncio
import os
import random
import re
import signal
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from strangler_fig.diagnostics import Diagnostic, Refused

from .admin import Admin
from .agent import Agent
from .backoff import Backoff
from .control import check_url, find_control
from .credentials import Choice, source
from .credentials_watch import AwsWatch
from .drain import DrainSettings, drain
from .entry_address import check_entry
from .envoy_process import EnvoySettings, adopt, find_envoy
from .errors import NodeFailed, Rejection
from .former_entries import FormerEntries
from .identity_watch import IdentityWatch
from .notify import Notifier
from .report import Problems
from .serving import Flip, Serving
from .state_directory import StateDirectory
from .supervisor import Supervisor
from .tls_watch import TlsWatch

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}")
_END_SECONDS = 20.0


@dataclass(frozen=True, slots=True, kw_only=True)
class NodeSettings:
    """What a user chooses about a node; `control` None means: find it."""

    state: Path
    name: str
    control: str | None
    envoy: str | None
    concurrency: int
    drain: DrainSettings
    handover_seconds: int
    frozen_after_seconds: float
    credentials: Choice = Choice.AUTO
    check_clock: bool = True


def _ignore(_flip: Flip) -> None:
    """Take no notice of how long a flip took."""


def run(settings: NodeSettings, *, measured: Callable[[Flip], None] = _ignore) -> None:
    """Run a node's agent until SIGTERM or SIGINT, then drain and stop its Envoy; `measured` is told of every flip.

    A second signal cuts the draining short. SIGHUP replaces Envoy; SIGUSR1 ends the agent and leaves Envoy running.
    Raises `Refused` when Envoy is missing or the entry's address is in use, `StateBusy` when another agent is here.
    """
    if not _NAME.fullmatch(settings.name):
        message = f"{settings.name!r} is not a node's name"
        hint = "letters, digits, '.', '_' and '-', at most 100 of them, a letter or digit first: give --name NAME"
        raise Refused([Diagnostic(code="ND106", message=message, hint=hint)])
    binary = find_envoy(settings.envoy)
    if settings.control is not None:
        check_url(settings.control)
    state = StateDirectory(settings.state.resolve())
    state.prepare()
    with state.held_by_one_agent():
        asyncio.run(_run(settings, state, binary, measured))


async def _run(settings: NodeSettings, state: StateDirectory, binary: Path, measured: Callable[[Flip], None]) -> None:
    problems = Problems()
    notifier = Notifier(os.environ)
    aws = AwsWatch(
        state=state,
        source=source(settings.credentials, os.environ),
        problems=problems,
        serving=lambda: serving.serving,
        say=_say,
    )
    envoy = EnvoySettings(
        binary=binary,
        node=settings.name,
        concurrency=settings.concurrency,
        handover_seconds=settings.handover_seconds,
        environment=aws.environment,
    )
    supervisor = Supervisor(state=state, settings=envoy, backoff=Backoff(draw=random.random), say=_say)
    former = FormerEntries(state, keep_seconds=settings.handover_seconds, problems=problems)
    serving = Serving(state=state, supervisor=supervisor, problems=problems, former=former, measured=measured)
    _refuse_taken_address(state, serving)
    agent = Agent(
        settings=envoy,
        state=state,
        supervisor=supervisor,
        serving=serving,
        problems=problems,
        aws=aws,
        identities=IdentityWatch(
            state=state, problems=problems, environment=os.environ, serving=lambda: serving.serving
        ),
        tls=TlsWatch(state=state, envoy=binary, problems=problems, serving=lambda: serving.serving),
        check_clock=settings.check_clock,
        find_control=lambda: find_control(settings.control, os.environ, Path.cwd()),
        say=_say,
        notifier=notifier,
        frozen_after_seconds=settings.frozen_after_seconds,
    )
    stop, hurry, leave = asyncio.Event(), asyncio.Event(), asyncio.Event()

    def end() -> None:
        (hurry if stop.is_set() else stop).set()

    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, end)
    loop.add_signal_handler(signal.SIGHUP, agent.renew, "it was asked for")
    loop.add_signal_handler(signal.SIGUSR1, leave.set)
    working = asyncio.create_task(agent.run())
    told = [asyncio.create_task(event.wait()) for event in (stop, leave)]
    await asyncio.wait([working, *told], return_when=asyncio.FIRST_COMPLETED)
    if stop.is_set() and not working.done():
        await _drain(settings, state, supervisor, notifier, hurry)
    for task in (working, *told):
        task.cancel()
    await asyncio.gather(working, *told, return_exceptions=True)
    if stop.is_set():
        await supervisor.stop()
        await agent.say_goodbye()
        await aws.stop()
    elif not working.cancelled():
        working.result()  # a fault of ours ends the agent, never Envoy: the next agent takes it over
    else:
        _say("Envoy serves on; the next fig node on this directory takes it over")


async def _drain(
    settings: NodeSettings, state: StateDirectory, supervisor: Supervisor, notifier: Notifier, hurry: asyncio.Event
) -> None:
    """Let requests come to their end while the agent works on: weights move until the last one is answered."""
    limits = settings.drain
    if supervisor.pid is None:
        notifier.stopping("ending")
        return
    text = f"draining: {limits.notice_seconds:g} s for the VIP, then up to {limits.finish_seconds:g} s for requests"
    _say(text)
    notifier.stopping(text)
    notifier.extend(limits.notice_seconds + 2 * limits.finish_seconds + _END_SECONDS)
    admin = Admin(state.admin_socket)
    try:
        left = await drain(admin, limits, hurry)
        if left:
            _say(f"{left} requests were still under way when their time was up")
        await supervisor.drained(deadline_seconds=0 if hurry.is_set() else limits.finish_seconds)
    except NodeFailed as error:
        _say(f"not drained: {error}")
    finally:
        admin.close()


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

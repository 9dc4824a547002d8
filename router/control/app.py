"""Puts control's parts together: the one place that makes them, and the application that a server runs."""

import asyncio
import contextlib
import sys
import time
import traceback
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from starlette.applications import Starlette
from starlette.types import ASGIApp

from ..errors import RouterFailed
from ..ledger.store import Ledger
from .api import Api
from .deciding import Deciding
from .evidence import Evidence
from .evidence_keeping import EvidenceKeeping
from .guard import HANDLERS, TokenGuard
from .intake import Intake
from .judging import Judge, Judging, real_judge
from .keeper import Keeper
from .lambda_warming import lambda_warm
from .nodes import Nodes
from .publishing import Publishing
from .ramping import Parts, Ramping
from .read_release import read_release, read_stored
from .refusal import NotDone
from .releases_api import ReleasesApi
from .releasing import Releasing
from .retirement import LegacyUse
from .running import Running
from .sharing import GRACE_SECONDS, Sharing
from .shifting import Shifting
from .stages import Stages
from .start_check import check_at_start
from .telling import Telling
from .warming import Warm, Warming

_CHORES_SECONDS = 5.0


def _now() -> datetime:
    return datetime.now(UTC)


@dataclass(frozen=True, slots=True, kw_only=True)
class Clocks:
    """The wall clock, one that counts seconds and never jumps, and for how long a silent node is counted."""

    now: Callable[[], datetime] = _now
    clock: Callable[[], float] = time.monotonic
    grace_seconds: float = GRACE_SECONDS
    look_seconds: float = 1.0
    """How often ramps are looked at without any news."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Outside:
    """What ramps need beyond control: a judge, and a way to make functions ready (None: the Lambda API)."""

    judge: Judge = real_judge
    warm: Warm | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Control:
    """Control's application and the parts that a test or a server reaches for."""

    app: ASGIApp
    keeper: Keeper
    nodes: Nodes
    publishing: Publishing
    ramping: Ramping
    intake: Intake
    legacy_use: LegacyUse

    def close(self) -> None:
        """Let everybody who waits go: the process is about to stop."""
        self.keeper.bell.close()
        self.nodes.bell.close()


def make_control(  # noqa: PLR0913 - what a process is made of; the last two have defaults
    ledger: Ledger,
    stages: Stages,
    snapshots: Path,
    token: str,
    clocks: Clocks | None = None,
    *,
    outside: Outside | None = None,
) -> Control:
    """Control over this ledger and folder of snapshots. Raises `ControlFailed` when what was published is lost."""
    times = clocks or Clocks()
    keeper = Keeper(ledger, stages, snapshots)
    known = ledger.known_nodes()
    nodes = Nodes(times.clock, known)
    sharing = Sharing(
        lambda: keeper.published.manifest.figures if keeper.published else (),
        bell=keeper.bell,
        clock=times.clock,
        expected=known,
        grace_seconds=times.grace_seconds,
    )
    ramping = _ramping(keeper, nodes, times, outside or Outside())
    releasing = Releasing(parts=ramping.parts, now=times.now, wake=ramping.wake)
    shifting = Shifting(keeper, nodes, clock=times.clock, under_a_ramp=releasing.shifted)
    publishing = Publishing(keeper, nodes, now=times.now, clock=times.clock)
    telling = Telling(keeper=keeper, now=times.now)
    keeper.decided = telling.decided
    check_at_start(keeper, times.now())
    legacy_use = LegacyUse(now=times.now, kept=ledger.legacy_use())
    intake = Intake(evidence=ramping.parts.evidence, wake=ramping.wake)
    api = Api(
        keeper=keeper,
        nodes=nodes,
        shifting=shifting,
        publishing=publishing,
        sharing=sharing,
        releases=ReleasesApi(
            ramping=ramping,
            releasing=releasing,
            load=read_release,
            legacy_use=legacy_use,
            now=times.now,
            clock=times.clock,
        ),
        intake=intake,
        now=times.now,
    )

    @contextlib.asynccontextmanager
    async def lifespan(_app: Starlette) -> AsyncIterator[None]:
        chores = asyncio.create_task(_chores(keeper, publishing, legacy_use))
        chores.add_done_callback(_tell_of_a_crash)
        tasks = (chores, asyncio.create_task(_ramps(ramping)), asyncio.create_task(telling.run()))
        yield
        ramping.parts.warming.close()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await asyncio.to_thread(ramping.keep_evidence)

    starlette = Starlette(routes=api.routes(), exception_handlers=HANDLERS, lifespan=lifespan)
    app = TokenGuard(starlette, token)
    return Control(
        app=app,
        keeper=keeper,
        nodes=nodes,
        publishing=publishing,
        ramping=ramping,
        intake=intake,
        legacy_use=legacy_use,
    )


def _ramping(keeper: Keeper, nodes: Nodes, times: Clocks, outside: Outside) -> Ramping:
    evidence = Evidence(times.clock)
    running = Running(read_stored, keeper.ledger.document)
    parts = Parts(
        keeping=EvidenceKeeping(evidence=evidence, ledger=keeper.ledger, clock=times.clock),
        keeper=keeper,
        nodes=nodes,
        evidence=evidence,
        judging=Judging(evidence=evidence, judge=outside.judge),
        running=running,
        deciding=Deciding(keeper, running),
        warming=Warming(
            warm=outside.warm or lambda_warm(lambda: keeper.published.estate if keeper.published else None)
        ),
    )
    return Ramping(parts=parts, now=times.now, every_seconds=times.look_seconds)


async def _ramps(ramping: Ramping) -> None:
    """Run the ramps for as long as the process does; a crash is our fault, but no breaker may stay away for it."""
    while True:
        try:
            await ramping.run()
        except Exception as error:  # noqa: BLE001 - the process's entry for this work; it is told, and begun again
            ramping.problems = ("looking at ramps crashed, and was begun again: control's output says how",)
            sys.stderr.write(f"control: {ramping.problems[0]}\n")
            sys.stderr.write("".join(traceback.format_exception(error)))
            await asyncio.sleep(ramping.every_seconds)


async def _chores(keeper: Keeper, publishing: Publishing, legacy_use: LegacyUse) -> None:
    """Write what could not be written, and fold weights at rest, for as long as the process runs."""
    while True:
        await asyncio.sleep(_CHORES_SECONDS)
        try:
            await keeper.catch_up()
            await publishing.fold()
            await asyncio.to_thread(legacy_use.keep, keeper.ledger, keeper.desired)
        except RouterFailed as error:
            sys.stderr.write(f"control: {error}\n")
        except NotDone as refused:
            found = "; ".join(one.message for one in refused.diagnostics) or refused.message
            sys.stderr.write(f"control: weights at rest could not be folded: {found}\n")


def _tell_of_a_crash(chores: "asyncio.Task[None]") -> None:
    if not chores.cancelled() and (error := chores.exception()) is not None:
        sys.stderr.write("control: folding stopped; shifts go on. Restart control when it suits.\n")
        sys.stderr.write("".join(traceback.format_exception(error)))

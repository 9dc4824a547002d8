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
from .guard import HANDLERS, TokenGuard
from .keeper import Keeper
from .nodes import Nodes
from .publishing import Publishing
from .refusal import NotDone
from .sharing import GRACE_SECONDS, Sharing
from .shifting import Shifting
from .stages import Stages

_CHORES_SECONDS = 5.0


def _now() -> datetime:
    return datetime.now(UTC)


@dataclass(frozen=True, slots=True, kw_only=True)
class Clocks:
    """The wall clock, one that counts seconds and never jumps, and for how long a silent node is counted."""

    now: Callable[[], datetime] = _now
    clock: Callable[[], float] = time.monotonic
    grace_seconds: float = GRACE_SECONDS


@dataclass(frozen=True, slots=True, kw_only=True)
class Control:
    """Control's application and the parts that a test or a server reaches for."""

    app: ASGIApp
    keeper: Keeper
    nodes: Nodes
    publishing: Publishing

    def close(self) -> None:
        """Let everybody who waits go: the process is about to stop."""
        self.keeper.bell.close()
        self.nodes.bell.close()


def make_control(ledger: Ledger, stages: Stages, snapshots: Path, token: str, clocks: Clocks | None = None) -> Control:
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
    shifting = Shifting(keeper, nodes, clock=times.clock)
    publishing = Publishing(keeper, nodes, now=times.now, clock=times.clock)
    api = Api(keeper=keeper, nodes=nodes, shifting=shifting, publishing=publishing, sharing=sharing, now=times.now)

    @contextlib.asynccontextmanager
    async def lifespan(_app: Starlette) -> AsyncIterator[None]:
        chores = asyncio.create_task(_chores(keeper, publishing))
        chores.add_done_callback(_tell_of_a_crash)
        yield
        chores.cancel()
        await asyncio.gather(chores, return_exceptions=True)

    starlette = Starlette(routes=api.routes(), exception_handlers=HANDLERS, lifespan=lifespan)
    return Control(app=TokenGuard(starlette, token), keeper=keeper, nodes=nodes, publishing=publishing)


async def _chores(keeper: Keeper, publishing: Publishing) -> None:
    """Write what could not be written, and fold weights at rest, for as long as the process runs."""
    while True:
        await asyncio.sleep(_CHORES_SECONDS)
        try:
            await keeper.catch_up()
            await publishing.fold()
        except RouterFailed as error:
            sys.stderr.write(f"control: {error}\n")
        except NotDone as refused:
            found = "; ".join(one.message for one in refused.diagnostics) or refused.message
            sys.stderr.write(f"control: weights at rest could not be folded: {found}\n")


def _tell_of_a_crash(chores: "asyncio.Task[None]") -> None:
    if not chores.cancelled() and (error := chores.exception()) is not None:
        sys.stderr.write("control: folding stopped; shifts go on. Restart control when it suits.\n")
        sys.stderr.write("".join(traceback.format_exception(error)))

"""The story, act by act: a ramp up, the way back, and a Lambda that breaks while everybody is on it."""

import asyncio
import math
import secrets
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Self
from urllib.parse import urlsplit

from .connection import Connection, ConnectionBroken
from .estate import EstateFailed, LocalEstate, Shift
from .observed import Observed, Told
from .sides import Sides
from .summary import Summary
from .table import Display
from .tally import Tally
from .traffic import Load, Seen, Traffic

ROUTE = "books-read"
RAMP = (5.0, 25.0, 50.0, 100.0)
USERS = tuple(f"user-{number:03}" for number in range(400))
_REFRESH_SECONDS = 0.25
_MOST_FOLLOWED = 50
"""How often it is tried; while functions start on a busy machine, legacy answers."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Pace:
    """How long the acts take, in seconds."""

    before: float
    step: float
    back: float
    broken: float
    after: float

    @classmethod
    def of(cls, step: float) -> Self:
        """The pace of a story whose steps take so long."""
        return cls(before=0.6 * step, step=step, back=0.8 * step, broken=1.4 * step, after=0.6 * step)


class Story:
    """The acts on a running estate."""

    def __init__(self, estate: LocalEstate, display: Display, pace: Pace, users: tuple[str, ...] = USERS) -> None:
        self._estate = estate
        self._display = display
        self._pace = pace
        self._users = users
        self._sides = Sides()
        self._tally = Tally()
        self._shifts: list[Shift] = []
        self._weight = 0.0
        self._broken_since: float | None = None
        self._lambda_while_broken = 0
        self._fallbacks_while_well = 0
        self._followed = 0
        self._begun = time.time()

    async def tell(self) -> Summary:
        """Tell it, and return how it ended."""
        pace = self._pace
        await self._start_at_zero()
        async with self._traffic():
            self._display.act(f"{len(self._users)} users read books. All of it is answered by the legacy application.")
            await self._hold(pace.before)
            for weight in RAMP:
                await self._shift(weight)
                await self._hold(pace.step)
            trace = await self._follow_one()
            self._display.act("Everything can go back at once.")
            await self._shift(0)
            await self._hold(pace.back)
            self._display.act("Now with everybody on Lambda, Lambda breaks.")
            await self._shift(100)
            await self._hold(pace.after)
            await self._break_lambda()
            self._display.act("Every call of the function fails. Legacy answers every read; users notice nothing.")
            await self._hold(pace.broken)
            await self._mend_lambda()
            self._display.act("Lambda is well again, and the route goes home.")
            await self._shift(0)
            await self._hold(pace.after)
        requests = self._tally.reads + self._followed
        told = Told(route=ROUTE, requests=requests, since=self._begun, weight=self._weight, trace_id=trace)
        return self._summary(await self._estate.observed(told))

    async def _start_at_zero(self) -> None:
        # an estate that ran before keeps its weights
        self._shifts.append(await self._estate.shift(ROUTE, 0, reason="demo: begin on legacy"))

    async def _follow_one(self) -> str:
        """Send one more read, for which the function asks legacy, with a trace to follow; returns the trace's id."""
        entry = urlsplit(self._estate.addresses["entry"])
        connection = Connection(entry.hostname or "", entry.port or 0)
        try:
            while True:
                trace = secrets.token_hex(16)
                headers = {"x-user": self._users[0], "traceparent": f"00-{trace}-{secrets.token_hex(8)}-01"}
                self._followed += 1
                answer = await connection.send("GET", "/books/7/stock", headers)
                if answer.headers.get("x-fig-side") == "lambda" or self._followed >= _MOST_FOLLOWED:
                    return trace
        except ConnectionBroken as error:
            message = f"the request that was to be followed failed: {error}"
            raise EstateFailed(message) from error
        finally:
            connection.close()

    async def _break_lambda(self) -> None:
        # between two moments nobody knows which it is: what is sent then is judged neither way
        self._broken_since = math.inf
        await self._estate.make_lambda("error")
        self._broken_since = time.monotonic()

    async def _mend_lambda(self) -> None:
        self._broken_since = math.inf
        await self._estate.make_lambda("none")
        self._broken_since = None

    async def _shift(self, weight: float) -> None:
        self._display.act(f"$ fig shift {ROUTE} {weight:g}%")
        self._sides.shifting(weight)
        shifting = asyncio.create_task(self._estate.shift(ROUTE, weight, reason="demo"))
        try:
            while not (await asyncio.wait({shifting}, timeout=_REFRESH_SECONDS))[0]:
                self._display.refresh(self._tally, self._weight)
        finally:
            shifting.cancel()
        shift = await shifting
        self._sides.in_force()
        self._weight = weight
        self._shifts.append(shift)
        self._display.act(f"  {weight:g}% in force after {shift.in_force_ms:.1f} ms")

    async def _hold(self, seconds: float) -> None:
        until = time.monotonic() + seconds
        while (rest := until - time.monotonic()) > 0:
            self._display.refresh(self._tally, self._weight)
            await asyncio.sleep(min(_REFRESH_SECONDS, rest))

    @asynccontextmanager
    async def _traffic(self) -> AsyncIterator[None]:
        entry = urlsplit(self._estate.addresses["entry"])
        load = Load(users=self._users)
        traffic = Traffic(entry.hostname or "", entry.port or 0, load, mark=self._sides.mark, seen=self._seen)
        running = asyncio.create_task(traffic.run())
        try:
            yield
            traffic.stop()
            await running
        finally:
            running.cancel()
            await asyncio.wait({running})

    def _seen(self, seen: Seen) -> None:
        self._tally.add(seen, time.monotonic())
        sent = time.monotonic() - seen.seconds
        if self._broken_since is None:
            self._fallbacks_while_well += seen.fell_back
        elif sent > self._broken_since and seen.side == "lambda":
            self._lambda_while_broken += 1
        if seen.is_read and seen.assigned:
            self._sides.seen(seen.user, seen.mark, seen.assigned)

    def _summary(self, observed: Observed | None) -> Summary:
        tally = self._tally
        return Summary(
            requests=tally.requests,
            reads=tally.reads,
            failed=tally.failed,
            users=len(self._users),
            bounced_users=len(self._sides.bounced),
            fallbacks=tally.fallbacks,
            answered_by_lambda=tally.by_lambda,
            fallbacks_while_well=self._fallbacks_while_well,
            answered_by_lambda_while_broken=self._lambda_while_broken,
            silent=tally.silent,
            shifts=tuple(self._shifts),
            held=self._sides.held(),
            faults=tuple(tally.faults),
            observed=observed,
        )

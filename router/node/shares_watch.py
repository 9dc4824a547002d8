"""Watches how much of its shares this node uses, for its reports."""

import asyncio
from typing import Any

from .admin import Admin
from .errors import Unreachable
from .serving import Serving
from .shares_use import Counts, Use, read_counts
from .supervisor import EnvoyState, Supervisor


class SharesWatch:
    """The shares in force with what was counted *after* they came in force.

    In this order: control lets another node grow by what this one gave up, as soon as it is not in use any more.
    """

    def __init__(self, admin: Admin, serving: Serving, supervisor: Supervisor) -> None:
        self._admin = admin
        self._serving = serving
        self._supervisor = supervisor
        self._use: Use | None = None
        self._turn = asyncio.Lock()  # of two looks the later one must be reported last

    async def look(self) -> None:
        """Count what is in use now."""
        async with self._turn:
            shares, serving = self._serving.shares, self._serving.serving
            if shares is None or serving is None:
                return  # an Envoy that an agent before this one left may have some
            counts = Counts()
            if self._supervisor.state is EnvoyState.RUNNING:
                try:
                    counts = await read_counts(self._admin, serving)
                except Unreachable:
                    return  # Envoy ended: what was counted last holds until it starts again
            self._use = Use(shares=shares, figures=serving.figures, counts=counts)

    async def look_at_news(self) -> None:
        """Count what is in use now if other shares came in force; a flip of weights must not wait for it."""
        if self._use is None or self._serving.shares != self._use.shares:
            await self.look()

    def report(self) -> dict[str, Any] | None:
        """The part of a report that is about shares; None as long as it is not known which Envoy has."""
        return self._use.report() if self._use else None

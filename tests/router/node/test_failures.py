"""When a node tells control of failures before its next report is due."""

import asyncio
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

from router.node.admin import Admin
from router.node.reporting import Reporting, Told
from router.node.state_directory import StateDirectory


class CountingAdmin(Admin):
    """Envoy's admin interface with counters that the test sets: requests meant for Lambda, by who answered and how."""

    def __init__(self) -> None:
        super().__init__(Path("nowhere"))
        self.counts: dict[tuple[str, int], int] = {}
        self.epoch = 7

    async def text(self, target: str, *, timeout_seconds: float = 10.0) -> bytes:  # noqa: ARG002 - the base class's
        """The counters as Envoy writes them."""
        lines = [
            f'envoy_fig_requests_total{{fig_route="books",fig_assigned="lambda",fig_side="{side}",'
            f'http_response_status_code="{status}"}} {count}'
            for (side, status), count in self.counts.items()
        ]
        return "".join(f"{line}\n" for line in lines).encode()

    async def process_id(self) -> int:
        """Which Envoy counted."""
        return self.epoch


def reporting(admin: Admin, folder: Path) -> Reporting:
    """Reports that nobody sends; what they would repeat is not asked for here."""
    told = cast("Told", SimpleNamespace(serving=SimpleNamespace(serving=None)))
    one = Reporting(node="n", state=StateDirectory(folder), admin=admin, told=told, find_control=lambda: None)
    one._counters = cast("Any", SimpleNamespace(read=_nothing))  # noqa: SLF001 - told every ten seconds, not here
    return one


async def _nothing(_admin: Admin) -> None:
    """Read nothing."""


def test_failures_on_lambda_are_told_at_once_and_once_between_reports(tmp_path: Path) -> None:
    """A fallback or a 5xx that is new pokes the report; more successes, a second time, or another Envoy do not."""
    admin = CountingAdmin()
    one = reporting(admin, tmp_path)

    async def is_told() -> bool:
        one._poked.clear()  # noqa: SLF001 - the report's own signal
        assert await one.read_failures() >= 0.25
        return one._poked.is_set()  # noqa: SLF001 - as above

    async def main() -> None:
        admin.counts = {("lambda", 200): 5}
        assert not await is_told()
        await one.read()
        admin.counts[("lambda", 200)] = 9
        assert not await is_told()
        admin.counts[("legacy", 200)] = 1
        assert await is_told()
        admin.counts[("lambda", 500)] = 1
        assert not await is_told()
        await one.read()
        assert not await is_told()
        admin.counts[("lambda", 500)] = 2
        admin.epoch = 8
        assert not await is_told()
        await one.read()
        admin.counts[("lambda", 500)] = 3
        assert await is_told()

    asyncio.run(main())


def test_what_may_be_a_disaster_is_told_each_time(tmp_path: Path) -> None:
    """Two failures more that are a thirtieth of what Lambda was asked are told again before the next report."""
    admin = CountingAdmin()
    one = reporting(admin, tmp_path)

    async def is_told(failed: int, good: int) -> bool:
        admin.counts = {("lambda", 200): good, ("legacy", 200): failed}
        one._poked.clear()  # noqa: SLF001 - the report's own signal
        await one.read_failures()
        return one._poked.is_set()  # noqa: SLF001 - as above

    async def main() -> None:
        admin.counts = {("lambda", 200): 5}
        await one.read()
        assert await is_told(failed=1, good=5)
        assert not await is_told(failed=2, good=5)
        assert await is_told(failed=3, good=5)
        assert await is_told(failed=5, good=6)
        assert not await is_told(failed=8, good=106)

    asyncio.run(main())

"""Which routes are ready for retirement: a release held them at 100 %; and when legacy was last asked.

Legacy is asked for a route by users who were assigned to it and by fallbacks. Nodes count the former for moving routes
only; a route at rest at 100 % has none of them, and its fallbacks are among the faults, which are counted for all.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from ..ledger.records import Desired, ReleaseRecord
from ..ledger.store import Ledger
from ..ramp.state import Phase
from ..weight import LAMBDA_ONLY
from .nodes import Report
from .state import weight_of

_Counts = dict[str, int]


@dataclass(slots=True)
class LegacyUse:
    """When legacy was last asked, by route. `now` is the wall clock; `kept` is what the ledger has."""

    now: Callable[[], datetime]
    kept: dict[str, datetime] = field(default_factory=dict)
    _last: dict[tuple[str, str], tuple[str, _Counts]] = field(default_factory=dict)
    _unkept: set[str] = field(default_factory=set)

    def heard(self, node: str, report: Report) -> None:
        """Take note of what grew since the node's last report; its first one may be old news."""
        for kind, said, counts in (("traffic", report.traffic, _asked), ("counters", report.counters, _fallbacks)):
            if said is None:
                continue
            epoch, new = str(said["epoch"]), dict(counts(said["routes"]))
            known = self._last.get((node, kind))
            self._last[node, kind] = (epoch, new)
            if known is not None:
                old = known[1] if known[0] == epoch else {}
                self._used(route for route, count in new.items() if count > old.get(route, 0))

    def keep(self, ledger: Ledger, desired: Desired) -> None:
        """Write it down for the routes that are all Lambda's: others are used anyway. Blocks. Raises `LedgerFailed`."""
        due = {route for route in self._unkept if weight_of(desired, route) == LAMBDA_ONLY}
        if due:
            ledger.note_legacy_use({route: self.kept[route] for route in due})
            self._unkept -= due

    def _used(self, routes: Iterable[str]) -> None:
        for route in routes:
            self.kept[route] = self.now()
            self._unkept.add(route)


def ready_for_retirement(
    desired: Desired, past: Iterable[ReleaseRecord], ledger: Ledger, use: LegacyUse
) -> list[dict[str, Any]]:
    """The routes that their last release completed at 100 %, and that are there still; blocks."""
    completed = [one for one in past if one.outcome == Phase.COMPLETED.value]
    routes = ledger.routes_of(one.id for one in completed)
    found: dict[str, dict[str, Any]] = {}
    for release in completed:
        for route in routes.get(release.id, ()):
            last = use.kept.get(route)
            about = {
                "route": route,
                "release": release.name,
                "since": release.ended_at.isoformat() if release.ended_at else None,
                "legacy_last_request": last.isoformat() if last else None,
            }
            if weight_of(desired, route) == LAMBDA_ONLY:
                found.setdefault(route, about)
    return [about for _, about in sorted(found.items())]


def _asked(routes: Mapping[str, Any]) -> Iterator[tuple[str, int]]:
    for route, sides in routes.items():
        own = sides.get("legacy", {}).get("requests", 0)
        yield route, int(own + sides.get("lambda", {}).get("fallbacks", 0))


def _fallbacks(routes: Mapping[str, Any]) -> Iterator[tuple[str, int]]:
    for route, faults in routes.items():
        yield route, int(faults.get("requests", {}).get("fallback", 0))

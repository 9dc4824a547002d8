"""Asks the gate about a ramp: its window's evidence, route by route, in; verdicts, and what they were made on, out."""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from ..gate.evidence import RouteEvidence, SideEvidence
from ..gate.values import Gate
from ..gate.verdict import Verdict
from ..gate.window import Window
from ..gate.wire import evidence_from_json, evidence_to_json
from ..ledger.records import RampKey
from ..ramp.events import Judged, RouteVerdict, Versions
from ..weight import LEGACY_ONLY
from .evidence import Evidence, Seen, WindowKey
from .running import Live

Judge = Callable[[Gate, Window], Verdict]


def real_judge(gate: Gate, window: Window) -> Verdict:
    """The verdict of this package's gate."""
    from ..gate.judge import judge  # noqa: PLC0415 - heavy, and needed only where a release runs

    return judge(gate, window)


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """What one look at a ramp found: what was judged, which versions answer, and the windows as JSON for the ledger."""

    judged: Judged
    versions: Versions | None
    windows: dict[str, Window]

    def document(self) -> str:
        """What the verdicts were made on, as the ledger keeps it."""
        verdicts = {one.route: one.verdict for one in self.judged.verdicts}
        routes = {route: _window_json(window, verdicts[route]) for route, window in self.windows.items()}
        return json.dumps({"window": self.judged.window, "routes": routes}, sort_keys=True)


@dataclass(slots=True)
class Judging:
    """Looks at ramps. It remembers legacy's side of the last window that had enough of it, as the baseline."""

    evidence: Evidence
    judge: Judge
    problems: dict[str, str] = field(default_factory=dict)
    _latest: dict[tuple[RampKey, str], tuple[int, SideEvidence]] = field(default_factory=dict)
    _baseline: dict[tuple[RampKey, str], SideEvidence] = field(default_factory=dict)

    def open(self, live: Live, now: datetime) -> None:
        """See to it that the ramp's evidence window is open; it warms up from when its weight is in force."""
        since = live.state.evidence_since
        warm_up = max(0.0, live.ramp.gate.warm_up_seconds - (now - since).total_seconds()) if since else 0.0
        self.evidence.open(window_key(live), warm_up_seconds=warm_up)

    def remember(self, live: Live, route: str, document: str) -> bool:
        """Take legacy's side from what an earlier step was decided on, as the baseline; whether it had enough of it."""
        kept = json.loads(document)["routes"].get(route, {}).get("evidence")
        legacy = evidence_from_json(kept).legacy if kept else None
        if legacy is None or not _is_enough(legacy, live.ramp.gate):
            return False
        self._baseline[live.key, route] = legacy
        return True

    def look(self, live: Live, serving: Sequence[str], now: datetime) -> Look | None:
        """What the gate says now; None for a ramp that has nobody on Lambda."""
        if live.state.is_over or live.state.weight == LEGACY_ONLY:
            return None
        windows = {route: self._window(live, route, serving, now) for route in live.ramp.routes}
        verdicts = tuple(
            RouteVerdict(route=route, verdict=self.judge(live.ramp.gate, window)) for route, window in windows.items()
        )
        return Look(
            judged=Judged(window=live.state.window, verdicts=verdicts),
            versions=_versions(live, windows),
            windows=windows,
        )

    def _window(self, live: Live, route: str, serving: Sequence[str], now: datetime) -> Window:
        state, ramp = live.state, live.ramp
        seen = self._seen(live, route, serving)
        since = state.evidence_since
        return Window(
            evidence=seen.evidence,
            weight=state.weight,
            elapsed_seconds=max(0.0, (now - since).total_seconds()) if since else 0.0,
            age_seconds=seen.age_seconds,
            counted_seconds=seen.counted_seconds,
            step=state.step,
            steps=len(ramp.steps),
            recent=seen.recent,
            version=dict(state.versions).get(route),
            holdback=ramp.steps[state.step].holdback > 0,
            baseline=self._last_baseline(live, route, seen.evidence),
        )

    def _seen(self, live: Live, route: str, serving: Sequence[str]) -> Seen:
        """What was counted; where nodes count differently, as in the middle of an upgrade, the ramp holds."""
        seen = self.evidence.seen(window_key(live), route, serving)
        self.problems.pop(route, None)
        if seen.problem:
            self.problems[route] = f"the evidence of {route} cannot be added up: {seen.problem}"
        return seen

    def _last_baseline(self, live: Live, route: str, evidence: RouteEvidence | None) -> SideEvidence | None:
        key, gate = (live.key, route), live.ramp.gate
        latest = self._latest.get(key)
        if latest is not None and latest[0] != live.state.window:
            self._baseline[key] = latest[1]
        legacy = evidence.legacy if evidence else None
        if legacy is not None and _is_enough(legacy, gate):
            self._latest[key] = (live.state.window, legacy)
        return self._baseline.get(key)


def _is_enough(legacy: SideEvidence, gate: Gate) -> bool:
    return legacy.requests >= gate.minimum_requests and legacy.buckets_seen >= gate.minimum_users


def window_key(live: Live) -> WindowKey:
    """The key of the ramp's present evidence window."""
    return (*live.key, live.state.window)


def _versions(live: Live, windows: dict[str, Window]) -> Versions | None:
    """Which versions answer lately; one beside the known version changes nothing, the gate sees both."""
    known = dict(live.state.versions)
    told: list[tuple[str, str]] = []
    for route, window in windows.items():
        counts = window.recent[0].lambda_.executed_versions
        if counts and known.get(route) not in counts:
            told.append((route, max(counts, key=lambda version: counts[version])))
    return Versions(versions=tuple(told)) if told else None


def _window_json(window: Window, verdict: Verdict) -> dict[str, Any]:
    return {
        "weight": window.weight.parts,
        "elapsed_seconds": round(window.elapsed_seconds, 3),
        "age_seconds": round(window.age_seconds, 3),
        "version": window.version,
        "evidence": evidence_to_json(window.evidence) if window.evidence else None,
        "recent": evidence_to_json(window.recent[0]),
        "verdict": verdict.to_json(),
    }

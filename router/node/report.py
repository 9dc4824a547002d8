"""What a node tells control, each second and at once after every change."""

import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from .local_moves import LocalMove
from .supervisor import Supervisor
from .traffic import Traffic

_SHOWN_AFTER_MENDING_SECONDS = 60.0


@dataclass(slots=True)
class Problems:
    """What is wrong on this host, by subject; a mended problem stays visible for a minute, so that somebody sees it."""

    clock: Callable[[], float] = time.monotonic
    _open: dict[str, str] = field(default_factory=dict)
    _mended: dict[str, tuple[str, float]] = field(default_factory=dict)

    def note(self, subject: str, text: str) -> None:
        """There is a problem; a later one with the same subject replaces it."""
        self._open[subject] = text
        self._mended.pop(subject, None)

    def mend(self, subject: str) -> None:
        """The subject is in order again."""
        text = self._open.pop(subject, None)
        if text is not None:
            self._mended[subject] = (text, self.clock() + _SHOWN_AFTER_MENDING_SECONDS)

    def texts(self) -> list[str]:
        """The open problems, then those that were mended a short while ago."""
        now = self.clock()
        self._mended = {subject: one for subject, one in self._mended.items() if one[1] > now}
        return [*self._open.values(), *(f"{text} (mended since)" for text, _ in self._mended.values())]


@dataclass(frozen=True, slots=True, kw_only=True)
class Refusal:
    """A snapshot that this node did not take, and why."""

    snapshot: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class InForce:
    """What this node serves: the snapshot's digest, control's version of the weights, the entry's address."""

    snapshot: str | None
    weights_version: int
    entry: str | None


def render(  # noqa: PLR0913 - one argument for each part of the report
    *,
    node: str,
    revision: int,
    in_force: InForce,
    supervisor: Supervisor,
    problems: Problems,
    refusal: Refusal | None,
    local_moves: Iterable[LocalMove],
    traffic: Traffic | None,
    counters: Mapping[str, Any] | None,
    aws: Mapping[str, Any] | None,
    shares: Mapping[str, Any] | None,
    certificates: Sequence[Mapping[str, Any]],
    at: str,
) -> dict[str, Any]:
    """The report as control's API has it."""
    judged = traffic.evidence if traffic else None
    return {
        "revision": revision,
        "snapshot": in_force.snapshot,
        "weights_version": in_force.weights_version,
        "entry": in_force.entry,
        "envoy": {
            "state": supervisor.state.value,
            "pid": supervisor.pid,
            "version": supervisor.version,
            "restarts": supervisor.restarts,
        },
        "problems": problems.texts(),
        "rejected": {"snapshot": refusal.snapshot, "reason": refusal.reason} if refusal else None,
        "local_moves": [move.to_json() for move in local_moves],
        "traffic": traffic.to_json() if traffic else None,
        "evidence": judged.to_json(node=node, weights_version=in_force.weights_version) if judged else None,
        "counters": counters,
        "aws": aws,
        "shares": shares,
        "certificates": certificates,
        "at": at,
    }

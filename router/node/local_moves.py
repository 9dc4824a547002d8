"""The journal of moves that this host made alone, and what of it control does not know yet.

A move towards legacy waits for nobody. It is written here, and until control has acknowledged it *and* has said
something newer, the route's weight on this host is never above it.
"""

import json
import os
import uuid
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from ..weight import LEGACY_ONLY, Weight


@dataclass(frozen=True, slots=True, kw_only=True)
class LocalMove:
    """One route moved on this host; weights in parts per 10,000, `at` in ISO 8601."""

    id: str
    route: str
    from_parts: int
    to_parts: int
    actor: str
    reason: str
    at: str

    def to_json(self) -> dict[str, Any]:
        """The move as control's API and the journal have it."""
        content = asdict(self)
        content["from"], content["to"] = content.pop("from_parts"), content.pop("to_parts")
        return content


def local_move(route: str, before: Weight, *, actor: str, reason: str) -> LocalMove:
    """A move of that route to legacy, made now."""
    return LocalMove(
        id=uuid.uuid4().hex,
        route=route,
        from_parts=before.parts,
        to_parts=LEGACY_ONLY.parts,
        actor=actor,
        reason=reason,
        at=datetime.now(UTC).isoformat(),
    )


class LocalMoves:
    """The journal file: one JSON object a line, appended only; other processes may append too."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._read_up_to: tuple[int, int] | None = None
        self._moves: dict[str, LocalMove] = {}

    def append(self, moves: Iterable[LocalMove]) -> None:
        """Add moves durably. Raises `OSError`."""
        self._append(move.to_json() for move in moves)

    def acknowledge(self, identifiers: Iterable[str]) -> None:
        """Note that control has recorded these moves: they are no longer pending. Raises `OSError`."""
        known = [{"acknowledged": one} for one in identifiers if one in self.pending()]
        if known:
            self._append(known)

    def pending(self) -> Mapping[str, LocalMove]:
        """The moves that control has not acknowledged, by id, oldest first. Damaged lines are passed over."""
        try:
            status = self._path.stat()
        except FileNotFoundError:
            return {}
        mark = (status.st_size, status.st_mtime_ns)
        if mark != self._read_up_to:
            self._moves = _pending(self._path.read_bytes())
            self._read_up_to = mark
        return self._moves

    def _append(self, records: Iterable[Mapping[str, Any]]) -> None:
        data = "".join(json.dumps(record) + "\n" for record in records).encode()
        descriptor = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)
        try:
            size = os.fstat(descriptor).st_size
            if size and os.pread(descriptor, 1, size - 1) != b"\n":
                data = b"\n" + data  # a crash cut the last line short: it must not swallow this one
            os.write(descriptor, data)
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def held(weights: Mapping[str, Weight], limits: Mapping[str, int], built_in: Mapping[str, int]) -> dict[str, Weight]:
    """The weights, none above its limit; a route without a weight of its own has the one built into its snapshot."""
    result = dict(weights)
    for route, limit in limits.items():
        if route in built_in:
            present = result[route].parts if route in result else built_in[route]
            if present > limit:
                result[route] = Weight(limit)
    return result


def _pending(data: bytes) -> dict[str, LocalMove]:
    moves: dict[str, LocalMove] = {}
    for line in data.splitlines():
        try:
            record = json.loads(line)
            if "acknowledged" in record:
                moves.pop(record["acknowledged"], None)
                continue
            move = LocalMove(
                from_parts=Weight(record.pop("from")).parts, to_parts=Weight(record.pop("to")).parts, **record
            )
        except (ValueError, KeyError, TypeError, AttributeError):
            continue  # a line that a crash cut short; the weight that it meant is in force from the weights file anyway
        moves[move.id] = move
    return moves

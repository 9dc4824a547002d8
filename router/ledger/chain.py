"""The history's chain: each entry's digest covers its content and the digest before it, so that the past cannot change.

What a check finds: a line that was changed, removed, put in, or moved; a tail that was cut off, because the head's
digest and number stand in `desired` too. What it cannot find alone: a history that somebody wrote anew from some line
on, head included. For that a head that was noted elsewhere (a plan file, telemetry) is given to the check.
"""

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

GENESIS = "0" * 64
"""What stands before the first entry."""
COVERED = (
    "id",
    "at",
    "kind",
    "route",
    "before_parts",
    "after_parts",
    "actor",
    "reason",
    "snapshot",
    "node",
    "move_id",
    "release_name",
    "step",
    "evidence",
    "details",
    "previous",
)
"""The columns that a digest covers: all but itself."""

Line = Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Head:
    """The last entry's number and digest, as they are kept apart from the history."""

    entries: int = 0
    digest: str = GENESIS


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """What a check of the whole history found; no faults: it is as it was written."""

    entries: int
    head: str
    faults: tuple[str, ...]

    def to_json(self) -> dict[str, Any]:
        """The same as JSON values."""
        return {"entries": self.entries, "head": self.head, "intact": not self.faults, "faults": list(self.faults)}


def text_digest(text: str) -> str:
    """The SHA-256 of a text: the name of a document in the ledger."""
    return hashlib.sha256(text.encode()).hexdigest()


def sealed(line: Line, head: Head) -> dict[str, Any]:
    """The line as the entry after `head`: with its number, the digest before it, and its own."""
    whole = {**line, "id": head.entries + 1, "previous": head.digest}
    return {**whole, "digest": line_digest(whole)}


def line_digest(line: Line) -> str:
    """The SHA-256 of a line's covered columns, in canonical JSON."""
    content = {name: line[name] for name in COVERED}
    return text_digest(json.dumps(content, sort_keys=True, separators=(",", ":"), ensure_ascii=False))


def check(lines: Iterable[Line], kept: Head, noted: str | None = None) -> Check:
    """What is wrong with these lines (by number), whose head should be `kept`; `noted`: a digest that must be there."""
    last, faults, met = Head(), list[str](), noted is None or noted == GENESIS
    for line in lines:
        faults += _faults(line, last)
        last = Head(entries=line["id"], digest=line["digest"])
        met = met or last.digest == noted
    if last.entries < kept.entries:
        faults.append(f"the history ends with line {last.entries}, but {kept.entries} were written: its tail is gone")
    elif last != kept:
        faults.append(f"line {last.entries} is the last one, but is not the one that was written last")
    if not met:
        faults.append(f"no line has the digest {noted}: the history was written anew since that was noted")
    return Check(entries=last.entries, head=last.digest, faults=tuple(faults))


def _faults(line: Line, last: Head) -> Iterator[str]:
    number = line["id"]
    if number != last.entries + 1:
        yield f"line {number} follows line {last.entries}: lines between them are gone, or some were put elsewhere"
    if line["digest"] != line_digest(line):
        yield f"line {number} was changed: its digest is not that of its content"
    elif line["previous"] != last.digest:
        yield f"line {number} does not follow the line before it: one of them was put in, removed or replaced"

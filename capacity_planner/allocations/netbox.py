"""NetBox's prefixes as allocations, from its REST API's objects or from the CSV that its page exports.

A prefix with the status `container` holds others, so it is a pool here. A VRF is a routing table of its own: blocks of
two VRFs may be equal, so one import takes one of them.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

from strangler_fig.diagnostics import Diagnostic, Position, has_errors, in_file_order

from ..addresses.meaning import Fault
from ..addresses.parse import parse_one
from .sheet import COLUMNS, read_sheet
from .values import Allocations, Row

SHAPE = "AL121"
MANY_VRFS = "AL122"
GLOBAL = "global"
"""The name of what is in no VRF."""

_COLUMNS = ("prefix", "description", "status", "role", "site", "scope", "vrf", "tenant")

_Read = tuple[Allocations | None, tuple[Diagnostic, ...]]
_Entry = tuple[Mapping[str, str], Position | None]  # the columns of a prefix as text, and where it stands


def from_objects(given: Iterable[Any], *, vrf: str | None, place: Callable[[int], Position] | None = None) -> _Read:
    """The allocations of objects of NetBox's API; None where a finding is an error."""
    entries: list[_Entry] = []
    found: list[Diagnostic] = []
    for at, one in enumerate(given):
        position = place(at) if place else None
        if not isinstance(one, Mapping) or not isinstance(one.get("prefix"), str):
            found.append(Diagnostic(code=SHAPE, message="an object without a prefix", position=position))
            continue
        entries.append(({name: _text(one.get(name)) for name in _COLUMNS}, position))
    return _read(entries, found, vrf)


def from_csv(text: str, *, file: str, vrf: str | None) -> _Read:
    """The allocations of a CSV that NetBox exported; None where a finding is an error."""
    sheet, found = read_sheet(text, file=file, wanted=_COLUMNS)
    if sheet is None:
        return None, found
    if "prefix" not in sheet.columns:
        position = Position(file, sheet.header_line, 1)
        message = "no column 'prefix' in the header: this is no export of NetBox's prefixes"
        return None, (Diagnostic(code=COLUMNS, message=message, position=position),)
    entries: list[_Entry] = [
        ({name: column[row] for name, column in sheet.columns.items()}, sheet.at(row, "prefix"))
        for row in range(sheet.rows)
        if sheet.columns["prefix"][row] or not sheet.is_blank(row)
    ]
    return _read(entries, list(found), vrf)


def _read(entries: list[_Entry], found: list[Diagnostic], vrf: str | None) -> _Read:
    """The entries of one VRF as allocations."""
    vrfs = sorted({entry.get("vrf") or GLOBAL for entry, _position in entries})
    if vrf is None and len(vrfs) > 1:
        message = f"prefixes of {len(vrfs)} VRFs: {', '.join(vrfs)[:200]}"
        found.append(Diagnostic(code=MANY_VRFS, message=message, hint="take one of them: --vrf NAME"))
    elif vrf is not None and vrf not in vrfs:
        message = f"no prefix is in a VRF {vrf!r}"
        found.append(Diagnostic(code=MANY_VRFS, message=message, hint=f"there are: {', '.join(vrfs)[:200]}"))
    kept = [one for one in entries if vrf is None or (one[0].get("vrf") or GLOBAL) == vrf]
    rows = list(_rows(kept, found))
    return (None if has_errors(found) else Allocations.of(rows)), in_file_order(found)


def _rows(entries: Iterable[_Entry], found: list[Diagnostic]) -> Iterator[Row]:
    for entry, position in entries:
        block = parse_one(entry["prefix"])
        if isinstance(block, Fault):
            found.append(Diagnostic(code=block.code, message=block.message, position=position, hint=block.hint))
            continue
        is_container = entry.get("status", "").lower() == "container"
        yield Row(
            block=block,
            name=entry.get("description") or entry.get("tenant", ""),
            az=entry.get("site") or entry.get("scope", ""),
            purpose="pool" if is_container else entry.get("role", ""),
        )


def _text(value: Any) -> str:
    """What NetBox means by a value: text, or an object's name."""
    if isinstance(value, Mapping):
        named = (value.get(key) for key in ("slug", "name", "value", "display"))
        return next((one for one in named if isinstance(one, str) and one), "")
    return value if isinstance(value, str) else ""

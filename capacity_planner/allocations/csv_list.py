"""A CSV of allocations: the column `cidr`, and `name`, `vpc`, `az`, `purpose`, `routable` where it has them.

Other columns are nobody's business here and are left alone.
"""

from collections.abc import Callable, Sequence
from itertools import compress

from strangler_fig.diagnostics import Diagnostic, Position, in_file_order

from ..addresses.parse import UNREAD, Parsed, parse
from .sheet import COLUMNS, Sheet, plain, read_sheet
from .values import Allocations, Source

ROUTABLE = "AL109"
COLUMN_NAMES = ("cidr", "name", "vpc", "az", "purpose", "routable")
LIKELY = (
    "prefix",
    "network",
    "subnet",
    "cidrblock",
    "cidr_block",
    "cidr block",
    "block",
    "range",
    "ip range",
    "address",
)
"""Names under which other tools keep the block."""

TRUTHS: dict[str, bool | None] = {
    "true": True,
    "yes": True,
    "y": True,
    "1": True,
    "false": False,
    "no": False,
    "n": False,
    "0": False,
    "": None,
}

_Read = tuple[Allocations | None, tuple[Diagnostic, ...]]


def read_csv(text: str, *, file: str) -> _Read:
    """The allocations of a CSV text, and every finding; None where a finding is an error."""
    sheet, found = read_sheet(text, file=file, wanted=COLUMN_NAMES)
    if sheet is None:
        return None, found
    faults = list(found)
    if "cidr" not in sheet.columns:
        return None, in_file_order([*faults, _no_cidr(sheet, file)])
    parsed = parse(sheet.columns["cidr"])
    blank = {place for place, _fault in parsed.faults if not sheet.columns["cidr"][place] and sheet.is_blank(place)}
    for place, fault in parsed.faults:
        if place not in blank:
            position = sheet.at(place, "cidr")
            faults.append(Diagnostic(code=fault.code, message=fault.message, position=position, hint=fault.hint))
    routable = _routable(sheet, faults)
    if faults:
        return None, in_file_order(faults)
    return _allocations(sheet, parsed, routable), ()


def _no_cidr(sheet: Sheet, file: str) -> Diagnostic:
    """What to say about a header without `cidr`."""
    names = [plain(name) for name in sheet.header]
    likely = next((place for place, name in enumerate(names) if name in LIKELY), None)
    have = ", ".join(repr(name) for name in sheet.header)
    if likely is None:
        hint = "the first line must name the columns: cidr, and name, vpc, az, purpose, routable where they are known"
    else:
        hint = f"rename {sheet.header[likely]!r} to cidr, or let `fig cidr import csv` do it"
    return Diagnostic(
        code=COLUMNS,
        message=f"no column 'cidr' in the header (it has {have[:200]})",
        position=Position(file, sheet.header_line, 1),
        hint=hint,
    )


def _routable(sheet: Sheet, faults: list[Diagnostic]) -> list[bool | None]:
    """The column `routable` as truths."""
    cells = sheet.columns.get("routable")
    if cells is None:
        return [None] * sheet.rows
    truths = {cell: TRUTHS.get(cell.lower()) for cell in set(cells)}
    for cell in truths:
        if cell.lower() in TRUTHS:
            continue
        faults += [
            Diagnostic(
                code=ROUTABLE,
                message=f"routable is {cell[:40]!r}",
                position=sheet.at(place, "routable"),
                hint="write true or false, or leave it empty",
            )
            for place, other in enumerate(cells)
            if other == cell
        ]
    return list(map(truths.__getitem__, cells))


def _allocations(sheet: Sheet, parsed: Parsed, routable: list[bool | None]) -> Allocations:
    """The columns as allocations, without blank rows."""
    rows: Sequence[int] = range(sheet.rows)
    columns = {name: sheet.columns.get(name) or [""] * sheet.rows for name in COLUMN_NAMES[1:5]}
    keys = parsed.keys
    if UNREAD in keys:
        is_kept = [key != UNREAD for key in keys]
        rows, keys = [*compress(rows, is_kept)], [*compress(keys, is_kept)]
        columns = {name: [*compress(column, is_kept)] for name, column in columns.items()}
        routable = [*compress(routable, is_kept)]
    place: Callable[[int], Position] = lambda row: sheet.at(rows[row], "cidr")  # noqa: E731 - a closure is all it is
    return Allocations(
        keys=keys,
        names=columns["name"],
        vpcs=columns["vpc"],
        azs=columns["az"],
        purposes=columns["purpose"],
        routable=routable,
        deployed=[False] * len(keys),
        sources=(Source(place, len(keys)),),
    )

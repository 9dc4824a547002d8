"""A CSV of somebody else's as allocations: columns by their usual names, blocks in the forms that other tools write.

The rule: what can mean but one block is taken as that, with a warning for each; what could mean two is a fault. Host
bits are taken away only where the caller says that blocks are meant.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from strangler_fig.diagnostics import Diagnostic, Position, Severity, has_errors, in_file_order

from ..addresses.key import block_of
from ..addresses.meaning import HOST_BITS
from ..addresses.parse import UNREAD, parse
from .csv_list import COLUMN_NAMES, LIKELY, TRUTHS
from .sheet import COLUMNS, Sheet, plain, read_sheet
from .values import Allocations, Row

MENDED = "AL120"

_USUAL: dict[str, tuple[str, ...]] = {
    "cidr": ("cidr", *LIKELY),
    "name": ("name", "description", "label", "subnet name", "subnet_name", "title", "comment"),
    "vpc": ("vpc", "vpc id", "vpc_id", "vpcid", "vpc name", "vpc_name"),
    "az": ("az", "availability zone", "availability_zone", "availabilityzone", "zone", "site", "location"),
    "purpose": ("purpose", "role", "usage", "type", "function", "use"),
    "routable": ("routable", "routed"),
    "mask": ("netmask", "mask", "subnet mask", "prefix length", "prefixlen", "prefix_length", "length", "bits"),
}

_Read = tuple[Allocations | None, tuple[Diagnostic, ...]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """Which column of the file is which of ours, where the usual names do not say; and whether host bits go away."""

    columns: Mapping[str, str] = field(default_factory=dict)
    blocks_are_meant: bool = False


def read_foreign(text: str, *, file: str, reading: Reading) -> _Read:
    """The allocations of such a CSV, and every finding; None where a finding is an error."""
    wanted = {plain(name) for names in _USUAL.values() for name in names}
    wanted |= {plain(name) for name in reading.columns.values()}
    sheet, found = read_sheet(text, file=file, wanted=wanted)
    if sheet is None:
        return None, found
    reader = _Reader(sheet, file, reading)
    rows = reader.rows()
    faults = in_file_order([*found, *reader.found])
    return (None if has_errors(faults) else Allocations.of(rows)), faults


class _Reader:
    """One sheet on its way to allocations; findings are collected."""

    def __init__(self, sheet: Sheet, file: str, reading: Reading) -> None:
        self.sheet = sheet
        self.file = file
        self.reading = reading
        self.found: list[Diagnostic] = []

    def rows(self) -> Sequence[Row]:
        """The rows, as far as they can be read."""
        taken = {ours: self._column_of(ours) for ours in _USUAL}
        if taken["cidr"] is None:
            return ()
        columns = {ours: self.sheet.columns[name] for ours, name in taken.items() if name is not None}
        texts = columns["cidr"]
        if "mask" in columns:
            pairs = zip(texts, columns["mask"], strict=True)
            texts = [f"{text}/{mask.lstrip('/')}" if mask and "/" not in text else text for text, mask in pairs]
        keys = self._keys(texts, taken["cidr"])
        rows = []
        for place, key in enumerate(keys):
            if key != UNREAD:
                cells = {name: columns[name][place] if name in columns else "" for name in COLUMN_NAMES[1:]}
                routable = TRUTHS.get(cells.pop("routable").lower())
                rows.append(Row(block=block_of(key), routable=routable, **cells))
        return rows

    def _column_of(self, ours: str) -> str | None:
        """The column of the file for one of ours: the one that was named, else the first with a usual name."""
        names = [plain(name) for name in self.sheet.header]
        given = self.reading.columns.get(ours)
        if given is not None:
            if plain(given) in names:
                return plain(given)
            self._fault(COLUMNS, f"there is no column {given!r}", Position(self.file, self.sheet.header_line, 1))
            return None
        found = next((name for name in _USUAL[ours] if name in names), None)
        if found is None and ours == "cidr":
            have = ", ".join(repr(name) for name in self.sheet.header)[:200]
            place = Position(self.file, self.sheet.header_line, 1)
            self._fault(COLUMNS, f"none of the columns looks like blocks ({have})", place, "add --column cidr=NAME")
        return found

    def _keys(self, texts: Sequence[str], column: str) -> list[int]:
        """The keys of the blocks; those that can mean but one are mended."""
        parsed = parse(texts)
        keys = parsed.keys
        for place, fault in parsed.faults:
            if not texts[place] and self.sheet.is_blank(place):
                continue
            position = self.sheet.at(place, column)
            may_be_mended = fault.meant is not None and (fault.code != HOST_BITS or self.reading.blocks_are_meant)
            if may_be_mended:
                keys[place] = parse([str(fault.meant)]).keys[0]
                self._fault(MENDED, f"{fault.message}: taken as {fault.meant}", position, severity=Severity.WARNING)
            else:
                hint = fault.hint + ("; --blocks takes the block" if fault.code == HOST_BITS else "")
                self._fault(fault.code, fault.message, position, hint)
        return keys

    def _fault(
        self,
        code: str,
        message: str,
        position: Position,
        hint: str | None = None,
        *,
        severity: Severity = Severity.ERROR,
    ) -> None:
        self.found.append(Diagnostic(code=code, message=message, position=position, hint=hint, severity=severity))

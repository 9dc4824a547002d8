"""A JSON list of allocations: objects with `cidr`, and `name`, `vpc`, `az`, `purpose`, `routable` where known."""

from collections.abc import Iterable
from typing import Any

from strangler_fig.diagnostics import Diagnostic, in_file_order

from ..addresses.parse import parse
from .csv_list import COLUMN_NAMES, LIKELY, ROUTABLE, TRUTHS
from .json_text import JsonDocument
from .values import Allocations, Source

SHAPE = "AL111"

_Read = tuple[Allocations | None, tuple[Diagnostic, ...]]


def read_rows(document: JsonDocument, *path: str, deployed: bool = False) -> _Read:
    """The allocations of the list at `path`, and every finding; None where a finding is an error."""
    rows = document.data
    for step in path:
        rows = rows[step]
    if not isinstance(rows, list):
        place = document.at(*path)
        return None, (Diagnostic(code=SHAPE, message="the allocations must be a list of objects", position=place),)
    reader = _Reader(document, path, rows)
    read = reader.allocations(deployed=deployed)
    return (None if reader.found else read), in_file_order(reader.found)


class _Reader:
    """One list on its way to columns; findings are collected."""

    def __init__(self, document: JsonDocument, path: tuple[str, ...], rows: list[Any]) -> None:
        self.document = document
        self.path = path
        self.rows = rows
        self.found: list[Diagnostic] = []

    def allocations(self, *, deployed: bool) -> Allocations | None:
        """The columns; None where something is no object."""
        for place, row in enumerate(self.rows):
            if not isinstance(row, dict):
                self._fault(SHAPE, f"an allocation must be an object (found {str(row)[:40]!r})", place)
        if self.found:
            return None
        columns = {name: self._texts(name) for name in COLUMN_NAMES[1:5]}
        parsed = parse(self._blocks())
        for place, fault in parsed.faults:
            given = self.rows[place].get("cidr")
            if given and isinstance(given, str):
                self._fault(fault.code, fault.message, place, "cidr", hint=fault.hint)
        path = self.path
        return Allocations(
            keys=parsed.keys,
            names=columns["name"],
            vpcs=columns["vpc"],
            azs=columns["az"],
            purposes=columns["purpose"],
            routable=self._routable(),
            deployed=[deployed] * len(self.rows),
            sources=(Source(lambda row: self.document.at(*path, row, "cidr"), len(self.rows)),),
        )

    def _blocks(self) -> list[str]:
        """The column `cidr`; empty where it is missing or no text."""
        blocks = []
        for place, row in enumerate(self.rows):
            given = row.get("cidr")
            if not isinstance(given, str) or not given:
                likely = next((name for name in row if name.lower() in LIKELY), None)
                hint = f"rename {likely!r} to cidr" if likely else 'as in {"cidr": "10.0.0.0/24", "name": "..."}'
                message = "no cidr" if given in (None, "") else f"cidr must be text (found {str(given)[:40]!r})"
                self._fault(SHAPE, message, place, hint=hint)
            blocks.append(given if isinstance(given, str) else "")
        return blocks

    def _texts(self, name: str) -> list[str]:
        values = [row.get(name) for row in self.rows]
        for place, value in enumerate(values):
            if value is not None and not isinstance(value, str):
                self._fault(SHAPE, f"{name} must be text (found {str(value)[:40]!r})", place, name)
        return [value if isinstance(value, str) else "" for value in values]

    def _routable(self) -> list[bool | None]:
        truths: list[bool | None] = []
        for place, row in enumerate(self.rows):
            given = row.get("routable")
            if isinstance(given, str) and given.lower() in TRUTHS:
                given = TRUTHS[given.lower()]
            if given is not None and not isinstance(given, bool):
                self._fault(ROUTABLE, f"routable is {str(given)[:40]!r}", place, "routable", hint="write true or false")
            truths.append(given if isinstance(given, bool) else None)
        return truths

    def _fault(self, code: str, message: str, *path: str | int, hint: str | None = None) -> None:
        position = self.document.at(*self.path, *path)
        self.found.append(Diagnostic(code=code, message=message, position=position, hint=hint))


def looks_like_rows(rows: Iterable[Any]) -> bool:
    """Whether these are rows of ours, not of AWS or of NetBox."""
    return any(isinstance(row, dict) and "cidr" in row for row in rows)

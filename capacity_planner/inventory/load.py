"""Files to one inventory: what a file is, is seen by what is in it, never by its name.

CSV, a JSON list, an inventory, a plan, or AWS's answers; several files are one inventory, and all of their faults are
reported at once. Modules that only some files need are imported when there is one: a CSV is read from a cold start.
"""

from collections.abc import Sequence
from pathlib import Path

from strangler_fig.diagnostics import Diagnostic, Position, Refused, in_file_order

from ..allocations import csv_list, json_list, text
from ..allocations.json_text import JsonDocument, read_json
from ..allocations.values import Allocations
from .answers import REQUIRED, Answers
from .values import Inventory, merged

UNKNOWN = "AL114"
NO_PLAN = "AL115"

_Loaded = tuple[Inventory | None, tuple[Diagnostic, ...]]


def load(paths: Sequence[Path], *, plans_only: bool = False) -> tuple[Inventory, tuple[Diagnostic, ...]]:
    """The inventory of all files together, and every finding. An inventory with findings lacks what they are about."""
    loading = _Loading(plans_only=plans_only)
    for path in paths:
        loading.add(path)
    inventory = loading.inventory()
    return inventory, in_file_order(loading.found)


def allocations(paths: Sequence[Path]) -> Allocations:
    """The allocations of all files together, for those who need no more. Raises `Refused` with every finding."""
    inventory, found = load(paths)
    if found:
        raise Refused(found)
    return inventory.allocations


class _Loading:
    """Files on their way to one inventory; findings are collected."""

    def __init__(self, *, plans_only: bool) -> None:
        self.plans_only = plans_only
        self.found: list[Diagnostic] = []
        self.parts: list[Inventory] = []
        self.answers = Answers()

    def inventory(self) -> Inventory:
        """Everything that was added."""
        parts = self.parts
        if self.answers.items:
            from . import aws  # noqa: PLC0415

            answered, found = aws.inventory(self.answers)
            self.found += found
            parts = [*parts, answered]
        return merged(parts)

    def add(self, path: Path) -> None:
        """Read one file."""
        content, found = text.read(path)
        self.found += found
        if content is None:
            return
        if content.lstrip()[:1] in ("{", "["):
            document, found = read_json(content, file=str(path))
            self.found += found
            if document is not None:
                self._json(document)
            return
        if self.plans_only:
            self._fault(NO_PLAN, "this is not a plan", Position(str(path), 1, 1))
            return
        rows, found = csv_list.read_csv(content, file=str(path))
        self._rows(rows, found)

    def _json(self, document: JsonDocument) -> None:
        data = document.data
        keys = set(data) if isinstance(data, dict) else set()
        if {"vpcs", "digest"} <= keys:
            self._plan(document)
        elif self.plans_only:
            self._fault(NO_PLAN, "this is not a plan", document.at(), "a plan is what `fig cidr plan` writes")
        elif "allocations" in keys:
            from .document import from_json  # noqa: PLC0415 - pydantic

            inventory, found = from_json(document)
            self.found += found
            self.parts += [inventory] if inventory else []
        elif keys & REQUIRED.keys():
            for kind in REQUIRED:
                if kind in keys:
                    self._answer(document, kind, kind)
        elif isinstance(data, list):
            self._list(document, data)
        else:
            self._unknown(document, keys)

    def _list(self, document: JsonDocument, data: list[object]) -> None:
        """A list at the top: allocations, or what is left of AWS's answer after `--query Subnets`."""
        first = data[0] if data and isinstance(data[0], dict) else {}
        kind = "Subnets" if "SubnetId" in first else "Vpcs" if {"VpcId", "CidrBlock"} <= first.keys() else None
        if kind:
            self._answer(document, kind)
            return
        rows, found = json_list.read_rows(document)
        self._rows(rows, found)

    def _answer(self, document: JsonDocument, kind: str, *path: str) -> None:
        values = document.data[path[0]] if path else document.data

        def place(*inside: str | int) -> Position:
            return document.at(*path, *inside)

        self.found += self.answers.add(kind, values, place=place)

    def _plan(self, document: JsonDocument) -> None:
        from ..layout import reading  # noqa: PLC0415 - pydantic
        from . import plan  # noqa: PLC0415

        try:
            read = reading.read(document.text, file=document.file)
        except Refused as refused:
            self.found += refused.diagnostics
        else:
            self.parts.append(plan.inventory(read, document))

    def _rows(self, rows: Allocations | None, found: tuple[Diagnostic, ...]) -> None:
        self.found += found
        self.parts += [Inventory(allocations=rows)] if rows is not None else []

    def _unknown(self, document: JsonDocument, keys: set[str]) -> None:
        if {"results", "count"} <= keys:
            hint = "NetBox's answer becomes a list by `fig cidr import netbox`"
        else:
            hint = "known: a list of objects with cidr, a plan, an inventory, or what aws ec2 describe-subnets prints"
        has = ", ".join(sorted(keys))[:100] or "nothing"
        self._fault(UNKNOWN, f"no list of allocations (the file has {has})", document.at(), hint)

    def _fault(self, code: str, message: str, position: Position, hint: str | None = None) -> None:
        self.found.append(Diagnostic(code=code, message=message, position=position, hint=hint))

"""An inventory as a JSON file and back: what `fig cidr import aws` writes, and the checks and plans read.

What is unknown has no key, so that a file never says 0 for what nobody looked at.
"""

from collections.abc import Mapping
from dataclasses import fields
from typing import Any

import pydantic

from strangler_fig.diagnostics import Diagnostic, in_file_order
from strangler_fig.shapes import shape_diagnostics

from ..allocations import write
from ..allocations.json_list import read_rows
from ..allocations.json_text import JsonDocument
from .shapes import InventoryShape, known_keys
from .values import FunctionUse, Inventory, Quota, RegionUse, VpcUse

VERSION = 1
TOO_NEW = "AL113"


def to_json(inventory: Inventory, *, as_of: str) -> dict[str, Any]:
    """The inventory as JSON values."""
    allocations = write.to_json(inventory.allocations)
    for row, count in inventory.free.items():
        allocations[row]["free"] = count
    return {
        "version": VERSION,
        "as_of": as_of,
        "allocations": allocations,
        "vpcs": [_known(use) for use in inventory.vpcs],
        "regions": [_known(region) for region in inventory.regions],
        "route_tables": [
            {
                "name": table.name,
                "vpc": table.vpc,
                "static": table.static,
                "propagated": table.propagated,
                "routes": [str(route.block) for route in table.routes],
            }
            for table in inventory.route_tables
        ],
        "functions": [_known(function) for function in inventory.functions],
        "quotas": [_known(quota) for quota in inventory.quotas],
    }


def from_json(document: JsonDocument) -> tuple[Inventory | None, tuple[Diagnostic, ...]]:
    """The inventory of such a file, and every finding; None where a finding is an error."""
    version = document.data.get("version", VERSION)
    if version != VERSION:
        newer = isinstance(version, int) and version > VERSION
        hint = "upgrade fig: pip install --upgrade 'strangler-fig[planner]'" if newer else None
        message = f"the list has version {version!r}, and this fig reads {VERSION}"
        return None, (Diagnostic(code=TOO_NEW, message=message, position=document.at("version"), hint=hint),)
    allocations, found = read_rows(document, "allocations", deployed="as_of" in document.data)
    try:
        shape = InventoryShape.model_validate(document.data)
    except pydantic.ValidationError as error:
        wrong = shape_diagnostics([dict(one) for one in error.errors()], document, known_keys=known_keys())
        return None, in_file_order([*found, *wrong])
    if allocations is None:
        return None, found
    rows = document.data["allocations"]
    inventory = Inventory(
        allocations=allocations,
        vpcs=tuple(one.value() for one in shape.vpcs),
        regions=tuple(one.value() for one in shape.regions),
        route_tables=tuple(one.value() for one in shape.route_tables),
        functions=tuple(one.value() for one in shape.functions),
        free={place: row["free"] for place, row in enumerate(rows) if isinstance(row.get("free"), int)},
        quotas=tuple(one.value() for one in shape.quotas),
    )
    return inventory, ()


def _known(value: VpcUse | RegionUse | FunctionUse | Quota) -> dict[str, Any]:
    """The fields of a value that say something."""
    given = {item.name: getattr(value, item.name) for item in fields(value) if item.name != "place"}
    return {
        name: list(one) if isinstance(one, tuple) else dict(one) if isinstance(one, Mapping) else one
        for name, one in given.items()
        if one not in (None, "", (), {})
    }

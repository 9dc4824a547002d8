"""Small networks for the tests of the rules."""

from dataclasses import replace

from capacity_planner.addresses.block import Block
from capacity_planner.allocations.values import Allocations, Row
from capacity_planner.checks.check import Report, check
from capacity_planner.inventory.values import Inventory
from capacity_planner.limits.catalogue import load


def vpc(name: str, *blocks: str, routable: bool | None = True) -> list[Row]:
    """The rows of a VPC's blocks, in the order of association."""
    return [Row(block=Block.of(block), name=name, vpc=name, purpose="vpc", routable=routable) for block in blocks]


def subnet(vpc: str, block: str, name: str = "") -> Row:
    return Row(block=Block.of(block), name=name or block, vpc=vpc, az="eu-west-1a")


def judged(rows: list[Row], *, deployed: bool = False, **more: object) -> Report:
    """The report on rows and what else is known."""
    inventory = replace(Inventory(allocations=Allocations.of(rows, deployed=deployed)), **more)  # type: ignore[arg-type]
    return check(inventory, load())


def codes(report: Report) -> list[str]:
    return [finding.code for finding in report.findings]

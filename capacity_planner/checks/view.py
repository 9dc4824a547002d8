"""Rows sorted out once for all rules: what each is, whose it is, and which of them are one and the same thing.

The rule: a planned row is the deployed one where both have the same block and the same name. Such rows count once, and
the planned VPC's name and the deployed VPC's id are one VPC from then on.
"""

from collections import defaultdict
from dataclasses import dataclass, field

from ..addresses.block import Block
from ..addresses.key import holds
from ..allocations.values import Allocations, Kind, kind_of, shown
from ..inventory.values import Inventory


@dataclass(frozen=True, slots=True)
class View:
    """An inventory with its rows sorted out.

    `kinds` and `owners` (the VPC's canonical name) by row; `vpc_blocks`: the rows of each VPC's blocks in the order of
    association; `subnets`: the rows of each VPC's subnets. Rows that are another row, deployed, are in none of them.
    """

    inventory: Inventory
    kinds: list[Kind]
    owners: list[str]
    vpc_blocks: dict[str, list[int]]
    subnets: dict[str, list[int]]
    others: list[int]
    aliases: dict[str, str] = field(default_factory=dict)

    @property
    def rows(self) -> Allocations:
        """All rows."""
        return self.inventory.allocations

    def canonical(self, vpc: str) -> str:
        """The name under which a VPC's rows are found."""
        return self.aliases.get(vpc, vpc)

    def blocks_of(self, vpc: str) -> list[Block]:
        """A VPC's blocks in the order of association."""
        return [self.rows.block(row) for row in self.vpc_blocks.get(self.canonical(vpc), ())]

    def parent_of(self, row: int) -> int | None:
        """The row of the VPC's block that a subnet lies in; None where it lies in none, or none is known."""
        key = self.rows.keys[row]
        blocks = self.vpc_blocks.get(self.owners[row], ())
        return next((block for block in blocks if holds(self.rows.keys[block], key)), None)

    def name_of(self, vpc: str) -> str:
        """The VPC as findings call it: its name, and its id where that is another."""
        rows = self.vpc_blocks.get(self.canonical(vpc), ())
        name = self.rows.names[rows[0]] if rows else ""
        return shown(f"{name} ({vpc})" if name and name != vpc else vpc)


def view(inventory: Inventory) -> View:
    """The inventory with its rows sorted out."""
    rows = inventory.allocations
    known: dict[tuple[str, bool], Kind] = {}
    kinds = []
    for purpose, vpc in zip(rows.purposes, rows.vpcs, strict=True):
        what = (purpose, bool(vpc))
        if what not in known:
            known[what] = kind_of(purpose, vpc)
        kinds.append(known[what])
    aliases, same = _deployed(rows, kinds)
    owners = [aliases.get(vpc, vpc) for vpc in rows.vpcs]
    blocks: dict[str, list[int]] = defaultdict(list)
    subnets: dict[str, list[int]] = defaultdict(list)
    others: list[int] = []
    for row, kind in enumerate(kinds):
        if row in same:
            continue
        if kind is Kind.VPC:
            owners[row] = owners[row] or rows.names[row]
            blocks[owners[row]].append(row)
        elif kind is Kind.SUBNET:
            subnets[owners[row]].append(row)
        else:
            others.append(row)
    return View(inventory, kinds, owners, dict(blocks), dict(subnets), others, aliases)


def _deployed(rows: Allocations, kinds: list[Kind]) -> tuple[dict[str, str], set[int]]:
    """Planned VPCs by name that are deployed under an id, and the planned rows that are deployed rows."""
    if not any(rows.deployed) or all(rows.deployed):
        return {}, set()
    deployed = {
        (key, name): row
        for row, (key, name, is_deployed) in enumerate(zip(rows.keys, rows.names, rows.deployed, strict=True))
        if is_deployed
    }
    aliases: dict[str, str] = {}
    same: set[int] = set()
    for row, (key, name, is_deployed) in enumerate(zip(rows.keys, rows.names, rows.deployed, strict=True)):
        twin = None if is_deployed else deployed.get((key, name))
        if twin is None:
            continue
        same.add(row)
        if kinds[row] is Kind.VPC and kinds[twin] is Kind.VPC:
            aliases[rows.vpcs[row]] = rows.vpcs[twin]
    return aliases, same

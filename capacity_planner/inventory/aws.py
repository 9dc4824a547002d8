"""AWS's answers to an inventory: blocks as allocations, routes, functions; what is in a VPC is counted in `usage`.

The answers of several files and Regions are put together first; what no answer says stays unknown.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from strangler_fig.diagnostics import Diagnostic, Position

from ..addresses.block import Block
from ..addresses.meaning import Fault
from ..addresses.parse import parse_one
from ..allocations.values import Allocations, Row
from .answers import Answers, Item, name_of, objects, text
from .usage import regions, vpc_of, vpc_of_subnets, vpc_uses
from .values import FunctionUse, Inventory, Route, RouteTable

_GONE = frozenset({"disassociating", "disassociated", "failing", "failed"})


def inventory(answers: Answers) -> tuple[Inventory, tuple[Diagnostic, ...]]:
    """What the answers say, and what of them cannot be read."""
    reader = _Reader(answers)
    return reader.inventory(), tuple(reader.found)


class _Reader:
    """Answers on their way to an inventory; findings are collected."""

    def __init__(self, answers: Answers) -> None:
        self.answers = answers
        self.found: list[Diagnostic] = []
        self.rows: list[Row] = []
        self.places: list[Position | None] = []
        self.free: dict[int, int] = {}

    def inventory(self) -> Inventory:
        """The inventory; it lacks what was found to be wrong."""
        for item in self.answers.of("Vpcs"):
            self._vpc(item)
        for item in self.answers.of("Subnets"):
            self._subnet(item)
        subnets = vpc_of_subnets(self.answers)
        return Inventory(
            allocations=Allocations.of(self.rows, deployed=True, place=self.places.__getitem__),
            vpcs=tuple(vpc_uses(self.answers)),
            regions=tuple(regions(self.answers)),
            route_tables=tuple(self._route_table(item) for item in self.answers.of("RouteTables")),
            functions=tuple(_function(item, subnets) for item in self.answers.of("Functions")),
            free=self.free,
        )

    def _vpc(self, item: Item) -> None:
        """The blocks of a VPC: the primary first, the others as AWS lists them, then IPv6."""
        vpc, primary = item.text("VpcId"), item.text("CidrBlock")
        blocks = list(_associated(item.data, "CidrBlock"))
        blocks.sort(key=lambda one: one[0] != primary)
        if not blocks and primary:
            blocks = [(primary, ("CidrBlock",))]
        for given, path in [*blocks, *_associated(item.data, "Ipv6CidrBlock")]:
            block = self._block(item, given, path)
            if block:
                self._row(item, path, Row(block=block, name=name_of(item.data) or vpc, vpc=vpc, purpose="vpc"))

    def _subnet(self, item: Item) -> None:
        """A subnet's block, and the one of IPv6 that it may have."""
        name = name_of(item.data) or item.text("SubnetId")
        given = [(item.text("CidrBlock"), ("CidrBlock",))] if item.text("CidrBlock") else []
        for one, path in [*given, *_associated(item.data, "Ipv6CidrBlock")]:
            block = self._block(item, one, path)
            if block is None:
                continue
            left = item.data.get("AvailableIpAddressCount")
            if isinstance(left, int) and path == ("CidrBlock",):
                self.free[len(self.rows)] = left
            row = Row(block=block, name=name, vpc=item.text("VpcId"), az=item.text("AvailabilityZone"))
            self._row(item, path, row)

    def _route_table(self, item: Item) -> RouteTable:
        """A route table without the VPC's own, local routes."""
        routes: list[Route] = []
        counts = {True: 0, False: 0}
        for at, route in enumerate(objects(item.data.get("Routes"))):
            if route.get("GatewayId") == "local":
                continue
            counts[route.get("Origin") == "EnableVgwRoutePropagation"] += 1
            for key in ("DestinationCidrBlock", "DestinationIpv6CidrBlock"):
                if text(route, key):
                    block = self._block(item, text(route, key), ("Routes", at, key))
                    routes += [Route(block=block, place=item.place("Routes", at, key))] if block else []
        name, vpc = item.text("RouteTableId"), item.text("VpcId")
        return RouteTable(name=name, vpc=vpc, static=counts[False], propagated=counts[True], routes=tuple(routes))

    def _block(self, item: Item, given: str, path: tuple[str | int, ...]) -> Block | None:
        found = parse_one(given)
        if isinstance(found, Fault):
            position = item.place(*path)
            self.found.append(Diagnostic(code=found.code, message=found.message, position=position, hint=found.hint))
            return None
        return found

    def _row(self, item: Item, path: tuple[str | int, ...], row: Row) -> None:
        self.rows.append(row)
        self.places.append(item.place(*path))


def _associated(data: Mapping[str, Any], key: str) -> Iterator[tuple[str, tuple[str | int, ...]]]:
    """The blocks of an association set that are associated or about to be, and their paths."""
    for at, one in enumerate(objects(data.get(f"{key}AssociationSet"))):
        state = one.get(f"{key}State")
        if text(state, "State") not in _GONE and text(one, key):
            yield text(one, key), (f"{key}AssociationSet", at, key)


def _function(item: Item, subnets: Mapping[str, str]) -> FunctionUse:
    """A function's configuration, as far as the answer has it."""
    network = item.data.get("VpcConfig")
    network = network if isinstance(network, Mapping) else {}
    concurrency = item.data.get("Concurrency")
    concurrency = concurrency if isinstance(concurrency, Mapping) else {}
    arn = item.text("FunctionArn").split(":")
    return FunctionUse(
        name=item.text("FunctionName"),
        account=item.account or (arn[4] if len(arn) > 4 else ""),  # noqa: PLR2004 - arn:aws:lambda:region:account
        region=item.region,
        vpc=vpc_of(item, subnets),
        subnets=_texts(network.get("SubnetIds")),
        security_groups=_texts(network.get("SecurityGroupIds")),
        memory_mb=_whole(item.data.get("MemorySize")),
        timeout_seconds=_whole(item.data.get("Timeout")),
        reserved=_whole(concurrency.get("ReservedConcurrentExecutions")),
        peak=_whole(item.data.get("PeakConcurrentExecutions")),
        place=item.place("FunctionName"),
    )


def _texts(value: Any) -> tuple[str, ...]:
    return tuple(one for one in value if isinstance(one, str)) if isinstance(value, list) else ()


def _whole(value: Any) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) else None

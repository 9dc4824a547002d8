"""What AWS says about the blocks of a VPC and of its subnets: sizes, ranges, combinations, routes.

Sources: https://docs.aws.amazon.com/vpc/latest/userguide/vpc-cidr-blocks.html and subnet-sizing.html.
"""

from collections.abc import Iterator

from strangler_fig.diagnostics import Diagnostic, Severity

from ..addresses.block import Block
from ..addresses.key import is_ipv6, prefix_of
from ..allocations.values import Kind, shown
from ..inventory.values import Route
from ..layout.association import refusal
from ..limits.values import Limit, Limits
from . import codes
from .view import View

_FORBIDDEN = (
    (Block.of("169.254.0.0/16"), "link-local addresses"),
    (Block.of("127.0.0.0/8"), "loopback addresses"),
    (Block.of("0.0.0.0/8"), "addresses of this network"),
    (Block.of("224.0.0.0/3"), "multicast and reserved addresses"),
)
_CONTESTED = Block.of("172.17.0.0/16")


def sizes(view: View, limits: Limits) -> Iterator[Diagnostic]:
    """Blocks of VPCs and subnets that AWS does not take for their size, and subnets with too few addresses."""
    rows = view.rows
    shortest, longest = limits["subnet_prefix_shortest"], limits["subnet_prefix_longest"]
    for kind, code, what, six in (
        (Kind.VPC, codes.VPC_SIZE, "the block of a VPC", limits["vpc_prefix_ipv6"]),
        (Kind.SUBNET, codes.SUBNET_SIZE, "a subnet", limits["subnet_prefix_ipv6"]),
    ):
        for row in (row for row, found in enumerate(view.kinds) if found is kind):
            prefix = prefix_of(rows.keys[row])
            if is_ipv6(rows.keys[row]):
                if prefix != six.whole:
                    yield _ipv6(view, row, what, six)
            elif not shortest.whole <= prefix <= longest.whole:
                yield _size(view, row, code, what, (shortest, longest))
    yield from _too_small(view, limits["subnet_reserved_addresses"])


def ranges(view: View) -> Iterator[Diagnostic]:
    """Blocks of VPCs in ranges that AWS refuses, or that its own services use."""
    rows = view.rows
    alone = [row for vpc, subnets in view.subnets.items() if vpc not in view.vpc_blocks for row in subnets]
    for row in [*(row for blocks in view.vpc_blocks.values() for row in blocks), *alone]:
        block = rows.block(row)
        for range_, what in _FORBIDDEN:
            if range_.overlaps(block):
                message = f"{rows.label(row)} has {what} ({range_}), which cannot be assigned"
                yield Diagnostic(code=codes.FORBIDDEN, message=message, position=rows.position(row))
        if _CONTESTED.overlaps(block):
            yield Diagnostic(
                code=codes.CONTESTED,
                severity=Severity.WARNING,
                message=f"{rows.label(row)} has addresses of {_CONTESTED}, which Docker, Cloud9 and SageMaker use",
                position=rows.position(row),
                hint="take another block, or make sure that none of them runs in this network",
            )


def associations(view: View) -> Iterator[Diagnostic]:
    """Blocks that AWS's table does not let a VPC take beside those it has, in the order in which they stand."""
    rows = view.rows
    for vpc, blocks in view.vpc_blocks.items():
        before: list[Block] = []
        for row in blocks:
            block = rows.block(row)
            if block.version != 4:  # noqa: PLR2004 - the table is about IPv4
                continue
            reason = None if any(one.overlaps(block) for one in before) else refusal(before, block)
            if reason:
                is_there = rows.deployed[row]
                yield Diagnostic(
                    code=codes.ASSOCIATION,
                    severity=Severity.WARNING if is_there else Severity.ERROR,
                    message=f"{view.name_of(vpc)}: {reason} ({block})",
                    position=rows.position(row),
                    hint="AWS has it all the same: the order may have been another"
                    if is_there
                    else _advice(before, block),
                )
            if not reason or rows.deployed[row]:  # what is refused does not restrict what comes after it
                before.append(block)


def routes(view: View) -> Iterator[Diagnostic]:
    """Secondary blocks that are as large as, or larger than, the destination of a route of their VPC."""
    rows = view.rows
    known: dict[str, list[tuple[Route, str]]] = {}
    for table in view.inventory.route_tables:
        vpc = view.canonical(table.vpc)
        known.setdefault(vpc, []).extend((route, f" in {shown(table.name)}") for route in table.routes)
    for row in view.others:
        if view.kinds[row] is Kind.ROUTE:
            route = Route(block=rows.block(row), place=rows.position(row))
            known.setdefault(view.owners[row], []).append((route, ""))
    for vpc, blocks in view.vpc_blocks.items():
        primaries = {4: True, 6: True}
        for row in blocks:
            block = rows.block(row)
            is_primary, primaries[block.version] = primaries[block.version], False
            if is_primary or rows.deployed[row]:
                continue
            for route, where in known.get(vpc, ()):
                if block.holds(route.block):
                    place = f", at {route.place}" if route.place else ""
                    yield Diagnostic(
                        code=codes.ROUTE,
                        message=f"{rows.label(row)} cannot be added: {view.name_of(vpc)} has a route to {route.block}"
                        f"{where}{place}",
                        position=rows.position(row),
                        hint="a secondary block must be smaller than every destination that it shares addresses with",
                    )


def _advice(before: list[Block], block: Block) -> str | None:
    """What would do instead, where the order is all that is wrong."""
    if refusal([block], before[0]) is None:
        return f"create the VPC with {block} and add {before[0]} then"
    return None


def _size(view: View, row: int, code: str, what: str, bounds: tuple[Limit, Limit]) -> Diagnostic:
    rows = view.rows
    shortest, longest = bounds
    block = rows.block(row)
    left = f": {max(block.size - 5, 0)} addresses would be left" if block.prefix > longest.whole else ""
    message = f"{rows.label(row)}: {what} is from /{shortest.whole} to /{longest.whole}{left}"
    return Diagnostic(code=code, message=message, position=rows.position(row), hint=_source(longest))


def _ipv6(view: View, row: int, what: str, limit: Limit) -> Diagnostic:
    return Diagnostic(
        code=codes.IPV6_SIZE,
        severity=Severity.WARNING,
        message=f"{view.rows.label(row)}: {what} that Amazon gives is a /{limit.whole}",
        position=view.rows.position(row),
        hint=_source(limit),
    )


def _too_small(view: View, reserved: Limit) -> Iterator[Diagnostic]:
    rows = view.rows
    for row, needed in view.inventory.needed.items():
        usable = rows.block(row).size - reserved.whole
        if needed > usable:
            message = f"{rows.label(row)} needs {needed:,} addresses and has {usable:,}"
            hint = f"AWS keeps {reserved.whole}; {_source(reserved)}"
            yield Diagnostic(code=codes.TOO_SMALL, message=message, position=rows.position(row), hint=hint)
    for row, free in view.inventory.free.items():
        if free == 0:
            yield Diagnostic(
                code=codes.FULL,
                severity=Severity.WARNING,
                message=f"{rows.label(row)} has no free address",
                position=rows.position(row),
                hint="a function here cannot get an ENI: SubnetIPAddressLimitReachedException",
            )


def _source(limit: Limit) -> str:
    return f"{limit.key} is {limit.whole} as of {limit.as_of}: {limit.source}"

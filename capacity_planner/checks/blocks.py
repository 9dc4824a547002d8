"""Blocks that share addresses though they must not, and subnets outside of their VPC.

The rule: where a subnet lies in its VPC's block, that block stands for it against everybody else. What is routable must
be disjoint from all that is routable; what is not routable only from the rest of its own VPC, as it may be used again.
"""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from strangler_fig.diagnostics import Diagnostic, Severity

from ..addresses.key import holds
from ..addresses.overlap import crossings, overlaps
from ..allocations.values import Kind, shown
from . import codes
from .view import View

_MOST_PREFIXES = 10_000
_NAMED = 3


@dataclass(frozen=True, slots=True)
class Clashes:
    """The exact number of pairs, how many of those are duplicates, and the findings about the first of them."""

    count: int
    duplicates: int
    findings: tuple[Diagnostic, ...]


def clashes(view: View, *, limit: int) -> Clashes:
    """All pairs of blocks that share addresses and must not; the first `limit` are findings."""
    count = duplicates = 0
    findings: list[Diagnostic] = []
    for group in _groups(view):
        keys = [view.rows.keys[row] for row in group]
        found = overlaps(keys, limit=limit - len(findings))
        count += found.count
        duplicates += found.duplicates
        findings += [_pair(view, group[outer], group[inner]) for outer, inner in found.pairs]
    return Clashes(count, duplicates, tuple(findings))


def outside(view: View) -> Iterator[Diagnostic]:
    """Subnets that lie in no block of their VPC; and, where some VPCs have blocks here, those that have none."""
    rows = view.rows
    for vpc, subnets in view.subnets.items():
        if vpc not in view.vpc_blocks:
            continue
        blocks = ", ".join(str(rows.block(row)) for row in view.vpc_blocks[vpc])
        for row in subnets:
            if view.parent_of(row) is None:
                message = f"{rows.label(row)} lies in no block of its VPC {view.name_of(vpc)}, which has {blocks}"
                yield Diagnostic(code=codes.OUTSIDE, message=message, position=rows.position(row))
    unknown = [vpc for vpc in view.subnets if vpc not in view.vpc_blocks]
    if unknown and view.vpc_blocks:
        first = view.subnets[unknown[0]][0]
        names = ", ".join(map(repr, unknown[:_NAMED])) + (", ..." if len(unknown) > _NAMED else "")
        count = sum(len(view.subnets[vpc]) for vpc in unknown)
        yield Diagnostic(
            code=codes.UNKNOWN_VPC,
            severity=Severity.WARNING,
            message=f"no block is known of {_count(len(unknown), 'VPC')} ({names}) with {_count(count, 'subnet')}",
            position=rows.position(first),
            hint="add a row with the VPC's block and the purpose vpc",
        )


def shadowed(view: View, *, limit: int) -> Iterator[Diagnostic]:
    """Blocks that are not routable and take addresses that are routed elsewhere: their VPC cannot reach those."""
    rows = view.rows
    top = [row for group in view.vpc_blocks.values() for row in group]
    top += [row for row in view.others if view.kinds[row] is Kind.BLOCK]
    hidden = [row for row in top if not rows.is_routable(row)]
    routed = [row for row in top if rows.is_routable(row)]
    if not hidden or not routed:
        return
    count, pairs = crossings([rows.keys[row] for row in hidden], [rows.keys[row] for row in routed], limit=limit)
    for left, right in pairs:
        inner, outer = hidden[left], routed[right]
        if view.owners[inner] and view.owners[inner] == view.owners[outer]:
            continue  # the same VPC: a clash, which is found as such
        message = f"{rows.label(inner)} is not routable and shares addresses with {rows.label(outer)}, which is"
        yield Diagnostic(
            code=codes.SHADOWED,
            severity=Severity.WARNING,
            message=f"{message}{_of(rows.position(outer))}",
            position=rows.position(inner),
            hint="from its VPC those are reached through an endpoint alone",
        )
    if count > len(pairs):
        message = f"{count:,} such pairs in all, of which {len(pairs):,} are named"
        yield Diagnostic(code=codes.SHADOWED, severity=Severity.WARNING, message=message)


def hidden_on_premises(view: View) -> Iterator[Diagnostic]:
    """Prefixes that on-premises advertises and that a VPC has inside its own block: the VPC will not route to them.

    A VPC inside of a prefix is no fault: the longer prefix wins, as it is meant.
    """
    rows = view.rows
    blocks = [row for group in view.vpc_blocks.values() for row in group]
    prefixes = [row for row in view.others if view.kinds[row] is Kind.ON_PREMISES]
    _count, pairs = crossings([rows.keys[r] for r in blocks], [rows.keys[r] for r in prefixes], limit=_MOST_PREFIXES)
    for left, right in pairs:
        block, prefix = blocks[left], prefixes[right]
        if not holds(rows.keys[block], rows.keys[prefix]):
            continue
        is_routable = rows.is_routable(block)
        yield Diagnostic(
            code=codes.OVERLAP if is_routable else codes.SHADOWED,
            severity=Severity.ERROR if is_routable else Severity.WARNING,
            message=f"{rows.label(prefix)} of on-premises lies in {rows.label(block)}"
            f" of {view.name_of(view.owners[block])}{_of(rows.position(block))}",
            position=rows.position(prefix),
            hint="inside the VPC its own block comes first: those addresses cannot be reached",
        )


def _groups(view: View) -> Iterator[Sequence[int]]:
    """The rows of which no two may share an address, group by group."""
    rows = view.rows
    routed: list[int] = []
    hidden: dict[str, list[int]] = defaultdict(list)

    def put(row: int) -> None:
        (routed if rows.is_routable(row) else hidden[view.owners[row]]).append(row)

    for blocks in view.vpc_blocks.values():
        for row in blocks:
            put(row)
        has_both = len({rows.is_routable(row) for row in blocks}) > 1
        if has_both:  # within one VPC all are disjoint; pairs of equal routability are in the other groups
            yield from _mixed_pairs(view, blocks)
    for vpc, subnets in view.subnets.items():
        inside = []
        for row in subnets:
            if vpc in view.vpc_blocks and view.parent_of(row) is not None:
                inside.append(row)
            else:
                put(row)
        yield inside
    for row in view.others:
        if view.kinds[row] is Kind.BLOCK:
            put(row)
    yield routed
    yield from hidden.values()


def _mixed_pairs(view: View, blocks: Sequence[int]) -> Iterator[Sequence[int]]:
    """Pairs of one VPC's blocks of which one is routable and the other not."""
    for place, one in enumerate(blocks):
        for other in blocks[place + 1 :]:
            if view.rows.is_routable(one) != view.rows.is_routable(other):
                yield one, other


def _pair(view: View, outer: int, inner: int) -> Diagnostic:
    rows = view.rows
    is_duplicate = rows.keys[outer] == rows.keys[inner]
    verb = "is also" if is_duplicate else "overlaps"
    names = (_whose(view, inner), _whose(view, outer))
    is_one_vpc = view.kinds[outer] is Kind.SUBNET and view.owners[outer] == view.owners[inner] != ""
    return Diagnostic(
        code=codes.DUPLICATE if is_duplicate else codes.OVERLAP,
        message=f"{rows.label(inner)}{names[0]} {verb} {rows.label(outer)}{names[1]}{_of(rows.position(outer))}",
        position=rows.position(inner),
        hint=None
        if is_duplicate or not is_one_vpc
        else f"if {rows.block(outer)} is the VPC's own block, its purpose is vpc",
    )


def _whose(view: View, row: int) -> str:
    return f" of {shown(view.owners[row])}" if view.owners[row] and view.owners[row] != view.rows.names[row] else ""


def _of(position: object) -> str:
    return f", at {position}" if position else ""


def _count(number: int, noun: str) -> str:
    return f"{number:,} {noun}{'' if number == 1 else 's'}"

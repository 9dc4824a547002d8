"""Two plans compared: what was added, what grew in place, what is no longer used, and why.

Nothing that a plan has can move or shrink, so a difference knows no other signs for blocks than `+` and `~`.
"""

import enum
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

from .building import usable
from .values import FunctionPlace, Plan, Segment, Vpc


class Sign(enum.Enum):
    """What happened to a thing: added, changed in place, gone (functions only), or nothing."""

    ADD = "+"
    CHANGE = "~"
    REMOVE = "-"
    KEEP = " "


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """One line of a difference: the thing (`hub/proxies/eu-west-1a`), what it was, what it is, and why."""

    sign: Sign
    what: str
    before: str = ""
    after: str = ""
    why: str = ""

    def to_json(self) -> dict[str, str]:
        """The line as JSON values; a kept thing has the sign `=`."""
        sign = "=" if self.sign is Sign.KEEP else self.sign.value
        return {"sign": sign, "what": self.what, "before": self.before, "after": self.after, "why": self.why}


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """All lines: VPCs with their segments in the plan's order, then functions by name."""

    blocks: tuple[Change, ...]
    functions: tuple[Change, ...]

    @property
    def has_changes(self) -> bool:
        """Whether anything would have to be deployed, or is no longer used."""
        return any(change.sign is not Sign.KEEP for change in (*self.blocks, *self.functions))

    def count(self, sign: Sign) -> int:
        """How many blocks have that sign."""
        return sum(change.sign is sign for change in self.blocks)


def difference(before: Plan | None, plan: Plan, reasons: Mapping[str, str]) -> Difference:
    """What `plan` changes of `before` (None: everything is new); `reasons` come from the layout."""
    old = before.by_name if before else {}
    blocks = (line for vpc in plan.vpcs for line in _of_vpc(old.get(vpc.name), vpc, reasons))
    return Difference(blocks=tuple(blocks), functions=tuple(_of_functions(before, plan)))


def _of_vpc(old: Vpc | None, vpc: Vpc, reasons: Mapping[str, str]) -> Iterator[Change]:
    yield _vpc_line(old, vpc, reasons.get(vpc.name, ""))
    segments = {segment.spot: segment for segment in old.segments} if old else {}
    for segment in vpc.segments:
        first = f"{vpc.name}/{replace(segment.spot, number=1)}"
        yield _segment_line(vpc.name, segments.get(segment.spot), segment, reasons.get(first, ""))


def _vpc_line(old: Vpc | None, vpc: Vpc, reason: str) -> Change:
    now = _blocks(vpc)
    if old is None:
        return Change(sign=Sign.ADD, what=vpc.name, after=now, why=reason)
    was = _blocks(old)
    notes = [reason] if reason else []
    if len(vpc.cidrs) > len(old.cidrs):
        added = ", ".join(str(block) for block in vpc.cidrs if block not in old.cidrs)
        notes.insert(0, f"takes {added} as a further block")
    if vpc.is_dual_stack and not old.is_dual_stack:
        notes.append("dual-stack")
    is_same = was == now and vpc.is_dual_stack == old.is_dual_stack
    sign = Sign.KEEP if is_same else Sign.CHANGE
    return Change(sign=sign, what=vpc.name, before=was, after=now, why="; ".join(notes))


def _blocks(vpc: Vpc) -> str:
    return ", ".join(
        f"{one.extent.block} (reserve {one.extent.reserve})" if one.extent.reserve else str(one.extent.block)
        for one in vpc.ranges
    )


def _segment_line(vpc: str, old: Segment | None, segment: Segment, reason: str) -> Change:
    name = f"{vpc}/{segment.spot}"
    now, has = _extent(segment), usable(segment.extent)
    if old is None:
        why = f"{segment.needed} of {has} addresses"
        if segment.spot.number > 1:
            why += "; the first could not grow in place" + (f": {reason}" if reason else ": its neighbour is taken")
        return Change(sign=Sign.ADD, what=name, after=now, why=why)
    was = _extent(old)
    notes: list[str] = []
    if segment.extent.block != old.extent.block:
        added = ", ".join(str(part) for part in segment.extent.parts if part not in old.extent.parts)
        notes.append(f"grew in place by the subnet {added}: needs {segment.needed}, had {usable(old.extent)}")
    elif segment.needed != old.needed and not segment.is_unused:
        notes.append(f"needs {segment.needed} (was {old.needed}) of {has} addresses")
    if segment.is_unused != old.is_unused:
        notes.append("no longer used: it stays" if segment.is_unused else "used again")
    if reason:
        notes.append(reason)
    elif old.extent.reserve and segment.extent.block == old.extent.block and not segment.extent.reserve:
        notes.append("its reserve is taken")
    is_same = was == now and segment.is_unused == old.is_unused
    return Change(sign=Sign.KEEP if is_same else Sign.CHANGE, what=name, before=was, after=now, why="; ".join(notes))


def _extent(segment: Segment) -> str:
    extent = segment.extent
    return f"{extent.block} (reserve {extent.reserve})" if extent.reserve else str(extent.block)


def _of_functions(before: Plan | None, plan: Plan) -> Iterator[Change]:
    old = {place.name: place for place in before.functions} if before else {}
    new = {place.name: place for place in plan.functions}
    for name in sorted({*old, *new}):
        was, now = old.get(name), new.get(name)
        texts = [_place(one) if one else "" for one in (was, now)]
        sign = Sign.ADD if was is None else Sign.REMOVE if now is None else Sign.KEEP if was == now else Sign.CHANGE
        yield Change(sign=sign, what=name, before=texts[0], after=texts[1])


def _place(one: FunctionPlace) -> str:
    further = f", set {one.set_number}" if one.set_number > 1 else ""
    return f"{one.vpc}/{one.zone}{further} in {', '.join(one.azs)}"

"""The network plan as `infra` needs it: VPCs, subnets with their purposes, trust zones, where each function is.

The plan's digest covers everything in it, so keys that this reader does not use are ignored rather than checked again.
"""

import enum
import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from ipaddress import IPv4Network
from itertools import pairwise
from typing import Annotated, Any, Literal

import pydantic
from pydantic import Field

from strangler_fig.diagnostics import Diagnostic, Refused, in_file_order

from .json_places import JsonFile, is_version, shaped, version_words

_Name = Annotated[str, Field(pattern=r"^[a-z][a-z0-9-]{0,62}$")]
_Az = Annotated[str, Field(pattern=r"^[a-z][a-z0-9-]{0,31}$")]
_Count = Annotated[int, Field(ge=0)]

VERSION = "IN110"
DIGEST = "IN111"
VALUE = "IN112"
CONTRADICTION = "IN113"
PLAN_VERSION = 1
ON_PREMISES = "on-premises"
EGRESS = "egress"
FLEETS = (ON_PREMISES, EGRESS)
"""What the planner calls the endpoints that lead to the hub's proxies and to the security team's egress proxies."""
_HINT = "a plan is written by `fig cidr plan` alone: take the file from version control, or plan again"


class Purpose(enum.Enum):
    """What a subnet is for."""

    FUNCTIONS = "functions"
    ENDPOINTS = "endpoints"
    PROXIES = "proxies"
    ROUTERS = "routers"
    NAT = "nat"
    ATTACHMENTS = "attachments"


@dataclass(frozen=True, slots=True, kw_only=True)
class Subnet:
    """One subnet; `spare` counts the addresses that its uses and AWS leave free."""

    name: str
    cidr: IPv4Network
    az: str
    purpose: Purpose
    zone: str
    spare: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Zone:
    """A trust zone in one VPC, and how many security-group sets the planner counted for it."""

    name: str
    security_group_sets: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Vpc:
    """One VPC: its blocks (the primary first), its subnets, its interface endpoints, and counts of others (`stock`).

    `way`: how its functions reach on-premises (`endpoint`, `nat`, `direct`); empty for the hub.
    """

    name: str
    is_hub: bool
    way: str
    cidrs: tuple[IPv4Network, ...]
    routable: tuple[IPv4Network, ...]
    subnets: tuple[Subnet, ...]
    endpoints: tuple[str, ...]
    zones: tuple[Zone, ...]
    stock: Mapping[str, int]

    def of(self, purpose: Purpose, zone: str | None = None) -> tuple[Subnet, ...]:
        """The subnets of a purpose, and of a trust zone where one is named."""
        return tuple(one for one in self.subnets if one.purpose is purpose and zone in (None, one.zone))


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """In which VPC, trust zone and AZs a function is, and which of the zone's security-group sets it has (from 1)."""

    function: str
    vpc: str
    zone: str
    azs: tuple[str, ...]
    set_number: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Limit:
    """A limit or an assumption that the planner names, as it stood."""

    key: str
    value: float
    unit: str
    kind: str
    as_of: str
    source: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """The whole plan, and the digest that names it."""

    digest: str
    region: str
    azs: tuple[str, ...]
    vpcs: tuple[Vpc, ...]
    places: Mapping[str, Place]
    limits: Mapping[str, Limit]

    @property
    def hub(self) -> Vpc | None:
        """The hub; None where nothing needs one."""
        return next((vpc for vpc in self.vpcs if vpc.is_hub), None)

    @property
    def spokes(self) -> tuple[Vpc, ...]:
        """The VPCs that hold functions."""
        return tuple(vpc for vpc in self.vpcs if not vpc.is_hub)

    def spoke(self, name: str) -> Vpc:
        """The spoke of that name."""
        return next(vpc for vpc in self.spokes if vpc.name == name)


class _RangeShape(pydantic.BaseModel):
    parts: list[IPv4Network]
    routable: bool


class _SubnetShape(pydantic.BaseModel):
    name: str
    cidr: IPv4Network


class _SegmentShape(pydantic.BaseModel):
    purpose: Purpose
    zone: str = ""
    az: _Az
    needed: _Count
    subnets: Annotated[list[_SubnetShape], Field(min_length=1)]


class _ZoneShape(pydantic.BaseModel):
    name: _Name
    security_group_sets: Annotated[int, Field(ge=1)]


class _VpcShape(pydantic.BaseModel):
    name: _Name
    kind: Literal["hub", "spoke"]
    way: str = ""
    cidrs: Annotated[list[IPv4Network], Field(min_length=1)]
    ranges: list[_RangeShape]
    endpoints: list[_Name]
    stock: dict[str, _Count]
    zones: list[_ZoneShape] = []
    segments: list[_SegmentShape]


class _PlaceShape(pydantic.BaseModel):
    vpc: str
    zone: str
    set: Annotated[int, Field(ge=1)] = 1
    azs: list[str]


class _LimitShape(pydantic.BaseModel):
    value: float
    unit: str
    kind: str
    as_of: str
    source: str


class _PlanShape(pydantic.BaseModel):
    digest: str
    region: str = ""
    azs: Annotated[list[_Az], Field(min_length=1)]
    vpcs: Annotated[list[_VpcShape], Field(min_length=1)]
    functions: dict[_Name, _PlaceShape]
    limits: dict[str, _LimitShape]


def plan_in(source: JsonFile) -> Plan:
    """The plan that a plan file holds. Raises `Refused` with every finding."""
    data = source.data
    if not isinstance(data, dict) or not is_version(data.get("version"), PLAN_VERSION):
        found = data.get("version") if isinstance(data, dict) else None
        message = f"this is no plan of version {PLAN_VERSION}: its version is {version_words(found)}"
        raise Refused([Diagnostic(code=VERSION, message=message, position=source.at("version"), hint=_HINT)])
    if data.get("digest") != digest_of(data):
        message = "the digest does not fit the plan: the file was changed by hand, or damaged"
        raise Refused([Diagnostic(code=DIGEST, message=message, position=source.at("digest"), hint=_HINT)])
    plan = _values(shaped(source, _PlanShape))
    wrong = [
        Diagnostic(code=CONTRADICTION, message=message, position=source.at(*path), hint=_HINT)
        for path, message in _contradictions(plan)
    ]
    if wrong:
        raise Refused(in_file_order(wrong))
    return plan


def digest_of(data: Mapping[str, Any]) -> str:
    """The digest that a plan with these values must carry."""
    covered = {key: value for key, value in data.items() if key not in ("version", "digest")}
    text = json.dumps(covered, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return "sha256:" + hashlib.sha256(text.encode()).hexdigest()


def _values(shape: _PlanShape) -> Plan:
    return Plan(
        digest=shape.digest,
        region=shape.region,
        azs=tuple(shape.azs),
        vpcs=tuple(_vpc(one) for one in shape.vpcs),
        places={
            name: Place(function=name, vpc=one.vpc, zone=one.zone, azs=tuple(one.azs), set_number=one.set)
            for name, one in shape.functions.items()
        },
        limits={key: Limit(key=key, **one.model_dump()) for key, one in shape.limits.items()},
    )


def _vpc(shape: _VpcShape) -> Vpc:
    return Vpc(
        name=shape.name,
        is_hub=shape.kind == "hub",
        way=shape.way,
        cidrs=tuple(shape.cidrs),
        routable=tuple(part for one in shape.ranges if one.routable for part in one.parts),
        subnets=tuple(subnet for segment in shape.segments for subnet in _subnets(segment)),
        endpoints=tuple(shape.endpoints),
        zones=tuple(Zone(name=one.name, security_group_sets=one.security_group_sets) for one in shape.zones),
        stock=shape.stock,
    )


_RESERVED = 5
"""Addresses that AWS keeps in each subnet. Source: VPC User Guide, "Subnet sizing", 2025."""


def _subnets(segment: _SegmentShape) -> list[Subnet]:
    usable = sum(one.cidr.num_addresses - _RESERVED for one in segment.subnets)
    return [
        Subnet(
            name=one.name,
            cidr=one.cidr,
            az=segment.az,
            purpose=segment.purpose,
            zone=segment.zone,
            spare=usable - segment.needed,
        )
        for one in segment.subnets
    ]


_OTHER_STACKS = ("proxies", "egress", "lattice", "telemetry", "routers", "router-hosts", "ledger", "stacks")
_Found = tuple[tuple[str | int, ...], str]
_LARGEST, _SMALLEST = 16, 28
"""Prefixes of the largest and the smallest VPC block and subnet. Source: VPC User Guide, "VPC CIDR blocks", 2025."""


def _contradictions(plan: Plan) -> list[_Found]:
    """What cannot be in any plan, whoever wrote it, and where it stands."""
    found: list[_Found] = []
    if sum(vpc.is_hub for vpc in plan.vpcs) > 1:
        found.append((("vpcs",), "a plan has one hub"))
    names = [vpc.name for vpc in plan.vpcs]
    found += [
        (("vpcs", place, "name"), f"a second VPC with the name {name!r}")
        for place, name in enumerate(names)
        if name in names[:place]
    ]
    found += [
        (("vpcs", place, "name"), f"a VPC may not be called {name!r}: a stack of something else is")
        for place, name in enumerate(names)
        if name in _OTHER_STACKS
    ]
    for place, vpc in enumerate(plan.vpcs):
        path = ("vpcs", place)
        found += [((*path, "cidrs"), message) for message in _of_blocks(vpc)]
        found += [((*path, "segments"), message) for message in _of_subnets(vpc)]
    sets = {(vpc.name, zone.name): zone.security_group_sets for vpc in plan.spokes for zone in vpc.zones}
    for name, one in plan.places.items():
        count = sets.get((one.vpc, one.zone))
        if count is None:
            found.append((("functions", name), f"there is no zone {one.zone!r} in a VPC {one.vpc!r}"))
        elif one.set_number > count:
            message = f"{name} has the security-group set {one.set_number}, and {one.zone} in {one.vpc} has {count}"
            found.append((("functions", name, "set"), message))
    return found


def _of_blocks(vpc: Vpc) -> list[str]:
    sizes = [
        f"{block} is not between /{_LARGEST} and /{_SMALLEST}, the sizes that AWS has"
        for block in (*vpc.cidrs, *(subnet.cidr for subnet in vpc.subnets))
        if not _LARGEST <= block.prefixlen <= _SMALLEST
    ]
    return sizes + _overlaps(vpc.cidrs)


def _of_subnets(vpc: Vpc) -> list[str]:
    outside = [
        f"the subnet {one.name} ({one.cidr}) lies in no block of the VPC {vpc.name}"
        for one in vpc.subnets
        if not any(one.cidr.subnet_of(block) for block in vpc.cidrs)
    ]
    return outside + _overlaps(tuple(one.cidr for one in vpc.subnets))


def _overlaps(blocks: tuple[IPv4Network, ...]) -> list[str]:
    ordered = sorted(blocks)
    return [f"{block} overlaps {before}" for before, block in pairwise(ordered) if block.overlaps(before)]

"""The shapes of the plan file's JSON, as far as a type can say it; `reading` turns them into values."""

from typing import Annotated, Any, Literal

import pydantic
from pydantic import Field

_Count = Annotated[int, Field(ge=0, strict=True)]
_Text = Annotated[str, Field(min_length=1, max_length=200)]


class _Shape(pydantic.BaseModel):
    model_config = pydantic.ConfigDict(extra="forbid")


class RoomShape(_Shape):
    """What is free."""

    addresses: _Count
    largest: Annotated[str, Field(pattern=r"^/[0-9]{1,3}$")] | None = None
    fragmentation: Annotated[float, Field(ge=0, le=1)]


class SpaceShape(_Shape):
    """A parent block."""

    block: str
    routable: bool
    others: _Count
    free: RoomShape
    occupied: list[Annotated[int, Field(ge=0, le=100)]]


class RangeShape(_Shape):
    """A block associated with a VPC."""

    block: str
    parts: list[str]
    reserve: str | None = None
    routable: bool


class ZoneShape(_Shape):
    """A trust zone in a VPC."""

    name: _Text
    security_group_sets: Annotated[int, Field(ge=1, strict=True)]
    enis: _Count
    functions: _Count


class UseShape(_Shape):
    """Addresses for one thing."""

    what: _Text
    addresses: _Count


class SubnetShape(_Shape):
    """One subnet."""

    name: _Text
    cidr: str
    ipv6_index: Annotated[int, Field(ge=0, le=255)] | None = None
    ipv6: str | None = None


class SegmentShape(_Shape):
    """The addresses of one purpose in one AZ."""

    purpose: Literal["functions", "endpoints", "proxies", "routers", "nat", "attachments"]
    zone: _Text | None = None
    az: _Text
    number: Annotated[int, Field(ge=2)] | None = None
    block: str
    reserve: str | None = None
    needed: _Count
    uses: list[UseShape]
    subnets: Annotated[list[SubnetShape], Field(min_length=1)]


class VpcShape(_Shape):
    """One VPC."""

    name: _Text
    kind: Literal["hub", "spoke"]
    way: _Text | None = None
    cidrs: list[str]
    ranges: Annotated[list[RangeShape], Field(min_length=1)]
    dual_stack: Literal[True] | None = None
    ipv6: str | None = None
    others: list[str] = []
    free: RoomShape
    endpoints: list[_Text]
    stock: dict[_Text, _Count]
    zones: list[ZoneShape] = []
    segments: list[SegmentShape]


class FunctionShape(_Shape):
    """Where a function is."""

    vpc: _Text
    zone: _Text
    set: Annotated[int, Field(ge=2)] | None = None
    azs: list[_Text]


class FigureShape(_Shape):
    """A limit that the plan rests on."""

    value: int | float
    unit: str
    kind: str
    as_of: str
    source: str


class GrowthShape(_Shape):
    """Growth until the horizon."""

    years: Annotated[float, Field(ge=0)]
    factor: Annotated[float, Field(gt=0)]


class SavingsShape(_Shape):
    """Routable addresses."""

    used: _Count
    reserved: _Count
    one_vpc: _Count
    one_vpc_legacy: _Count


class PlanShape(_Shape):
    """The whole file."""

    version: Literal[1]
    digest: str
    as_of: str
    model: Literal["hyperplane", "legacy-2019"]
    region: _Text | None = None
    azs: Annotated[list[_Text], Field(min_length=1)]
    growth: GrowthShape
    savings: SavingsShape
    spaces: list[SpaceShape]
    vpcs: Annotated[list[VpcShape], Field(min_length=1)]
    functions: dict[str, FunctionShape]
    limits: dict[str, FigureShape]
    inputs: dict[str, str]


def known_keys() -> dict[tuple[str, ...], tuple[str, ...]]:
    """The keys of each mapping of the file by path, for "did you mean"."""
    shapes: dict[tuple[str, ...], Any] = {
        (): PlanShape,
        ("growth",): GrowthShape,
        ("savings",): SavingsShape,
        ("spaces", "*"): SpaceShape,
        ("spaces", "*", "free"): RoomShape,
        ("vpcs", "*"): VpcShape,
        ("vpcs", "*", "free"): RoomShape,
        ("vpcs", "*", "ranges", "*"): RangeShape,
        ("vpcs", "*", "zones", "*"): ZoneShape,
        ("vpcs", "*", "segments", "*"): SegmentShape,
        ("vpcs", "*", "segments", "*", "uses", "*"): UseShape,
        ("vpcs", "*", "segments", "*", "subnets", "*"): SubnetShape,
        ("functions", "*"): FunctionShape,
        ("limits", "*"): FigureShape,
    }
    return {path: tuple(shape.model_fields) for path, shape in shapes.items()}

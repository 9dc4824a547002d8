"""The shapes of an inventory file, its allocations left out: what may stand where."""

from typing import Annotated, Any

import pydantic
from pydantic import Field

from ..addresses.block import Block
from .values import FunctionUse, Quota, RegionUse, Route, RouteTable, VpcUse

_Count = Annotated[int, Field(ge=0, strict=True)]
_Counts = dict[str, _Count]


class _Shape(pydantic.BaseModel):
    model_config = pydantic.ConfigDict(extra="forbid")


class VpcShape(_Shape):
    """What is in a VPC."""

    vpc: str
    account: str = ""
    region: str = ""
    enis: _Count | None = None
    interface_endpoints: _Count | None = None
    resource_endpoints: _Count | None = None
    route_tables: _Count | None = None
    nau: _Counts = {}
    nau_is_whole: bool = False
    peers: tuple[str, ...] = ()

    def value(self) -> VpcUse:
        """The value of the shape."""
        return VpcUse(
            vpc=self.vpc,
            account=self.account,
            region=self.region,
            enis=self.enis,
            interface_endpoints=self.interface_endpoints,
            resource_endpoints=self.resource_endpoints,
            route_tables=self.route_tables,
            nau=self.nau,
            nau_is_whole=self.nau_is_whole,
            peers=self.peers,
        )


class RegionShape(_Shape):
    """What is in a Region of an account."""

    account: str = ""
    region: str
    vpcs: _Count | None = None
    gateway_endpoints: _Count | None = None
    enis_by_az: _Counts | None = None

    def value(self) -> RegionUse:
        """The value of the shape."""
        return RegionUse(
            account=self.account,
            region=self.region,
            vpcs=self.vpcs,
            gateway_endpoints=self.gateway_endpoints,
            enis_by_az=self.enis_by_az,
        )


class RouteTableShape(_Shape):
    """A route table and its destinations."""

    name: str
    vpc: str
    static: _Count
    propagated: _Count = 0
    routes: tuple[str, ...] = ()

    @pydantic.field_validator("routes")
    @classmethod
    def _blocks(cls, routes: tuple[str, ...]) -> tuple[str, ...]:
        for route in routes:
            Block.of(route)  # it raises ValueError, which becomes the finding
        return routes

    def value(self) -> RouteTable:
        """The value of the shape."""
        return RouteTable(
            name=self.name,
            vpc=self.vpc,
            static=self.static,
            propagated=self.propagated,
            routes=tuple(Route(block=Block.of(route)) for route in self.routes),
        )


class FunctionShape(_Shape):
    """A function's configuration."""

    name: str
    account: str = ""
    region: str = ""
    vpc: str = ""
    subnets: tuple[str, ...] = ()
    security_groups: tuple[str, ...] = ()
    memory_mb: _Count | None = None
    timeout_seconds: _Count | None = None
    reserved: _Count | None = None
    peak: _Count | None = None

    def value(self) -> FunctionUse:
        """The value of the shape."""
        return FunctionUse(
            name=self.name,
            account=self.account,
            region=self.region,
            vpc=self.vpc,
            subnets=self.subnets,
            security_groups=self.security_groups,
            memory_mb=self.memory_mb,
            timeout_seconds=self.timeout_seconds,
            reserved=self.reserved,
            peak=self.peak,
        )


class QuotaShape(_Shape):
    """An account's own limit."""

    key: str
    value_: Annotated[float, Field(gt=0, alias="value")]
    code: str
    account: str = ""
    region: str = ""
    as_of: str

    def value(self) -> Quota:
        """The value of the shape."""
        return Quota(
            key=self.key,
            value=self.value_,
            code=self.code,
            account=self.account,
            region=self.region,
            as_of=self.as_of,
        )


class InventoryShape(_Shape):
    """The whole file; the allocations are read by themselves, as there may be a hundred thousand."""

    version: int = 1
    as_of: str = ""
    allocations: Any
    vpcs: tuple[VpcShape, ...] = ()
    regions: tuple[RegionShape, ...] = ()
    route_tables: tuple[RouteTableShape, ...] = ()
    functions: tuple[FunctionShape, ...] = ()
    quotas: tuple[QuotaShape, ...] = ()


def known_keys() -> dict[tuple[str, ...], tuple[str, ...]]:
    """The keys of each mapping of the file by path, for "did you mean"."""
    inside: dict[str, type[_Shape]] = {
        "vpcs": VpcShape,
        "regions": RegionShape,
        "route_tables": RouteTableShape,
        "functions": FunctionShape,
    }
    return {
        (): tuple(InventoryShape.model_fields),
        **{(key, "*"): tuple(shape.model_fields) for key, shape in inside.items()},
        ("quotas", "*"): ("key", "value", "code", "account", "region", "as_of"),
    }

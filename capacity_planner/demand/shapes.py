"""The demand file's shapes: which keys there are, what each value must be, and what a reader should know about it.

pydantic reads them once; `lower` turns them into the demand at once. `schema` prints these shapes.
"""

from typing import Annotated, Literal

from pydantic import Field, model_validator

from .fault import Fault
from .path_shapes import NetworkPathShape
from .quantity import DURATION
from .shape_values import (
    Count,
    Duration,
    GrowthRate,
    Ipv4Block,
    Ipv6Block,
    Memory,
    Name,
    PerRequest,
    Positive,
    Rate,
    Region,
    Shape,
    ShareOfOne,
    Size,
    Sockets,
    Years,
    Zones,
    refused,
)


class AccountShape(Shape):
    """Where it runs."""

    azs: Zones = Field(description="The Availability Zones that subnets are made in.")
    region: Region | None = Field(None, description="The Region, for the reader.")
    concurrency: Positive | None = Field(
        None, description="The account's quota of concurrent executions. Default: the limit lambda_account_concurrency."
    )
    lost_azs: Annotated[int, Field(ge=0, le=5)] = Field(
        1, description="How many zones may be lost at once: all is judged with them lost, too. Default 1."
    )


class GrowthShape(Shape):
    """How demand grows."""

    per_year: GrowthRate = Field(description="Growth in a year, compounded, as in 30%.")
    years: Years = Field(description="The horizon in years, as in 3 or 1.5.")


class SpacesShape(Shape):
    """Where blocks may come from."""

    spoke: Annotated[list[Ipv4Block], Field(min_length=1)] = Field(
        default=[], description="Parents of the spoke VPCs, not routable and reusable. Default 100.64.0.0/10."
    )
    hub: list[Ipv4Block] = Field(default=[], description="Parents of the hub VPC, routable to on-premises.")
    ipv6: bool = Field(default=False, description="Whether subnets are dual-stack.")
    ipv6_parent: Ipv6Block | None = Field(None, description="Where the VPCs' /56 come from, of an IPAM of your own.")


class DurationShape(Shape):
    """How long one invocation takes."""

    p50: Duration = Field(description="At the median.")
    p99: Duration | None = Field(None, description="At the 99th percentile. Default: the timeout.")


class PayloadShape(Shape):
    """Bytes of one request and its response."""

    request: Size = Field(0, description="Of the request, as in 1KB. Default 0B.")
    response: Size = Field(0, description="Of the response, as in 12KB. Default 0B.")


class LookupsShape(Shape):
    """Names that are looked up."""

    per_request: PerRequest = Field(description="Look-ups for each request.")
    cached: ShareOfOne = Field(0.0, description="Share that a cache in the environment answers. Default 0%.")


class FunctionShape(Shape):
    """One function, by its name in the estate."""

    rate: Rate = Field(description="Requests at peak, as in 60/s or 90000/h.")
    duration: DurationShape = Field(description="How long one invocation takes.")
    timeout: Duration = Field(description="The function's timeout: the most an invocation can take.")
    memory: Memory = Field(description="Memory as Lambda counts it, as in 1536 or 1536MB.")
    trust_zone: Name = Field(description="Functions of one trust zone share a set of security groups.")
    connections: Sockets = Field(1, description="Connections that an environment holds at once. Default 1.")
    new_connections: PerRequest = Field(
        0.0, description="Connections that each request opens to on-premises. Default 0: environments keep theirs."
    )
    sessions: dict[Name, Annotated[int, Field(ge=1, le=1024)]] = Field(
        default={}, description="Database sessions that an environment holds, by database."
    )
    services: list[Name] = Field(default=[], description="Services on-premises that it calls.")
    lookups: LookupsShape | None = Field(None, description="Names that it looks up. Default: none.")
    ingress: PayloadShape = Field(default=PayloadShape(), description="Between VIP and Lambda API.")
    egress: PayloadShape = Field(default=PayloadShape(), description="Between function and on-premises.")
    azs: Zones | None = Field(None, description="Zones that it has subnets in. Default: the account's.")
    reserved: Count | None = Field(None, description="Its reserved concurrency. Default: none.")
    way: Literal["endpoint", "nat", "direct"] = Field(
        "endpoint", description="How it reaches on-premises: endpoint and proxies, NAT gateway, or routed directly."
    )

    @model_validator(mode="after")
    def _durations_rise(self) -> "FunctionShape":
        p99 = self.timeout if self.duration.p99 is None else self.duration.p99
        if not self.duration.p50 <= p99 <= self.timeout:
            text = "p50, p99 and timeout must rise in this order"
            raise refused(Fault(DURATION, text, "what takes longer than the timeout is cut off there"))
        return self


class TrustZoneShape(Shape):
    """Functions that share security groups."""

    sets: Annotated[int, Field(ge=1, le=100)] = Field(
        1,
        description="Sets of security groups that its functions are spread over; each has ENIs of its own. Default 1.",
    )
    security_groups: Annotated[int, Field(ge=1, le=16)] = Field(1, description="Security groups in a set. Default 1.")


class DatabaseShape(Shape):
    """A database on-premises."""

    sessions: Positive = Field(description="Sessions (Oracle: processes) that it allows in all.")
    share: ShareOfOne = Field(1.0, description="Share of them for functions. Default 100%.")
    others: Count = Field(0, description="Sessions out of that share that others hold already. Default 0.")
    endpoints: Positive = Field(1, description="IP and port pairs that it listens on. Default 1.")


class ServiceShape(Shape):
    """Another service on-premises."""

    endpoints: Positive = Field(1, description="IP and port pairs that it listens on. Default 1.")


class LegacyShape(Shape):
    """A legacy application with today's limits."""

    functions: Annotated[list[Name], Field(min_length=1)] = Field(
        description="The functions whose traffic would come back to it."
    )
    rate: Rate | None = Field(None, description="What it was seen to carry, as in 90/s.")
    concurrency: Positive | None = Field(None, description="Its workers: requests at once.")
    duration: Duration | None = Field(None, description="How long one of its requests takes.")
    sessions: dict[Name, Positive] = Field(default={}, description="Sessions it may hold, by database.")


class DemandShape(Shape):
    """What the workloads need of the network, and the way to on-premises."""

    version: Literal[1] = Field(description="The version of this format.")
    account: AccountShape = Field(description="Where it runs.")
    growth: GrowthShape | None = Field(None, description="How demand grows. Default: not.")
    spaces: SpacesShape = Field(default=SpacesShape(), description="Where blocks may come from.")
    functions: Annotated[dict[Name, FunctionShape], Field(min_length=1)] = Field(
        description="The functions by their names in the estate."
    )
    trust_zones: dict[Name, TrustZoneShape] | None = Field(
        None, description="The trust zones. Default: those that functions name, one set each."
    )
    path: NetworkPathShape = Field(default=NetworkPathShape(), description="The way to on-premises.")
    databases: dict[Name, DatabaseShape] = Field(default={}, description="Databases on-premises.")
    services: dict[Name, ServiceShape] = Field(default={}, description="Other services on-premises.")
    legacy: dict[Name, LegacyShape] = Field(default={}, description="Applications that may take everything back.")

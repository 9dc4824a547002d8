"""The shapes of the demand file's key `path`: what stands between functions and on-premises."""

from typing import Annotated, Literal

from pydantic import Field

from .shape_values import Count, Duration, Gbps, Name, Positive, ProxyMemory, Shape, ShareOfOne


class IngressShape(Shape):
    """The leg from the VIP to the Lambda API."""

    router: Literal["on-premises", "hub"] = Field(
        "on-premises", description="Where the router runs. In the hub each request crosses the circuit twice."
    )
    base64: ShareOfOne = Field(
        1.0, description="Share of the bytes that are binary bodies, which grow by a third. Default 100%."
    )


class NlbShape(Shape):
    """The load balancer before the proxies."""

    targets_per_az: Positive | None = Field(None, description="Targets in a zone. Default: one for each proxy.")
    secondary_addresses: Annotated[int, Field(ge=0, le=7)] = Field(
        0, description="Secondary addresses in a subnet; each raises the ports by the same again. Default 0."
    )
    cross_zone: bool = Field(default=False, description="Whether it balances across zones. Default false.")


class ProxiesShape(Shape):
    """The proxies of the hub VPC."""

    software: Literal["haproxy", "envoy", "other"] = Field("haproxy", description="What they run. Default haproxy.")
    per_az: Positive | None = Field(None, description="Proxies in a zone. Default: as many as are needed.")
    ports: Annotated[int, Field(ge=1, le=64_512)] | None = Field(
        None, description="Ports to one destination. Default: Linux's, 28,232."
    )
    time_wait: Duration | None = Field(None, description="Until a closed port serves again. Default: Linux's, 60s.")
    addresses: Annotated[int, Field(ge=1, le=50)] = Field(
        1, description="Addresses of one proxy on the side of on-premises. Default 1."
    )
    max_connections: Positive | None = Field(
        None, description="Of one proxy to one destination. Default: the software's: Envoy 1,024, else none."
    )
    memory: ProxyMemory = Field(4 * 2**30, description="Memory of one proxy. Default 4GiB.")
    tls: Literal["none", "client", "both"] = Field("none", description="On which sides they speak TLS. Default none.")
    bandwidth: Gbps = Field(5.0, description="Bandwidth of one proxy. Default 5Gbps.")


class NatShape(Shape):
    """Private NAT gateways, one in each zone."""

    addresses: Annotated[int, Field(ge=1, le=32)] = Field(1, description="Addresses of each gateway. Default 1.")


class TransitGatewayShape(Shape):
    """The Transit Gateway."""

    routes: Count = Field(0, description="Routes in its table. Default 0.")


class CircuitShape(Shape):
    """One Direct Connect connection."""

    bandwidth: Gbps = Field(description="Its bandwidth, as in 10Gbps.")
    hosted: bool = Field(default=False, description="Whether it is a partner's hosted connection. Default false.")
    used: ShareOfOne = Field(0.0, description="Share that others use at the same hour. Default 0%.")


class DirectConnectShape(Shape):
    """The circuits to on-premises."""

    circuits: Annotated[dict[Name, CircuitShape], Field(min_length=1)] = Field(description="The connections by name.")
    prefixes_in: Count = Field(0, description="Prefixes that on-premises advertises to AWS. Default 0.")
    prefixes_out: Count = Field(0, description="Prefixes that AWS advertises to on-premises. Default 0.")


class ResolverShape(Shape):
    """The Resolver endpoint that asks the name servers on-premises."""

    addresses: Annotated[int, Field(ge=1, le=100)] = Field(2, description="Its addresses. Default 2.")
    forwarded: ShareOfOne = Field(1.0, description="Share of the look-ups that go there. Default 100%.")


class HubShape(Shape):
    """What stands in the hub VPC beside the proxies."""

    endpoints: list[Name] = Field(default=["lambda"], description="Interface endpoints, in every zone.")
    nlbs: Count = Field(1, description="Load balancers. Default 1.")
    router_hosts_per_az: Count = Field(0, description="Hosts of the router in a zone. Default 0.")
    attachment: bool = Field(default=True, description="Whether a Transit Gateway is attached. Default true.")


class SpokeShape(Shape):
    """What stands in a spoke VPC beside the functions."""

    endpoints: list[Name] = Field(default=["on-premises"], description="Interface endpoints, in every zone.")


class NetworkPathShape(Shape):
    """The way between functions and on-premises."""

    ingress: IngressShape = Field(default=IngressShape(), description="From the VIP to the Lambda API.")
    nlb: NlbShape = Field(default=NlbShape(), description="The load balancer before the proxies.")
    proxies: ProxiesShape = Field(default=ProxiesShape(), description="The proxies.")
    nat: NatShape | None = Field(None, description="Private NAT gateways. Default: none.")
    transit_gateway: TransitGatewayShape | None = Field(None, description="The Transit Gateway. Default: none.")
    direct_connect: DirectConnectShape | None = Field(None, description="The circuits. Default: none.")
    resolver: ResolverShape | None = Field(None, description="The Resolver endpoint. Default: none.")
    hub: HubShape = Field(default=HubShape(), description="What else stands in the hub VPC.")
    spoke: SpokeShape = Field(default=SpokeShape(), description="What else stands in a spoke VPC.")

"""The way between functions and on-premises, as the demand file describes it: what stands there and how many.

A count that is None is not decided yet: the planner says how many are needed. Shares are fractions of one.
"""

import enum
from dataclasses import dataclass, field


class Way(enum.Enum):
    """How a function reaches on-premises.

    `ENDPOINT`: interface endpoint, Network Load Balancer, proxies (overlapping blocks are no matter). `NAT`: a private
    NAT gateway, then the Transit Gateway. `DIRECT`: the Transit Gateway alone, so the spoke must be routable.
    """

    ENDPOINT = "endpoint"
    NAT = "nat"
    DIRECT = "direct"


class RouterPlace(enum.Enum):
    """Where the router runs: in the hub VPC each request crosses the circuit twice (a hairpin)."""

    ON_PREMISES = "on-premises"
    HUB = "hub"


class Software(enum.Enum):
    """What the proxies run, as far as their memory and defaults differ."""

    HAPROXY = "haproxy"
    ENVOY = "envoy"
    OTHER = "other"


class ProxyTls(enum.Enum):
    """On which sides a proxy speaks TLS itself: none (it passes streams through), the client's, or both."""

    NONE = "none"
    CLIENT = "client"
    BOTH = "both"


@dataclass(frozen=True, slots=True, kw_only=True)
class Ingress:
    """The leg VIP -> router -> Lambda API. `base64_share` of the bytes are binary bodies, which grow by a third."""

    router: RouterPlace = RouterPlace.ON_PREMISES
    base64_share: float = 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Nlb:
    """The load balancer before the proxies. `targets_per_az` None: one for each proxy of the zone."""

    targets_per_az: int | None = None
    secondary_addresses: int = 0
    cross_zone: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Proxies:
    """The proxies of the hub VPC.

    `per_az` None: as many as are needed. `ports` a proxy may use to one destination, and `time_wait_seconds` until a
    closed one serves again: None for Linux's defaults. `addresses` a proxy has on the side of on-premises.
    `max_connections` of one proxy to one destination: None for the default of its software. `memory_bytes` and `gbps`
    are those of one proxy.
    """

    software: Software = Software.HAPROXY
    per_az: int | None = None
    ports: int | None = None
    time_wait_seconds: float | None = None
    addresses: int = 1
    max_connections: int | None = None
    memory_bytes: int = 4 * 2**30
    tls: ProxyTls = ProxyTls.NONE
    gbps: float = 5.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Nat:
    """Private NAT gateways, one in each zone, each with so many addresses."""

    addresses: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class TransitGateway:
    """The Transit Gateway between VPCs and Direct Connect. `routes`: how many its table holds."""

    routes: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Circuit:
    """One Direct Connect connection. `used_share` of it belongs to others at the same hour."""

    name: str
    gbps: float
    hosted: bool = False
    used_share: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class DirectConnect:
    """The circuits, and how many prefixes each side advertises."""

    circuits: tuple[Circuit, ...]
    prefixes_in: int = 0
    prefixes_out: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Resolver:
    """A Resolver endpoint: so many addresses; `forwarded_share` of the look-ups that leave the cache go there."""

    addresses: int = 2
    forwarded_share: float = 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Hub:
    """What stands in the hub VPC beside the proxies, and needs addresses there.

    `endpoints` are interface endpoints by name, in every zone. `nlbs` load balancers. `router_hosts_per_az` where the
    router runs there. `attachment`: whether a Transit Gateway is attached, with a subnet of its own in each zone.
    """

    endpoints: tuple[str, ...] = ("lambda",)
    nlbs: int = 1
    router_hosts_per_az: int = 0
    attachment: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Spoke:
    """What stands in a spoke VPC beside the functions. `endpoints`: interface endpoints by name, in every zone."""

    endpoints: tuple[str, ...] = ("on-premises",)


@dataclass(frozen=True, slots=True, kw_only=True)
class NetworkPath:
    """Everything between functions and on-premises; what is None is not there."""

    ingress: Ingress = field(default_factory=Ingress)
    nlb: Nlb = field(default_factory=Nlb)
    proxies: Proxies = field(default_factory=Proxies)
    nat: Nat | None = None
    transit_gateway: TransitGateway | None = None
    direct_connect: DirectConnect | None = None
    resolver: Resolver | None = None
    hub: Hub = field(default_factory=Hub)
    spoke: Spoke = field(default_factory=Spoke)

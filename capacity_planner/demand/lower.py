"""Shapes become the demand: defaults are filled in, everything is in order of its name, references stay names.

So the order of a file's lines changes nothing downstream.
"""

from ..addresses.block import Block
from .network import (
    Circuit,
    DirectConnect,
    Hub,
    Ingress,
    Nat,
    NetworkPath,
    Nlb,
    Proxies,
    ProxyTls,
    Resolver,
    RouterPlace,
    Software,
    Spoke,
    TransitGateway,
    Way,
)
from .on_premises import Database, Legacy, Service
from .path_shapes import DirectConnectShape, NetworkPathShape, ProxiesShape
from .shapes import AccountShape, DemandShape, FunctionShape, LegacyShape, PayloadShape, SpacesShape
from .values import Account, Demand, Durations, FunctionDemand, Growth, Payload, Spaces, TrustZone

DEFAULT_SPOKE = Block.of("100.64.0.0/10")
"""Source: RFC 6598, shared address space; AWS prescriptive guidance uses it for blocks that are not routed."""


def lower(shape: DemandShape) -> Demand:
    """The demand that the file's shapes stand for."""
    functions = tuple(_function(name, shape.functions[name]) for name in sorted(shape.functions))
    growth = shape.growth
    return Demand(
        account=_account(shape.account),
        functions=functions,
        zones=_zones(shape, functions),
        spaces=_spaces(shape.spaces),
        growth=Growth(rate_per_year=growth.per_year, years=growth.years) if growth else Growth(),
        path=_path(shape.path),
        databases=tuple(
            Database(name=name, sessions=one.sessions, share=one.share, others=one.others, endpoints=one.endpoints)
            for name, one in sorted(shape.databases.items())
        ),
        services=tuple(Service(name=name, endpoints=one.endpoints) for name, one in sorted(shape.services.items())),
        legacy=tuple(_legacy(name, shape.legacy[name]) for name in sorted(shape.legacy)),
    )


def _account(shape: AccountShape) -> Account:
    return Account(
        azs=tuple(sorted(shape.azs)), region=shape.region, concurrency=shape.concurrency, lost_azs=shape.lost_azs
    )


def _zones(shape: DemandShape, functions: tuple[FunctionDemand, ...]) -> tuple[TrustZone, ...]:
    if shape.trust_zones is None:
        return tuple(TrustZone(name=name) for name in sorted({one.trust_zone for one in functions}))
    return tuple(
        TrustZone(name=name, sets=one.sets, security_groups=one.security_groups)
        for name, one in sorted(shape.trust_zones.items())
    )


def _spaces(shape: SpacesShape) -> Spaces:
    return Spaces(
        spoke=tuple(shape.spoke) or (DEFAULT_SPOKE,),
        hub=tuple(shape.hub),
        ipv6=shape.ipv6,
        ipv6_parent=shape.ipv6_parent,
    )


def _function(name: str, shape: FunctionShape) -> FunctionDemand:
    p99 = shape.timeout if shape.duration.p99 is None else shape.duration.p99
    return FunctionDemand(
        name=name,
        rate=shape.rate,
        durations=Durations(p50=shape.duration.p50, p99=p99, timeout=shape.timeout),
        memory_mb=shape.memory,
        trust_zone=shape.trust_zone,
        connections=shape.connections,
        new_connections_per_request=float(shape.new_connections),
        lookups_per_request=float(shape.lookups.per_request) if shape.lookups else 0.0,
        lookup_cache_share=shape.lookups.cached if shape.lookups else 0.0,
        ingress=_payload(shape.ingress),
        egress=_payload(shape.egress),
        azs=tuple(sorted(shape.azs)) if shape.azs else (),
        reserved=shape.reserved,
        database_sessions=tuple(sorted(shape.sessions.items())),
        services=tuple(sorted(shape.services)),
        way=Way(shape.way),
    )


def _payload(shape: PayloadShape) -> Payload:
    return Payload(request=shape.request, response=shape.response)


def _legacy(name: str, shape: LegacyShape) -> Legacy:
    return Legacy(
        name=name,
        functions=tuple(sorted(shape.functions)),
        rate=shape.rate,
        concurrency=shape.concurrency,
        duration=shape.duration,
        sessions=tuple(sorted(shape.sessions.items())),
    )


def _path(shape: NetworkPathShape) -> NetworkPath:
    return NetworkPath(
        ingress=Ingress(router=RouterPlace(shape.ingress.router), base64_share=shape.ingress.base64),
        nlb=Nlb(
            targets_per_az=shape.nlb.targets_per_az,
            secondary_addresses=shape.nlb.secondary_addresses,
            cross_zone=shape.nlb.cross_zone,
        ),
        proxies=_proxies(shape.proxies),
        nat=Nat(addresses=shape.nat.addresses) if shape.nat else None,
        transit_gateway=TransitGateway(routes=shape.transit_gateway.routes) if shape.transit_gateway else None,
        direct_connect=_direct_connect(shape.direct_connect),
        resolver=Resolver(addresses=shape.resolver.addresses, forwarded_share=shape.resolver.forwarded)
        if shape.resolver
        else None,
        hub=Hub(
            endpoints=tuple(sorted(shape.hub.endpoints)),
            nlbs=shape.hub.nlbs,
            router_hosts_per_az=shape.hub.router_hosts_per_az,
            attachment=shape.hub.attachment,
        ),
        spoke=Spoke(endpoints=tuple(sorted(shape.spoke.endpoints))),
    )


def _proxies(shape: ProxiesShape) -> Proxies:
    return Proxies(
        software=Software(shape.software),
        per_az=shape.per_az,
        ports=shape.ports,
        time_wait_seconds=shape.time_wait,
        addresses=shape.addresses,
        max_connections=shape.max_connections,
        memory_bytes=shape.memory,
        tls=ProxyTls(shape.tls),
        gbps=shape.bandwidth,
    )


def _direct_connect(shape: DirectConnectShape | None) -> DirectConnect | None:
    if shape is None:
        return None
    circuits = tuple(
        Circuit(name=name, gbps=one.bandwidth, hosted=one.hosted, used_share=one.used)
        for name, one in sorted(shape.circuits.items())
    )
    return DirectConnect(circuits=circuits, prefixes_in=shape.prefixes_in, prefixes_out=shape.prefixes_out)

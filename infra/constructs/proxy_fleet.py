"""ProxyFleet and EgressProxyFleet: the ways out of a spoke, to on-premises and to listed domains."""

import ipaddress
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from constructs import Construct

from . import proxy_files
from .endpoints import prefix_list
from .fleet import Fleet, FleetPlace, FleetSize, FleetWork
from .proxy_files import EGRESS_PORT, Reports, Target

_HTTPS = {"IpProtocol": "tcp", "FromPort": 443, "ToPort": 443}


@dataclass(frozen=True, slots=True, kw_only=True)
class ProxySettings:
    """What the proxies run and let through, who may ask for an endpoint, and where names on-premises may lead.

    `endpoint_ids`: if any, these alone may connect (HAProxy). `has_agent`: hosts publish how many sockets they hold,
    for which the VPC needs the endpoint `monitoring`. `vpc_blocks`: the VPC's own, in which its endpoints are.
    `has_logs`: it has the endpoint `logs`, so that hosts send the records of who connected, which stay for
    `retention_days`. `is_cross_zone`: as the verdicts were computed (`path.nlb.cross_zone` of the demand).
    """

    name: str = "strangler-fig"
    software: str = "haproxy"
    targets: tuple[Target, ...] = ()
    allowed_principals: tuple[str, ...] = ()
    endpoint_ids: tuple[str, ...] = ()
    prefixes: tuple[str, ...] = ()
    vpc_blocks: tuple[str, ...] = ()
    has_agent: bool = False
    has_logs: bool = False
    is_cross_zone: bool = False
    retention_days: int = 90


@dataclass(frozen=True, slots=True, kw_only=True)
class EgressSettings:
    """The domains that functions may reach, and who may ask for an endpoint."""

    name: str = "strangler-fig"
    domains: tuple[str, ...] = ()
    allowed_principals: tuple[str, ...] = ()
    retention_days: int = 90


class ProxyFleet(Construct):
    """HAProxy or Envoy behind a load balancer and an endpoint service, one port for each target on-premises.

    Costs its hosts, the load balancer (0.0225 USD an hour and 0.006 USD for each capacity unit), and what its consumers
    pay for endpoints. What binds: ports of one host to one destination (28,232, about 470 new a second; 64,512 with
    this fleet's range); 55,000 connections, or new ones a minute, for each address of the balancer and host; then the
    NICs.
    """

    def __init__(
        self, scope: Construct, name: str, place: FleetPlace, size: FleetSize, settings: ProxySettings
    ) -> None:
        super().__init__(scope, name)
        targets = settings.targets
        if settings.software == "envoy":
            path, text = "/etc/envoy/envoy.json", proxy_files.envoy(targets)
        else:
            path, text = "/etc/haproxy/haproxy.cfg", proxy_files.haproxy(targets, settings.endpoint_ids)
        work = FleetWork(
            name=f"{settings.name}-proxies",
            path=f"/{settings.name}/proxies",
            ports=tuple(one.port for one in targets),
            outbound=(
                *(rule for one in targets for rule in _towards(one, settings.prefixes)),
                *({**_HTTPS, "CidrIp": one, "Description": "endpoints"} for one in settings.vpc_blocks),
                {**_HTTPS, "DestinationPrefixListId": prefix_list(self, "s3"), "Description": "packages, by s3"},
            ),
            script=proxy_files.script(
                settings.software,
                {path: text},
                [one.port for one in targets],
                Reports(
                    fleet=f"{settings.name}-proxies",
                    has_metrics=settings.has_agent,
                    has_records=settings.has_logs,
                ),
            ),
            retention_days=settings.retention_days,
            is_cross_zone=settings.is_cross_zone,
            allowed_principals=settings.allowed_principals,
            publishes=proxy_files.METRICS if settings.has_agent else "",
        )
        self.fleet = Fleet(self, "Fleet", place, size, work)


class EgressProxyFleet(Construct):
    """Squid with a list of domains, in a VPC of the security team's, who own the list and the fleet's account.

    Costs its hosts, a load balancer, and whatever leads to the internet from that VPC. What binds: ports of one host to
    one destination, as for every proxy; the list, which is the point of it.
    """

    def __init__(
        self, scope: Construct, name: str, place: FleetPlace, size: FleetSize, settings: EgressSettings
    ) -> None:
        super().__init__(scope, name)
        text = proxy_files.squid(settings.domains)
        work = FleetWork(
            name=f"{settings.name}-egress",
            path=f"/{settings.name}/egress",
            ports=(EGRESS_PORT,),
            outbound=({**_HTTPS, "CidrIp": "0.0.0.0/0", "Description": "the internet: squid's list says where"},),
            script=proxy_files.script(
                "squid", {"/etc/squid/squid.conf": text}, [EGRESS_PORT], Reports(fleet=f"{settings.name}-egress")
            ),
            retention_days=settings.retention_days,
            allowed_principals=settings.allowed_principals,
        )
        self.fleet = Fleet(self, "Fleet", place, size, work)


def _towards(target: Target, prefixes: Sequence[str]) -> list[dict[str, Any]]:
    """The egress rules that a target needs: to its own address, or, where it is a name, to where it may be."""
    try:
        blocks = [str(ipaddress.ip_network(target.host))]
    except ValueError:
        blocks = list(target.within or prefixes)
    way = {"IpProtocol": "tcp", "FromPort": target.to, "ToPort": target.to, "Description": target.name}
    return [{**way, "CidrIp": block} for block in blocks]

"""LatticePath: targets on-premises through a VPC Lattice resource gateway, without load balancer and proxies."""

import ipaddress
from typing import Any

from constructs import Construct

from .fleet import FleetPlace
from .network import NetworkSettings
from .proxy_files import Target
from .resource import export, resource, tags


class LatticePath(Construct):
    """A resource gateway in the hub and a configuration for each target, to which spokes make resource endpoints.

    Costs about 0.02 USD an hour for each resource and its endpoints' hours and traffic. What binds: 200 resource
    endpoints in a VPC; TCP alone; there is no load balancing and no PROXY protocol, so on-premises sees the gateway's
    address and nothing of who asked.
    """

    def __init__(
        self,
        scope: Construct,
        name: str,
        place: FleetPlace,
        targets: tuple[Target, ...],
        settings: NetworkSettings,
    ) -> None:
        super().__init__(scope, name)
        rules = [
            {"IpProtocol": "tcp", "FromPort": one.to, "ToPort": one.to, "CidrIp": block, "Description": one.name}
            for one in targets
            for block in _blocks(one, settings.prefixes)
        ]
        group = resource(
            self,
            "Group",
            "AWS::EC2::SecurityGroup",
            {
                "GroupDescription": "Resource gateway",
                "VpcId": place.vpc_id,
                "SecurityGroupEgress": rules,
                "Tags": tags("lattice"),
            },
        )
        gateway = resource(
            self,
            "Gateway",
            "AWS::VpcLattice::ResourceGateway",
            {
                "Name": settings.name,
                "VpcIdentifier": place.vpc_id,
                "SubnetIds": place.balancer_subnet_ids,
                "SecurityGroupIds": [group.get_att("GroupId")],
                "IpAddressType": "IPV4",
            },
        )
        for one in targets:
            made = resource(
                self,
                "Resource" + "".join(word.title() for word in one.name.split("-")),
                "AWS::VpcLattice::ResourceConfiguration",
                {
                    "Name": f"fig-{one.name}",
                    "ResourceConfigurationType": "SINGLE",
                    "ResourceGatewayId": gateway.ref,
                    "ProtocolType": "TCP",
                    "PortRanges": [str(one.to)],
                    "ResourceConfigurationDefinition": _definition(one),
                },
            )
            export(self, f"/{settings.name}/lattice/{one.name}/arn", made.get_att("Arn"))


def _is_address(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True


def _blocks(target: Target, prefixes: tuple[str, ...]) -> tuple[str, ...]:
    """Where a target may be: its own address, or, where it is a name, the on-premises prefixes."""
    return (f"{target.host}/32",) if _is_address(target.host) else target.within or prefixes


def _definition(target: Target) -> dict[str, Any]:
    if _is_address(target.host):
        return {"IpResource": target.host}
    return {"DnsResource": {"DomainName": target.host, "IpAddressType": "IPV4"}}

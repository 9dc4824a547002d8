"""SpokeVpc: a large VPC that nobody routes, for functions."""

from dataclasses import dataclass
from typing import Any

from constructs import Construct

from ..artefacts.plan import Purpose, Vpc
from .endpoints import gateway_endpoints, interface_endpoints, prefix_list
from .network import Network, NetworkSettings
from .resource import export, imported, parameter, resource, tags


@dataclass(frozen=True, slots=True, kw_only=True)
class FleetWay:
    """A fleet that spokes reach by PrivateLink: what the plan calls its endpoint, its service's SSM path, its ports.

    The endpoint is made in a spoke whose plan has addresses for that name.
    """

    name: str
    service: str
    ports: tuple[int, ...]


class SpokeVpc(Construct):
    """A spoke: endpoints and PrivateLink to the fleets, no way to the internet. Its blocks may be another spoke's too.

    Costs its endpoints (0.011 USD an hour and AZ each, 0.01 USD a GB). What binds: 500 ENIs in a VPC, which the number
    of security-group sets multiplies, so each trust zone has the planner's sets and functions share them; 64,000
    network address units, of which each function takes six.
    """

    def __init__(
        self, scope: Construct, name: str, vpc: Vpc, settings: NetworkSettings, ways: tuple[FleetWay, ...] = ()
    ) -> None:
        super().__init__(scope, name)
        self.network = Network(self, "Network", vpc, settings)
        self.groups = {zone.name: self._sets(zone.name, zone.security_group_sets) for zone in vpc.zones}
        members = [group for groups in self.groups.values() for group in groups]
        open_ways = [way for way in ways if way.ports and way.name in vpc.endpoints]
        ports = dict.fromkeys((443, *(port for way in open_ways for port in way.ports)))
        self.endpoint_group = interface_endpoints(
            self.network, [_from(group, port) for group in members for port in ports]
        )
        gateway_endpoints(self.network, self)
        for place, group in enumerate(members, start=1):
            for port in ports:
                self._let_out(f"Out{place}To{port}", group, port)
            self._let_out_to_gateways(place, group)
        for way in open_ways:
            self._endpoint_to(way)
        if vpc.way in ("nat", "direct"):
            self._routed_way(vpc.way)

    def _sets(self, zone: str, count: int) -> list[Any]:
        """The security-group sets of a trust zone, one group each, exported in the planner's order."""
        stem = "".join(word.title() for word in zone.split("-"))
        groups = [
            self.network.security_group(f"Zone{stem}Set{number}", f"Functions of the trust zone {zone}, set {number}")
            for number in range(1, count + 1)
        ]
        joined = {"Fn::Join": [",", groups]}
        export(self, f"{self.network.path}/functions/{zone}/security-group-ids", joined, is_list=True)
        return groups

    def _let_out(self, name: str, group: Any, port: int) -> None:
        way = {"IpProtocol": "tcp", "FromPort": port, "ToPort": port, "DestinationSecurityGroupId": self.endpoint_group}
        resource(self, name, "AWS::EC2::SecurityGroupEgress", {"GroupId": group, **way, "Description": "to endpoints"})

    def _let_out_to_gateways(self, place: int, group: Any) -> None:
        """The way to S3 and DynamoDB, whose endpoints have no security group but the services' own addresses."""
        https = {"IpProtocol": "tcp", "FromPort": 443, "ToPort": 443}
        for service in ("s3", "dynamodb"):
            to = {"DestinationPrefixListId": prefix_list(self, service), "Description": f"to {service}"}
            name = f"Out{place}To{service.title()}"
            resource(self, name, "AWS::EC2::SecurityGroupEgress", {"GroupId": group, **https, **to})

    def _endpoint_to(self, way: FleetWay) -> None:
        """The endpoint of a fleet, accepted there by hand; PrivateLink drops connections idle for 350 s."""
        network = self.network
        made = resource(
            self,
            "".join(word.title() for word in way.name.split("-")),
            "AWS::EC2::VPCEndpoint",
            {
                "VpcEndpointType": "Interface",
                "VpcId": network.vpc_id,
                "ServiceName": imported(self, way.service),
                "SubnetIds": network.one_in_each_az(Purpose.ENDPOINTS),
                "SecurityGroupIds": [self.endpoint_group],
                "PrivateDnsEnabled": False,
                "Tags": tags(f"{network.plan.name}-{way.name}", endpoint=way.name),
            },
        )
        export(self, f"{network.path}/{way.name}/endpoint-id", made.ref)
        dns = {"Fn::Select": [1, {"Fn::Split": [":", {"Fn::Select": [0, made.get_att("DnsEntries")]}]}]}
        export(self, f"{network.path}/{way.name}/host", dns)

    def _routed_way(self, way: str) -> None:
        """A private NAT gateway in each AZ, or a route of its own, to the Transit Gateway."""
        network = self.network
        gateway = parameter(
            self,
            "TransitGatewayId",
            description="The Transit Gateway that reaches on-premises",
            allowed_pattern="tgw-[0-9a-f]+",
        )
        export(self, f"{network.path}/transit-gateway-id", gateway)
        purpose = Purpose.ATTACHMENTS if network.plan.of(Purpose.ATTACHMENTS) else Purpose.FUNCTIONS
        purpose = Purpose.NAT if way == "nat" and not network.plan.of(Purpose.ATTACHMENTS) else purpose
        made = resource(
            self,
            "TransitAttachment",
            "AWS::EC2::TransitGatewayAttachment",
            {
                "TransitGatewayId": gateway,
                "VpcId": network.vpc_id,
                "SubnetIds": network.one_in_each_az(purpose),
                "Tags": tags(network.plan.name),
            },
        )
        export(self, f"{network.path}/attachment-id", made.ref)
        for place, group in enumerate((group for groups in self.groups.values() for group in groups), start=1):
            for number, prefix in enumerate(network.settings.prefixes, start=1):
                out = {
                    "IpProtocol": "tcp",
                    "FromPort": 1,
                    "ToPort": 65535,
                    "CidrIp": prefix,
                    "Description": "on-premises",
                }
                resource(self, f"Direct{place}To{number}", "AWS::EC2::SecurityGroupEgress", {"GroupId": group, **out})
        if way == "direct":
            network.route((Purpose.FUNCTIONS,), {"TransitGatewayId": gateway}, after=[made])
            return
        network.route((Purpose.NAT,), {"TransitGatewayId": gateway}, after=[made])
        for subnet in {one.az: one for one in reversed(network.plan.of(Purpose.NAT))}.values():
            name = "Nat" + "".join(word.title() for word in subnet.az.split("-"))
            own = {"ConnectivityType": "private", "SubnetId": network.subnets[subnet.name], "Tags": tags(subnet.name)}
            nat = resource(self, name, "AWS::EC2::NatGateway", own)
            export(self, f"{network.path}/nat/{subnet.az}/id", nat.ref)
            network.route((Purpose.FUNCTIONS,), {"NatGatewayId": nat.ref}, az=subnet.az)


def _from(group: Any, port: int) -> dict[str, Any]:
    inside = {"IpProtocol": "tcp", "FromPort": port, "ToPort": port, "SourceSecurityGroupId": group}
    return {**inside, "Description": "from functions"}

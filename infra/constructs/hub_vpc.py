"""HubVpc: the small routable VPC that Direct Connect ties to the data centre."""

import enum
from typing import Any

from constructs import Construct

from ..artefacts.plan import Purpose, Vpc
from .endpoints import gateway_endpoints, interface_endpoints
from .network import Network, NetworkSettings
from .resource import export, parameter, resource, tags

_TALKS_TO_ON_PREMISES = (Purpose.PROXIES, Purpose.ROUTERS, Purpose.ENDPOINTS)


class Attachment(enum.Enum):
    """How the hub reaches on-premises."""

    TRANSIT_GATEWAY = "transit-gateway"
    VIRTUAL_PRIVATE_GATEWAY = "virtual-private-gateway"
    NONE = "none"


class HubVpc(Construct):
    """The hub: addresses that the company routes, so few of them; endpoints, flow logs, the way to on-premises.

    Costs: an attachment to a Transit Gateway 0.05 USD an hour and 0.02 USD a GB (a virtual private gateway nothing),
    its endpoints 0.011 USD an hour and AZ each. What binds: routable addresses; 100 prefixes from on-premises over
    Direct Connect, beyond which BGP goes down; 100 Gbps of an attachment in an AZ.
    """

    def __init__(
        self,
        scope: Construct,
        name: str,
        vpc: Vpc,
        settings: NetworkSettings,
        attachment: Attachment = Attachment.TRANSIT_GATEWAY,
    ) -> None:
        super().__init__(scope, name)
        self.network = Network(self, "Network", vpc, settings)
        inside = [*(str(block) for block in vpc.cidrs), *settings.prefixes]
        https = [
            {"IpProtocol": "tcp", "FromPort": 443, "ToPort": 443, "CidrIp": one, "Description": "HTTPS"}
            for one in inside
        ]
        self.endpoint_group = interface_endpoints(self.network, https)
        gateway_endpoints(self.network, self)
        match attachment:
            case Attachment.TRANSIT_GATEWAY:
                self._attach_to_transit_gateway()
            case Attachment.VIRTUAL_PRIVATE_GATEWAY:
                self._attach_private_gateway()
            case Attachment.NONE:
                pass
        path = self.network.path
        export(self, f"{path}/endpoint-security-group-id", self.endpoint_group)
        export(self, f"{path}/key-arn", self.network.key)

    def _attach_to_transit_gateway(self) -> None:
        gateway = parameter(
            self,
            "TransitGatewayId",
            description="The Transit Gateway that reaches on-premises",
            allowed_pattern="tgw-[0-9a-f]+",
        )
        purpose = Purpose.ATTACHMENTS if self.network.plan.of(Purpose.ATTACHMENTS) else Purpose.PROXIES
        made = resource(
            self,
            "TransitAttachment",
            "AWS::EC2::TransitGatewayAttachment",
            {
                "TransitGatewayId": gateway,
                "VpcId": self.network.vpc_id,
                "SubnetIds": self.network.one_in_each_az(purpose),
                "Tags": tags(f"{self.network.settings.name}-hub"),
            },
        )
        export(self, f"{self.network.path}/transit-gateway-id", gateway)
        export(self, f"{self.network.path}/attachment-id", made.ref)
        self.network.route(_TALKS_TO_ON_PREMISES, {"TransitGatewayId": gateway}, after=[made])

    def _attach_private_gateway(self) -> None:
        gateway = resource(self, "Gateway", "AWS::EC2::VPNGateway", {"Type": "ipsec.1", "Tags": tags("hub")})
        join = {"VpcId": self.network.vpc_id, "VpnGatewayId": gateway.ref}
        made = resource(self, "GatewayAttachment", "AWS::EC2::VPCGatewayAttachment", join)
        tables: list[Any] = [
            table for (purpose, _, _), table in self.network.tables.items() if purpose in _TALKS_TO_ON_PREMISES
        ]
        learn = {"RouteTableIds": tables, "VpnGatewayId": gateway.ref}
        resource(self, "Propagation", "AWS::EC2::VPNGatewayRoutePropagation", learn, after=[made])
        export(self, f"{self.network.path}/virtual-private-gateway-id", gateway.ref)

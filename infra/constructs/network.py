"""A VPC exactly as planned: blocks, subnets, a route table for each purpose, flow logs. Hub and spokes share it.

No subnet gives public addresses, there is no internet gateway, and nothing is routed that is not named.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import aws_cdk as cdk
from constructs import Construct

from ..artefacts.plan import Purpose, Subnet, Vpc
from .logs import encryption_key, log_group
from .resource import export, keep, policy, resource, statement, tags, trust


@dataclass(frozen=True, slots=True, kw_only=True)
class NetworkSettings:
    """Under which name a VPC is found, for how long its flow logs stay, and what is routed to on-premises.

    `cn_endpoints`: services whose endpoint has a name that begins with `cn.`, as some have in China.
    """

    name: str = "strangler-fig"
    retention_days: int = 90
    prefixes: tuple[str, ...] = ()
    cn_endpoints: tuple[str, ...] = ()


class Network(Construct):
    """The VPC of a plan. Costs its key (1 USD a month) and its flow logs (0.50 USD a GB); the VPC itself is free.

    What binds: 5 blocks in a VPC, 200 subnets, 64,000 network address units, all counted by the planner.
    """

    def __init__(self, scope: Construct, name: str, vpc: Vpc, settings: NetworkSettings) -> None:
        super().__init__(scope, name)
        self.plan = vpc
        self.settings = settings
        self.path = f"/{settings.name}/{vpc.name}"
        self.key = encryption_key(self, f"Logs of {vpc.name}")
        primary, *secondary = vpc.cidrs
        title = f"{settings.name}-{vpc.name}"
        made = resource(
            self,
            "Vpc",
            "AWS::EC2::VPC",
            {
                "CidrBlock": str(primary),
                "EnableDnsHostnames": True,
                "EnableDnsSupport": True,
                "Tags": tags(title, vpc=vpc.name),
            },
        )
        self.vpc_id = made.ref
        self.blocks = [
            resource(self, f"Block{place}", "AWS::EC2::VPCCidrBlock", {"VpcId": self.vpc_id, "CidrBlock": str(block)})
            for place, block in enumerate(secondary, start=2)
        ]
        self.tables: dict[tuple[Purpose, str, str], Any] = {}
        self.subnets = {one.name: self._subnet(one) for one in vpc.subnets}
        self._flow_logs(title)
        export(self, f"{self.path}/vpc-id", self.vpc_id)
        for purpose in dict.fromkeys(one.purpose for one in vpc.subnets if one.purpose is not Purpose.FUNCTIONS):
            self._export_subnets(purpose.value, vpc.of(purpose))
        for zone in vpc.zones:
            self._export_subnets(f"functions/{zone.name}", vpc.of(Purpose.FUNCTIONS, zone.name))

    def ids(self, subnets: Iterable[Subnet]) -> list[Any]:
        """The ids of subnets."""
        return [self.subnets[one.name] for one in subnets]

    def one_in_each_az(self, purpose: Purpose) -> list[Any]:
        """The ids of one subnet of a purpose in each AZ: endpoints, load balancers and attachments take no more."""
        return self.ids({one.az: one for one in reversed(self.plan.of(purpose))}.values())

    def route(
        self,
        purposes: Sequence[Purpose],
        target: dict[str, Any],
        *,
        az: str = "",
        after: Sequence[cdk.CfnResource] = (),
    ) -> None:
        """Route the on-premises prefixes from the subnets of some purposes (of `az` alone, if given) to a target."""
        for (purpose, zone, table_az), table in self.tables.items():
            if purpose not in purposes or az not in ("", table_az):
                continue
            for place, prefix in enumerate(self.settings.prefixes, start=1):
                name = (
                    "Route"
                    + "".join(word.title() for word in (purpose.value, *f"{zone}-{table_az}".split("-")))
                    + str(place)
                )
                properties = {"RouteTableId": table, "DestinationCidrBlock": prefix, **target}
                resource(self, name, "AWS::EC2::Route", properties, after=after)

    def security_group(self, name: str, description: str, ingress: Sequence[dict[str, Any]] = ()) -> Any:
        """The id of a security group that lets nothing out; whoever needs a way out adds it."""
        nothing = {"IpProtocol": "icmp", "FromPort": 252, "ToPort": 86, "CidrIp": "255.255.255.255/32"}
        made = resource(
            self,
            name,
            "AWS::EC2::SecurityGroup",
            {
                "GroupDescription": description,
                "VpcId": self.vpc_id,
                "SecurityGroupIngress": list(ingress) or None,
                "SecurityGroupEgress": [{**nothing, "Description": "lets nothing out"}],
                "Tags": tags(f"{self.settings.name}-{self.plan.name}-{name.lower()}"),
            },
        )
        return made.get_att("GroupId")

    def _subnet(self, subnet: Subnet) -> Any:
        purpose = subnet.purpose
        made = resource(
            self,
            "Subnet" + "".join(word.title() for word in subnet.name.split("-")),
            "AWS::EC2::Subnet",
            {
                "VpcId": self.vpc_id,
                "CidrBlock": str(subnet.cidr),
                "AvailabilityZone": subnet.az,
                "MapPublicIpOnLaunch": False,
                "Tags": tags(subnet.name, purpose=purpose.value, **({"zone": subnet.zone} if subnet.zone else {})),
            },
            after=self.blocks,
        )
        own = (
            subnet.az if self.plan.way == "nat" and purpose is Purpose.FUNCTIONS else ""
        )  # each AZ has its NAT gateway
        key = (purpose, subnet.zone, own)
        if key not in self.tables:
            title = "-".join(filter(None, (self.plan.name, purpose.value, subnet.zone, own)))
            name = "Table" + "".join(word.title() for word in title.removeprefix(self.plan.name).split("-"))
            table = resource(self, name, "AWS::EC2::RouteTable", {"VpcId": self.vpc_id, "Tags": tags(title)})
            self.tables[key] = table.ref
        join = {"RouteTableId": self.tables[key], "SubnetId": made.ref}
        resource(self, made.node.id + "Table", "AWS::EC2::SubnetRouteTableAssociation", join)
        return made.ref

    def _export_subnets(self, words: str, subnets: Sequence[Subnet]) -> None:
        if subnets:
            first = {one.az: one for one in reversed(subnets)}.values()
            for name, chosen in (("subnet-ids", subnets), ("one-in-each-az", sorted(first, key=lambda one: one.az))):
                ids = {"Fn::Join": [",", self.ids(chosen)]}
                export(self, f"{self.path}/{words}/{name}", ids, is_list=True)

    def _flow_logs(self, title: str) -> None:
        days = self.settings.retention_days
        group = keep(log_group(self, "FlowLogGroup", f"{self.path}/flow", key=self.key, days=days))
        role = resource(
            self,
            "FlowRole",
            "AWS::IAM::Role",
            {
                "AssumeRolePolicyDocument": trust(
                    "vpc-flow-logs.amazonaws.com",
                    StringEquals={"aws:SourceAccount": {"Ref": "AWS::AccountId"}},
                ),
                "Policies": [
                    {
                        "PolicyName": "write",
                        "PolicyDocument": policy(
                            statement(
                                ["logs:CreateLogStream", "logs:PutLogEvents", "logs:DescribeLogStreams"],
                                group.get_att("Arn"),
                            )
                        ),
                    }
                ],
            },
        )
        resource(
            self,
            "FlowLog",
            "AWS::EC2::FlowLog",
            {
                "ResourceType": "VPC",
                "ResourceId": self.vpc_id,
                "TrafficType": "ALL",
                "LogDestinationType": "cloud-watch-logs",
                "LogGroupName": group.ref,
                "DeliverLogsPermissionArn": role.get_att("Arn"),
                "MaxAggregationInterval": 600,
                "Tags": tags(title),
            },
        )

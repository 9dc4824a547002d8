"""A template's networks, security groups, roles and queues, made through boto3 as CloudFormation would make them.

moto's own CloudFormation answers CREATE_COMPLETE for types that it does not make (a VPC's further blocks), so it would
prove nothing. What is made here moto keeps faithfully: it checks blocks, overlaps and the documents of roles.
"""

import itertools
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import boto3

NOT_FAITHFUL = {
    "AWS::ElasticLoadBalancingV2::LoadBalancer": "moto gives a network load balancer the ARN of an application's",
    "AWS::ElasticLoadBalancingV2::Listener": "moto refuses TCP",
    "AWS::EC2::VPCEndpointService": "moto accepts every endpoint and keeps no permissions",
    "AWS::EC2::TransitGatewayAttachment": "moto attaches without looking at AZs",
    "AWS::Lambda::Function": "moto runs nothing and counts no reserved concurrency of the account",
    "AWS::RDS::DBCluster": "moto keeps no connection limit, and no secret of AWS's",
}
"""What is not deployed here, each with the reason; these are held against CloudFormation's schemas alone."""

Properties = Mapping[str, Any]
_NUMBERS = itertools.count(1)


@dataclass
class Account:
    """An account in moto, and what was made in it, by logical id."""

    session: boto3.Session
    made: dict[str, str] = field(default_factory=dict)
    clients: dict[str, Any] = field(default_factory=dict)

    def client(self, service: str) -> Any:
        """The client of a service, made once: that takes a quarter of a second, and 80 calls were most of the test."""
        if service not in self.clients:
            self.clients[service] = self.session.client(service)
        return self.clients[service]

    def deploy(self, template: Mapping[str, Any]) -> None:
        """Make a template's resources, those that others refer to first."""
        makers = self._makers()
        waiting = {name: one for name, one in template["Resources"].items() if one["Type"] in makers}
        while waiting:
            ready = {name: one for name, one in waiting.items() if self._is_ready(one, waiting)}
            assert ready, f"these wait for one another: {sorted(waiting)}"
            for name, one in ready.items():
                self.made[name] = makers[one["Type"]](self._resolved(one.get("Properties", {})))
                del waiting[name]

    def _makers(self) -> dict[str, Callable[[Properties], str]]:
        return {
            "AWS::EC2::VPC": self._vpc,
            "AWS::EC2::VPCCidrBlock": self._block,
            "AWS::EC2::Subnet": self._subnet,
            "AWS::EC2::SecurityGroup": self._group,
            "AWS::EC2::SecurityGroupIngress": self._ingress,
            "AWS::EC2::SecurityGroupEgress": self._egress,
            "AWS::IAM::Role": self._role,
            "AWS::SQS::Queue": self._queue,
        }

    def _is_ready(self, one: Properties, waiting: Mapping[str, Any]) -> bool:
        needs = one.get("DependsOn", [])
        named = set(needs if isinstance(needs, list) else [needs]) | set(_references(one.get("Properties", {})))
        return not named & set(waiting)

    def _resolved(self, value: Any) -> Any:
        match value:
            case {"Ref": str(name)}:
                return self.made.get(name, name)
            case {"Fn::GetAtt": [str(name), str(attribute)]}:
                made = self.made.get(name, f"arn:aws:s3:::{name}-{attribute.lower()}")
                return (
                    f"arn:aws:sqs:eu-west-1:123456789012:{made.rpartition('/')[2]}" if made.startswith("http") else made
                )
            case {"Fn::Sub": str(text)}:
                known = {
                    "Partition": "aws",
                    "Region": "eu-west-1",
                    "AccountId": "123456789012",
                    "URLSuffix": "amazonaws.com",
                }
                for word, own in known.items():
                    text = text.replace(f"${{AWS::{word}}}", own)
                return text
            case dict():
                return {key: self._resolved(one) for key, one in value.items()}
            case list():
                return [self._resolved(one) for one in value]
            case _:
                return value

    def _vpc(self, own: Properties) -> str:
        ec2 = self.client("ec2")
        made: str = ec2.create_vpc(CidrBlock=own["CidrBlock"])["Vpc"]["VpcId"]
        ec2.create_tags(Resources=[made], Tags=own["Tags"])
        return made

    def _block(self, own: Properties) -> str:
        made = self.client("ec2").associate_vpc_cidr_block(VpcId=own["VpcId"], CidrBlock=own["CidrBlock"])
        return str(made["CidrBlockAssociation"]["AssociationId"])

    def _subnet(self, own: Properties) -> str:
        ec2 = self.client("ec2")
        keys = ("VpcId", "CidrBlock", "AvailabilityZone")
        made: str = ec2.create_subnet(**{key: own[key] for key in keys})["Subnet"]["SubnetId"]
        ec2.create_tags(Resources=[made], Tags=own["Tags"])
        return made

    def _group(self, own: Properties) -> str:
        ec2 = self.client("ec2")
        name = f"group-{next(_NUMBERS)}"
        keys = {"VpcId": own["VpcId"], "Description": own["GroupDescription"], "GroupName": name}
        made: str = ec2.create_security_group(**keys)["GroupId"]
        everything = [{"IpProtocol": "-1", "IpRanges": [{"CidrIp": "0.0.0.0/0"}]}]
        ec2.revoke_security_group_egress(GroupId=made, IpPermissions=everything)
        for rule in own.get("SecurityGroupIngress", []):
            self._ingress({"GroupId": made, **rule})
        for rule in own.get("SecurityGroupEgress", []):
            self._egress({"GroupId": made, **rule})
        return made

    def _ingress(self, own: Properties) -> str:
        ec2 = self.client("ec2")
        ec2.authorize_security_group_ingress(GroupId=own["GroupId"], IpPermissions=[_permission(own, "Source")])
        return str(own["GroupId"])

    def _egress(self, own: Properties) -> str:
        ec2 = self.client("ec2")
        ec2.authorize_security_group_egress(GroupId=own["GroupId"], IpPermissions=[_permission(own, "Destination")])
        return str(own["GroupId"])

    def _role(self, own: Properties) -> str:
        iam = self.client("iam")
        name = f"role-{next(_NUMBERS)}"
        document = json.dumps(own["AssumeRolePolicyDocument"])
        made: str = iam.create_role(RoleName=name, AssumeRolePolicyDocument=document)["Role"]["Arn"]
        for one in own.get("Policies", []):
            document = json.dumps(one["PolicyDocument"])
            iam.put_role_policy(RoleName=name, PolicyName=one["PolicyName"], PolicyDocument=document)
        return made

    def _queue(self, own: Properties) -> str:
        attributes = {key: str(value) for key, value in own.items() if key != "Tags"}
        sqs = self.client("sqs")
        return str(sqs.create_queue(QueueName=f"queue-{next(_NUMBERS)}", Attributes=attributes)["QueueUrl"])


def _permission(own: Properties, side: str) -> dict[str, Any]:
    made: dict[str, Any] = {key: own[key] for key in ("IpProtocol", "FromPort", "ToPort")}
    if "DestinationPrefixListId" in own:
        return {**made, "PrefixListIds": [{"PrefixListId": own["DestinationPrefixListId"]}]}
    if "CidrIp" in own:
        return {**made, "IpRanges": [{"CidrIp": own["CidrIp"]}]}
    return {**made, "UserIdGroupPairs": [{"GroupId": own[f"{side}SecurityGroupId"]}]}


def _references(value: Any) -> list[str]:
    match value:
        case {"Ref": str(name)} | {"Fn::GetAtt": [str(name), _]}:
            return [name]
        case dict():
            return [name for one in value.values() for name in _references(one)]
        case list():
            return [name for one in value for name in _references(one)]
        case _:
            return []

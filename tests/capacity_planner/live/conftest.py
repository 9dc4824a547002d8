"""An account of moto's in two Regions, with a hub, a spoke, functions, endpoints and a raised quota."""

import io
import json
import zipfile
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import boto3
import pytest
from moto import mock_aws

REGION = "eu-west-1"
NOW = datetime(2026, 11, 25, 12, tzinfo=UTC)


@pytest.fixture(scope="module")
def account() -> Iterator[dict[str, str]]:
    """The ids of what is in the account; made once, so a test that changes it changes it back."""
    monkeypatch = pytest.MonkeyPatch()
    for name, value in {
        "AWS_ACCESS_KEY_ID": "testing",
        "AWS_SECRET_ACCESS_KEY": "testing",  # moto's
        "AWS_DEFAULT_REGION": REGION,
        "AWS_CONFIG_FILE": "/nonexistent",
        "AWS_SHARED_CREDENTIALS_FILE": "/nonexistent",
    }.items():
        monkeypatch.setenv(name, value)
    for name in ("AWS_PROFILE", "AWS_ENDPOINT_URL", "AWS_SESSION_TOKEN"):
        monkeypatch.delenv(name, raising=False)
    with mock_aws(config={"lambda": {"use_docker": False}}):
        yield built()
    monkeypatch.undo()


def built() -> dict[str, str]:
    ec2: Any = boto3.client("ec2", region_name=REGION)
    for vpc in ec2.describe_vpcs()["Vpcs"]:  # moto gives every account a default VPC
        for subnet in ec2.describe_subnets(Filters=[{"Name": "vpc-id", "Values": [vpc["VpcId"]]}])["Subnets"]:
            ec2.delete_subnet(SubnetId=subnet["SubnetId"])
        ec2.delete_vpc(VpcId=vpc["VpcId"])
    ids = {}
    for name, block in (("hub", "10.20.0.0/24"), ("spoke-1", "100.64.0.0/16"), ("spoke-2", "100.64.0.0/16")):
        made = ec2.create_vpc(CidrBlock=block, TagSpecifications=named("vpc", name))
        ids[name] = made["Vpc"]["VpcId"]
    ec2.associate_vpc_cidr_block(VpcId=ids["hub"], CidrBlock="10.21.0.0/24")
    for name, vpc, block, zone in (
        ("hub-a", "hub", "10.20.0.0/27", "a"),
        ("hub-b", "hub", "10.21.0.0/27", "b"),
        ("functions-a", "spoke-1", "100.64.0.0/20", "a"),
        ("functions-b", "spoke-1", "100.64.16.0/20", "b"),
    ):
        subnet = ec2.create_subnet(
            VpcId=ids[vpc],
            CidrBlock=block,
            AvailabilityZone=f"{REGION}{zone}",
            TagSpecifications=named("subnet", name),
        )
        ids[name] = subnet["Subnet"]["SubnetId"]
    group = ec2.create_security_group(GroupName="retail", Description="retail", VpcId=ids["spoke-1"])["GroupId"]
    ec2.create_network_interface(SubnetId=ids["functions-a"], Groups=[group])
    ec2.create_vpc_endpoint(
        VpcId=ids["spoke-1"],
        ServiceName=f"com.amazonaws.{REGION}.lambda",
        VpcEndpointType="Interface",
        SubnetIds=[ids["functions-a"]],
    )
    ec2.create_nat_gateway(SubnetId=ids["hub-a"], ConnectivityType="private")
    table = ec2.create_route_table(VpcId=ids["hub"])["RouteTable"]["RouteTableId"]
    gateway = ec2.create_internet_gateway()["InternetGateway"]["InternetGatewayId"]
    ec2.attach_internet_gateway(InternetGatewayId=gateway, VpcId=ids["hub"])
    ec2.create_route(RouteTableId=table, DestinationCidrBlock="10.0.0.0/8", GatewayId=gateway)
    ids["table"] = table
    functions(ids, group)
    return ids


def functions(ids: dict[str, str], group: str) -> None:
    iam: Any = boto3.client("iam", region_name=REGION)
    trust = {"Version": "2012-10-17", "Statement": []}
    role = iam.create_role(RoleName="functions", AssumeRolePolicyDocument=json.dumps(trust))["Role"]["Arn"]
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        archive.writestr("app.py", "def handler(event, context): pass\n")
    lambda_: Any = boto3.client("lambda", region_name=REGION)
    for name, subnets in (("orders", [ids["functions-a"], ids["functions-b"]]), ("outside", [])):
        lambda_.create_function(
            FunctionName=name,
            Runtime="python3.12",
            Role=role,
            Handler="app.handler",
            Code={"ZipFile": content.getvalue()},
            MemorySize=1536,
            Timeout=30,
            VpcConfig={"SubnetIds": subnets, "SecurityGroupIds": [group] if subnets else []},
        )
    lambda_.put_function_concurrency(FunctionName="orders", ReservedConcurrentExecutions=50)
    cloudwatch: Any = boto3.client("cloudwatch", region_name=REGION)
    for hour, peak in ((1, 120), (2, 310), (3, 40)):
        cloudwatch.put_metric_data(
            Namespace="AWS/Lambda",
            MetricData=[
                {
                    "MetricName": "ConcurrentExecutions",
                    "Dimensions": [{"Name": "FunctionName", "Value": "orders"}],
                    "Timestamp": NOW.replace(hour=hour),
                    "Value": peak,
                }
            ],
        )


def named(kind: str, name: str) -> list[dict[str, Any]]:
    return [{"ResourceType": kind, "Tags": [{"Key": "Name", "Value": name}]}]

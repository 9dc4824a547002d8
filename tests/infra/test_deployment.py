"""Templates deployed to moto, as far as it is faithful (`NOT_FAITHFUL` names the rest), and read back by boto3."""

import json
from collections.abc import Iterator
from ipaddress import IPv4Network
from typing import Any

import boto3
import pytest
from moto import mock_aws

from tests.infra.deploying import NOT_FAITHFUL, Account
from tests.infra.topology import Topology

pytestmark = pytest.mark.timeout(300)  # it may be the one that synthesises, and moto makes 80 calls
VPCS = ("hub", "spoke-1", "spoke-nat-1", "spoke-direct-1")


@pytest.fixture(scope="module")
def account(topology: Topology) -> Iterator[Account]:
    with mock_aws():
        session = boto3.Session(
            region_name="eu-west-1",
            aws_access_key_id="AKIATEST",
            aws_secret_access_key="of-no-account",  # noqa: S106 - moto asks for one
        )
        made = Account(session)
        for name in VPCS:
            made.deploy(topology.template(name))
        yield made


def _planned(topology: Topology) -> list[dict[str, Any]]:
    vpcs: list[dict[str, Any]] = json.loads(topology.plan.read_text(encoding="utf-8"))["vpcs"]
    return vpcs


def _tag(one: dict[str, Any], key: str) -> str:
    return next((tag["Value"] for tag in one.get("Tags", []) if tag["Key"] == key), "")


def test_the_account_has_the_planned_blocks(topology: Topology, account: Account) -> None:
    """Each VPC has the planner's blocks, the primary first, and no other VPC was made."""
    vpcs = account.client("ec2").describe_vpcs()["Vpcs"]
    made = {_tag(one, "fig:vpc"): one for one in vpcs if not one["IsDefault"]}
    assert {name: one["CidrBlock"] for name, one in made.items()} == {
        one["name"]: one["cidrs"][0] for one in _planned(topology)
    }
    for one in _planned(topology):
        blocks = {block["CidrBlock"] for block in made[one["name"]]["CidrBlockAssociationSet"]}
        assert blocks == set(one["cidrs"])


def test_the_account_has_the_planned_subnets(topology: Topology, account: Account) -> None:
    """Every subnet of the plan is there with its block and AZ, and gives no public addresses; there is no other."""
    subnets = account.client("ec2").describe_subnets()["Subnets"]
    made = {_tag(one, "Name"): (one["CidrBlock"], one["AvailabilityZone"]) for one in subnets if _tag(one, "Name")}
    planned = {
        subnet["name"]: (subnet["cidr"], segment["az"])
        for vpc in _planned(topology)
        for segment in vpc["segments"]
        for subnet in segment["subnets"]
    }
    assert made == planned
    assert not any(one["MapPublicIpOnLaunch"] for one in subnets if _tag(one, "Name"))


def test_functions_reach_endpoints_and_on_premises_alone(account: Account) -> None:
    """What a function's security group lets out is endpoints' groups and on-premises, never everywhere."""
    groups = account.client("ec2").describe_security_groups()["SecurityGroups"]
    functions = [one for one in groups if "Functions of" in one["Description"]]
    assert len(functions) == 3
    for group in functions:
        ranges = [own["CidrIp"] for rule in group["IpPermissionsEgress"] for own in rule["IpRanges"]]
        lists = {own["PrefixListId"] for rule in group["IpPermissionsEgress"] for own in rule["PrefixListIds"]}
        assert lists == {"S3PrefixListId", "DynamodbPrefixListId"}
        assert "0.0.0.0/0" not in ranges
        assert all(
            IPv4Network(one).subnet_of(IPv4Network("10.0.0.0/8")) for one in ranges if one != "255.255.255.255/32"
        )


def test_a_second_spoke_may_have_the_same_block(topology: Topology, account: Account) -> None:
    """PrivateLink needs no route, so a spoke is deployed twice in one account with the same addresses."""
    again = Account(account.session)
    again.deploy(topology.template("spoke-1"))
    vpcs = account.client("ec2").describe_vpcs()["Vpcs"]
    assert [one["CidrBlock"] for one in vpcs].count("100.64.0.0/16") == 2


def test_roles_may_do_what_the_estate_needs_and_no_more(topology: Topology, account: Account) -> None:
    """The routers' role invokes the estate's functions by their aliases; nothing else is invoked by anything."""
    vpcs = account.client("ec2").describe_vpcs()["Vpcs"]
    account.made["StranglerFigHubVpcId"] = next(one["VpcId"] for one in vpcs if _tag(one, "fig:vpc") == "hub")
    account.deploy(topology.template("routers"))
    iam = account.client("iam")
    invoked = set()
    for role in iam.list_roles()["Roles"]:
        for name in iam.list_role_policies(RoleName=role["RoleName"])["PolicyNames"]:
            document = iam.get_role_policy(RoleName=role["RoleName"], PolicyName=name)["PolicyDocument"]
            for one in document["Statement"]:
                if "lambda:InvokeFunction" in one["Action"]:
                    invoked |= set(one["Resource"])
    stem = "arn:aws:lambda:eu-west-1:123456789012:function"
    assert invoked == {f"{stem}:shop-books:live", f"{stem}:stock-sync:live"}


def test_dead_letters_stay_two_weeks_and_are_encrypted(topology: Topology, account: Account) -> None:
    """Each function has a queue for what failed, as long as SQS keeps anything, under a key of ours."""
    account.deploy(topology.template("functions-spoke-1-shop"))
    sqs = account.client("sqs")
    (url,) = sqs.list_queues()["QueueUrls"]
    attributes = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["All"])["Attributes"]
    assert attributes["MessageRetentionPeriod"] == "1209600"
    assert attributes["KmsMasterKeyId"]


def test_what_moto_cannot_show_is_named(topology: Topology) -> None:
    """Every type that is named as not deployable here is one that the templates have: the list is not out of date."""
    stacks = json.loads((topology.templates / "stacks.json").read_text(encoding="utf-8"))["stacks"]
    types = {one["Type"] for stack in stacks for one in topology.template(stack["name"])["Resources"].values()}
    assert set(NOT_FAITHFUL) <= types

"""Constructs used alone, as in somebody's own CDK application, with the CDK's own assertions."""

import json
from typing import Any

import pytest

from adapters.profiles.load import database_profile, forget
from infra.artefacts.json_places import read_json_file
from infra.artefacts.plan import Plan, plan_in
from infra.synthesis import node
from tests.infra.topology import Topology

node.prepare()

import aws_cdk as cdk  # noqa: E402 - jsii starts Node on import, which has to be chosen first
from aws_cdk.assertions import Match, Template  # noqa: E402

from infra.constructs.control_plane import ControlPlane  # noqa: E402
from infra.constructs.fleet import FleetPlace, FleetSize  # noqa: E402
from infra.constructs.hub_vpc import Attachment, HubVpc  # noqa: E402
from infra.constructs.network import NetworkSettings  # noqa: E402
from infra.constructs.on_prem_function import FunctionPlace, FunctionWork, OnPremFunction  # noqa: E402
from infra.constructs.proxy_files import Target  # noqa: E402
from infra.constructs.proxy_fleet import ProxyFleet, ProxySettings  # noqa: E402
from infra.constructs.router_fleet import RouterHosts, RouterWork  # noqa: E402

PLACE = FleetPlace(
    vpc_id="vpc-1", subnet_ids=["subnet-1"], balancer_subnet_ids=["subnet-1"], clients=("100.64.0.0/16",)
)
ARN = "arn:aws:lambda:eu-west-1:123456789012:function:books:live"


@pytest.fixture
def stack() -> Any:
    return cdk.Stack(cdk.App(), "alone")


@pytest.fixture(scope="module")
def plan(made: Topology) -> Plan:
    return plan_in(read_json_file(made.plan))


def test_a_hub_by_virtual_private_gateway_learns_its_routes(stack: Any, plan: Plan) -> None:
    """Without a Transit Gateway the hub's tables learn from BGP, and nothing is routed by hand."""
    assert plan.hub
    HubVpc(stack, "Hub", plan.hub, NetworkSettings(), Attachment.VIRTUAL_PRIVATE_GATEWAY)
    template = Template.from_stack(stack)
    template.resource_count_is("AWS::EC2::VPNGatewayRoutePropagation", 1)
    template.resource_count_is("AWS::EC2::Route", 0)
    template.resource_count_is("AWS::EC2::InternetGateway", 0)


def test_endpoints_of_china_have_names_of_their_own(stack: Any, plan: Plan) -> None:
    """A service that is named for it gets the name that begins with `cn.`; the others keep theirs."""
    assert plan.hub
    HubVpc(stack, "Hub", plan.hub, NetworkSettings(cn_endpoints=("lambda",)), Attachment.NONE)
    template = Template.from_stack(stack)
    for name in ("cn.com.amazonaws.${AWS::Region}.lambda", "com.amazonaws.${AWS::Region}.logs"):
        template.has_resource_properties("AWS::EC2::VPCEndpoint", {"ServiceName": {"Fn::Sub": name}})


def test_proxies_know_their_clients(stack: Any) -> None:
    """PROXY protocol is on, client addresses are not preserved, and idle connections outlive what adapters keep."""
    targets = (Target(name="stock", port=3306, host="10.0.3.7", to=3306),)
    ProxyFleet(
        stack, "Proxies", PLACE, FleetSize(least=3, most=6, instance="c7g.large"), ProxySettings(targets=targets)
    )
    template = Template.from_stack(stack)
    attributes = [
        {"Key": "proxy_protocol_v2.enabled", "Value": "true"},
        {"Key": "preserve_client_ip.enabled", "Value": "false"},
    ]
    template.has_resource_properties(
        "AWS::ElasticLoadBalancingV2::TargetGroup",
        {"TargetGroupAttributes": Match.array_with(attributes), "HealthCheckPort": "8404"},
    )
    template.has_resource_properties("AWS::EC2::VPCEndpointService", {"AcceptanceRequired": True})
    template.has_resource_properties(
        "AWS::EC2::SecurityGroupEgress", {"CidrIp": "10.0.3.7/32", "FromPort": 3306, "ToPort": 3306}
    )


@pytest.mark.parametrize("reserved", [52, None])
def test_a_function_has_what_the_verdict_gives_it(stack: Any, reserved: int | None) -> None:
    """The reserved concurrency is the verdict's; where that asks for no cap there is none, and no alarm on it."""
    work = FunctionWork(name="books", alias="live", timeout_seconds=3, reserved=reserved)
    place = FunctionPlace(subnet_ids=["s"], security_group_ids=["g"], key="k", path="/fig", alarm_topic="t")
    OnPremFunction(stack, "Books", work, place)
    template = Template.from_stack(stack)
    found = Match.absent() if reserved is None else reserved
    template.has_resource_properties("AWS::Lambda::Function", {"ReservedConcurrentExecutions": found})
    template.resource_count_is("AWS::CloudWatch::Alarm", 2 if reserved else 0)
    template.has_resource("AWS::Lambda::Version", {"DeletionPolicy": "Retain"})


def test_a_function_reads_what_settings_name_and_nothing_else(
    topology: Topology, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its role names each secret, parameter, table and bucket; its profile has the endpoint and the plan's figure."""
    stack = "functions-spoke-1-shop"
    role = next(one for one in topology.of(stack, "AWS::IAM::Role") if "carts" in json.dumps(one))
    (document,) = (one["PolicyDocument"] for one in role["Policies"])
    reads = {one["Action"][0]: one["Resource"] for one in document["Statement"] if "table" in json.dumps(one)}
    assert all("/carts" in one["Fn::Sub"] for one in reads["dynamodb:GetItem"])
    text = json.dumps(document)
    for named in ("secret:legacy-orders/reader-??????", "parameter/shop/books/flags", "s3:::covers/*"):
        assert named in text
    assert "s3:PutObject" not in text
    books = next(one for one in topology.of(stack, "AWS::Lambda::Function") if "books" in one["FunctionName"])
    variables = books["Environment"]["Variables"]
    words, values = variables["ADAPTERS_DATABASE_LEGACY_ORDERS"]["Fn::Sub"]
    assert values == {"Host": variables["FIG_ON_PREMISES_HOST"]}
    host = "vpce-1.example"
    monkeypatch.setenv("ADAPTERS_DATABASE_LEGACY_ORDERS", words.replace("${Host}", host))
    forget()
    profile = database_profile("legacy-orders")
    assert profile.way.endpoints[0].host == host
    assert profile.budget.environments == books["ReservedConcurrentExecutions"]
    assert "DeadLetterConfig" not in books


def test_hosts_on_premises_need_a_routers_certificate(stack: Any) -> None:
    """The role trusts the anchor alone, and of its certificates those of routers; it may invoke one alias."""
    RouterHosts(stack, "Routers", RouterWork(name="fig", function_arns=(ARN,), port=8080, sources=()))
    statement = {"Condition": {"StringLike": {"aws:PrincipalTag/x509Subject/CN": "router-*"}}}
    Template.from_stack(stack).has_resource_properties(
        "AWS::IAM::Role",
        {
            "AssumeRolePolicyDocument": {"Statement": [Match.object_like(statement)]},
            "Policies": [
                Match.object_like({"PolicyDocument": {"Statement": [Match.object_like({"Resource": [ARN]})]}})
            ],
        },
    )


def test_a_ledger_is_kept_and_found_under_its_owners_name(stack: Any) -> None:
    """Two private instances, encrypted, whose data outlives the stack; other names leave no trace of the default."""
    ControlPlane(stack, "Ledger", PLACE, "bank")
    template = Template.from_stack(stack)
    template.resource_count_is("AWS::RDS::DBInstance", 2)
    kept = {"DeletionPolicy": "Snapshot", "Properties": {"StorageEncrypted": True, "DeletionProtection": True}}
    template.has_resource("AWS::RDS::DBCluster", kept)
    exported = {one["Properties"]["Name"] for one in template.find_resources("AWS::SSM::Parameter").values()}
    assert {"/bank/ledger/url", "/bank/ledger/secret-arn", "/bank/ledger/secret-policy-arn"} <= exported
    assert "strangler-fig" not in str(template.to_json())


def test_nothing_that_is_kept_holds_what_is_deleted(topology: Topology) -> None:
    """A balancer or a database that outlived its stack would hold security groups, and its deletion would fail."""
    names = json.loads((topology.templates / "stacks.json").read_text(encoding="utf-8"))["stacks"]
    resources = [one for name in names for one in topology.template(name["name"])["Resources"].values()]
    kept = {one["Type"] for one in resources if one.get("DeletionPolicy") == "Retain"}
    assert kept == {"AWS::KMS::Key", "AWS::Lambda::Version", "AWS::Logs::LogGroup", "AWS::SQS::Queue"}

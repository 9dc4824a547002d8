import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from infra.artefacts.json_places import read_json_file
from infra.artefacts.reading import read_plan
from infra.checking.equality import plan_findings
from infra.checking.rules import rule_findings
from infra.checking.schemas import schema_findings
from infra.checking.template import Template, read_templates
from strangler_fig.diagnostics import Refused
from tests.infra.topology import HERE, Topology, fig

_STAR = {"Effect": "Allow", "Principal": "*", "Action": "s3:GetObject", "Resource": "*"}


@pytest.fixture
def spoilt(topology: Topology, tmp_path: Path) -> Path:
    """A copy of the templates that a test may spoil."""
    return Path(shutil.copytree(topology.templates, tmp_path / "templates"))


def _change(folder: Path, name: str, type_: str, change: Callable[[dict[str, Any]], None]) -> None:
    """Change the properties of the first resource of a type."""
    path = folder / f"{name}.json"
    data = json.loads(path.read_text(encoding="utf-8"))
    one = next(one for one in data["Resources"].values() if one["Type"] == type_)
    change(one["Properties"])
    path.write_text(json.dumps(data, indent=1), encoding="utf-8")


def _template(tmp_path: Path, type_: str, properties: dict[str, Any]) -> Template:
    path = tmp_path / "one.json"
    path.write_text(json.dumps({"Resources": {"Thing": {"Type": type_, "Properties": properties}}}), encoding="utf-8")
    return Template("one", path, read_json_file(path))


@pytest.mark.timeout(300)  # it may be the one that synthesises, and cfn-lint takes 10 s of processor time
def test_what_is_synthesised_has_no_findings(topology: Topology) -> None:
    """The rules and the comparison with the plan find nothing in any template, cfn-lint nothing in those asked.

    The other stacks' kinds are held against cfn-lint where the commands of docs/deploy.md are run.
    """
    templates = read_templates(topology.templates)
    planned, verdicts = read_plan(topology.plan, topology.capacity)
    assert list(plan_findings(templates, planned, verdicts)) == []
    assert [one for template in templates for one in rule_findings(template)] == []
    asked = [one for one in templates if one.name in ("routers", "lattice", "spoke-nat-1")]
    assert list(schema_findings(asked, "eu-west-1")) == []


@pytest.mark.parametrize(
    ("where", "change", "message"),
    [
        (
            ("hub", "AWS::EC2::VPC"),
            {"CidrBlock": "10.9.0.0/23"},
            "the primary block of hub: the template has 10.9.0.0/23",
        ),
        (
            ("hub", "AWS::EC2::Subnet"),
            {"CidrBlock": "10.9.0.0/28"},
            "the template has 10.9.0.0/28, the plan 10.20.0.192/28",
        ),
        (("spoke-1", "AWS::EC2::Subnet"), {"AvailabilityZone": "eu-west-1b"}, "the template has eu-west-1b, the plan"),
        (("spoke-nat-1", "AWS::EC2::VPCCidrBlock"), {"CidrBlock": "100.70.0.0/16"}, "lacks its block 100.65.0.0/16"),
        (
            ("spoke-nat-1", "AWS::EC2::VPCCidrBlock"),
            {"CidrBlock": "100.70.0.0/16"},
            "100.70.0.0/16 of spoke-nat-1 is not",
        ),
        (
            ("functions-spoke-1-shop", "AWS::Lambda::Function"),
            {"ReservedConcurrentExecutions": 500},
            "the reserved concurrency of books: the template has 500, the plan 52",
        ),
        (
            ("functions-spoke-1-shop", "AWS::Lambda::Function"),
            {"VpcConfig": {"SecurityGroupIds": [{"Fn::Select": [1, ["sg-1", "sg-2"]]}]}},
            "the security-group set of books: the template has 2, the plan 1",
        ),
        (
            ("functions-spoke-1-shop", "AWS::Lambda::Function"),
            {"VpcConfig": {"SecurityGroupIds": ["sg-1"]}},
            "the security-group set of books: the template has ['sg-1'], the plan 1",
        ),
        (
            ("hub", "AWS::EC2::Subnet"),
            {"Tags": [{"Key": "Name", "Value": "mine"}]},
            "the subnet mine (10.20.0.192/28) is not",
        ),
    ],
)
def test_a_difference_from_the_plan_is_named(
    topology: Topology, spoilt: Path, where: tuple[str, str], change: dict[str, Any], message: str
) -> None:
    """A block, subnet, AZ or reserved concurrency that is not the planner's is named with both values and its line."""
    _change(spoilt, *where, lambda properties: properties.update(change))
    found = list(plan_findings(read_templates(spoilt), *read_plan(topology.plan, topology.capacity)))
    assert any(message in one.message for one in found), found
    assert all(one.position and one.position.line > 1 for one in found)


def test_templates_of_another_plan_are_named(topology: Topology, spoilt: Path) -> None:
    """A template says which plan it was made from; another one is a warning with both digests."""
    path = spoilt / "hub.json"
    path.write_text(path.read_text(encoding="utf-8").replace("sha256:", "sha256:0", 1), encoding="utf-8")
    found = list(plan_findings(read_templates(spoilt), *read_plan(topology.plan, topology.capacity)))
    assert [one.code for one in found] == ["IC401"]


@pytest.mark.parametrize(
    ("type_", "properties", "message"),
    [
        ("AWS::EC2::Subnet", {"MapPublicIpOnLaunch": True}, "gives public addresses"),
        ("AWS::EC2::InternetGateway", {}, "way to the internet"),
        ("AWS::EC2::NatGateway", {"ConnectivityType": "public"}, "NAT gateway with a public address"),
        ("AWS::EC2::VPC", {"CidrBlock": "10.0.0.0/24"}, "without flow logs"),
        ("AWS::Logs::LogGroup", {"KmsKeyId": "key"}, "stay for ever"),
        ("AWS::Logs::LogGroup", {"RetentionInDays": 7}, "without a key"),
        ("AWS::SQS::Queue", {}, "queue without a key"),
        ("AWS::SNS::Topic", {}, "topic without a key"),
        ("AWS::KMS::Key", {"EnableKeyRotation": False}, "never rotated"),
        ("AWS::KMS::Key", {"EnableKeyRotation": True}, "goes with its stack"),
        ("AWS::RDS::DBInstance", {"PubliclyAccessible": True}, "public address"),
        ("AWS::EC2::VPCEndpoint", {"ServiceName": {"Fn::Sub": "x"}}, "everything may be done"),
        ("AWS::EC2::VPCEndpointService", {"AcceptanceRequired": False}, "accepts everybody"),
        (
            "AWS::ElasticLoadBalancingV2::LoadBalancer",
            {"Scheme": "internet-facing", "SecurityGroups": ["sg-1"]},
            "public addresses",
        ),
        ("AWS::SNS::TopicPolicy", {"PolicyDocument": {"Statement": [_STAR]}}, "anybody may s3:GetObject"),
        (
            "AWS::IAM::Role",
            {"Policies": [{"PolicyDocument": {"Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}}]},
            "everything is allowed",
        ),
        ("AWS::EC2::SecurityGroup", {"SecurityGroupIngress": [{"CidrIp": "0.0.0.0/0"}]}, "lets everybody in"),
    ],
)
def test_a_breach_of_a_rule_is_found(tmp_path: Path, type_: str, properties: dict[str, Any], message: str) -> None:
    """Each rule finds what it is there for, and names the resource."""
    found = [str(one) for one in rule_findings(_template(tmp_path, type_, properties))]
    assert any(message in one and "one.json:1:" in one for one in found), found


def test_a_narrowed_star_is_no_breach(tmp_path: Path) -> None:
    """Anybody of this account is the form that endpoint policies need."""
    own = {**_STAR, "Condition": {"StringEquals": {"aws:PrincipalAccount": "123456789012"}}}
    assert list(rule_findings(_template(tmp_path, "AWS::SNS::TopicPolicy", {"P": {"Statement": [own]}}))) == []


def test_the_command_exits_2_and_can_answer_in_json(topology: Topology, spoilt: Path) -> None:
    """An error is exit code 2; `--json` prints every finding with its place."""
    lattice = json.loads((spoilt / "lattice.json").read_text(encoding="utf-8"))
    lattice["Resources"]["Door"] = {"Type": "AWS::EC2::InternetGateway"}
    (spoilt / "lattice.json").write_text(json.dumps(lattice), encoding="utf-8")
    (spoilt / "stacks.json").write_text('{"stacks": [{"name": "lattice"}]}', encoding="utf-8")
    same = ("--estate", str(topology.estate), "--settings", str(HERE / "infra.yaml"))
    done = fig("infra", "check", str(spoilt), *topology.planned, *same, "--json")
    assert done.code == 2
    found = json.loads(done.stdout)
    assert {"IC301", "IC402", "IC502", "IC503"} == {one["code"] for one in found}
    assert [one["message"] for one in found if one["code"] == "IC502"] == [
        "Door (AWS::EC2::InternetGateway) is in the template, and synthesis makes none"
    ]


def test_a_second_function_of_a_planned_ones_name_is_unplanned(topology: Topology, spoilt: Path) -> None:
    """A copy of a function that only its tag makes the plan's is named, and the plan's own is not blamed."""
    path = spoilt / "functions-spoke-1-shop.json"
    data = json.loads(path.read_text(encoding="utf-8"))
    name, function = next(
        (name, one)
        for name, one in data["Resources"].items()
        if one["Type"] == "AWS::Lambda::Function" and name.startswith("Books")
    )
    kept = {key: one for key, one in function["Properties"].items() if key != "ReservedConcurrentExecutions"}
    data["Resources"]["Rogue"] = {"Type": "AWS::Lambda::Function", "Properties": kept}
    path.write_text(json.dumps(data, indent=1), encoding="utf-8")
    found = list(plan_findings(read_templates(spoilt), *read_plan(topology.plan, topology.capacity)))
    said = f"Rogue is not in the plan: its tag says books, which {name} is already"
    assert [(one.code, one.message) for one in found] == [("IC404", said)]


def test_a_folder_without_templates_is_refused(tmp_path: Path) -> None:
    """What is no folder of `fig infra synth` is refused by name."""
    with pytest.raises(Refused, match=r"stacks\.json"):
        read_templates(tmp_path)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('{"Resources": {"A": 5}}', "the resource A is a number, not an object"),
        ('{"Resources": {"A": {"Properties": 1}}}', "A has no Type"),
        ('{"Resources": {"A": {"Type": "x", "Properties": 1}}}', "the Properties of A are a number, not an object"),
        ("[]", "it holds a list, not an object"),
        ("null", "it holds null, not an object"),
        ("{}", "no Resources"),
        ('{"Resources": {"\\ud800": {}}}', "half a character"),
    ],
)
def test_what_is_no_template_is_refused(topology: Topology, spoilt: Path, text: str, said: str) -> None:
    """A file that was edited into something else is named with what is wrong in it, not a traceback."""
    (spoilt / "hub.json").write_text(text, encoding="utf-8")
    done = fig("infra", "check", str(spoilt), *topology.planned)
    assert done.code == 2
    assert said in done.stderr
    assert "hub.json" in done.stderr
    assert "stacks.json" not in done.stderr


def test_tags_and_metadata_of_any_shape_are_looked_at(topology: Topology, spoilt: Path) -> None:
    """Hand-written templates have what they like where the comparison looks; it finds differences, and ends."""
    for name, key in (("hub", "Tags"), ("functions-spoke-1-shop", "VpcConfig")):
        data = json.loads((spoilt / f"{name}.json").read_text(encoding="utf-8"))
        data["Metadata"] = "mine"
        for one in data["Resources"].values():
            one.setdefault("Properties", {})[key] = "x"
        (spoilt / f"{name}.json").write_text(json.dumps(data), encoding="utf-8")
    found = list(plan_findings(read_templates(spoilt), *read_plan(topology.plan, topology.capacity)))
    assert {"IC401", "IC402", "IC403"} <= {one.code for one in found}

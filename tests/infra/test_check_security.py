import copy
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from infra.artefacts.json_places import read_json_file
from infra.checking.rules import rule_findings
from infra.checking.synthesis_equality import synthesis_findings
from infra.checking.template import Template
from tests.infra.topology import Topology

Resources = dict[str, Any]
_EVERYTHING = {"IpProtocol": "-1", "CidrIp": "0.0.0.0/0"}
_FOREIGN = {"Effect": "Allow", "Principal": {"AWS": "arn:aws:iam::999999999999:root"}, "Action": "sts:AssumeRole"}
_ADMINISTRATOR = {"Fn::Sub": "arn:${AWS::Partition}:iam::aws:policy/AdministratorAccess"}
_OURS_MANAGED = {"Fn::Sub": "arn:${AWS::Partition}:iam::aws:policy/AmazonSSMManagedInstanceCore"}
_ANY_ACCOUNT = {"StringLike": {"aws:PrincipalAccount": "*"}}
_SUB_ROOT = {"Fn::Sub": "arn:${AWS::Partition}:iam::${AWS::AccountId}:root"}


def _one(resources: Resources, prefix: str) -> dict[str, Any]:
    """The resource whose logical id begins so."""
    found: dict[str, Any] = next(one for name, one in resources.items() if name.startswith(prefix))
    return found


def _set(prefix: str, *path: str | int, to: Any) -> Callable[[Resources], None]:
    """A change of one value of a resource; `None` removes it."""

    def change(resources: Resources) -> None:
        value: Any = _one(resources, prefix)
        for step in path[:-1]:
            value = value[step]
        if to is None:
            del value[path[-1]]
        else:
            value[path[-1]] = to

    return change


def _add(type_: str, **properties: Any) -> Callable[[Resources], None]:
    """A resource more."""

    def change(resources: Resources) -> None:
        resources["Added"] = {"Type": type_, "Properties": properties}

    return change


def _texts(prefix: str, old: str, new: str) -> Callable[[Resources], None]:
    """Another text in what a fleet's hosts are started with."""

    def change(resources: Resources) -> None:
        one = _one(resources, prefix)
        text = json.dumps(one)
        assert old in text
        one.update(json.loads(text.replace(old, new)))

    return change


def _trust_foreign(resources: Resources) -> None:
    _one(resources, "BooksRole")["Properties"]["AssumeRolePolicyDocument"]["Statement"].append(_FOREIGN)


def _wide_egress(resources: Resources) -> None:
    one = _one(resources, "ProxiesFleetHostOut1")
    one["Properties"] = {"GroupId": one["Properties"]["GroupId"], **_EVERYTHING}


def _no_alarms_condition(resources: Resources) -> None:
    statements = _one(resources, "TelemetryKey")["Properties"]["KeyPolicy"]["Statement"]
    service = [one for one in statements if "sns.amazonaws.com" in json.dumps(one["Principal"])]
    del service[0]["Condition"]


_STATEMENTS = ("Properties", "PolicyDocument", "Statement", 0)
_PRIVATELINK = "EnforceSecurityGroupInboundRulesOnPrivateLinkTraffic"
_TAMPERED: dict[str, tuple[str, Callable[[Resources], None], str, str]] = {
    "anybody may ask for an endpoint": (
        "proxies",
        _set("ProxiesFleetPermissions", "Properties", "AllowedPrincipals", to=["*"]),
        "IC306",
        ".AllowedPrincipals",
    ),
    "PrivateLink past the groups": (
        "proxies",
        _set("ProxiesFleetBalancer9", "Properties", _PRIVATELINK, to="off"),
        "IC306",
        f".{_PRIVATELINK}: the template has off, synthesis on",
    ),
    "hosts out to everywhere": ("proxies", _wide_egress, "IC305", ".CidrIp: the template has 0.0.0.0/0, synthesis 10."),
    "another target": (
        "proxies",
        _texts("ProxiesFleetTemplate", "10.0.3.7:3306", "10.0.99.99:22"),
        "",
        "the template has server stock 10.0.99.99:22",
    ),
    "Squid lets all through": (
        "egress",
        _texts("EgressFleetTemplate", "http_access deny all", "http_access allow all"),
        "IC306",
        "http_access allow all",
    ),
    "an administrator": (
        "functions-spoke-1-shop",
        _set("BooksRole", "Properties", "ManagedPolicyArns", to=[_ADMINISTRATOR]),
        "IC303",
        "AdministratorAccess",
    ),
    "another account's trust": ("functions-spoke-1-shop", _trust_foreign, "IC307", "999999999999"),
    "a function's address": (
        "functions-spoke-1-shop",
        _add("AWS::Lambda::Url", AuthType="NONE", TargetFunctionArn="books"),
        "IC306",
        "Added (AWS::Lambda::Url) is in the template, and synthesis makes none",
    ),
    "a permission for everybody": (
        "functions-spoke-1-shop",
        _add("AWS::Lambda::Permission", Action="lambda:InvokeFunctionUrl", FunctionName="books", Principal="*"),
        "IC306",
        "Added (AWS::Lambda::Permission)",
    ),
    "a database without TLS": (
        "ledger",
        _set("LedgerParameters", "Properties", "Parameters", "require_secure_transport", to="OFF"),
        "IC301",
        ".require_secure_transport: the template has OFF, synthesis ON",
    ),
    "a database that goes": (
        "ledger",
        _set("LedgerCluster", "DeletionPolicy", to="Delete"),
        "IC301",
        ".DeletionPolicy: the template has Delete, synthesis Snapshot",
    ),
    "a key that goes": (
        "ledger",
        _set("LedgerKey", "DeletionPolicy", to="Delete"),
        "IC301",
        ".DeletionPolicy: the template has Delete, synthesis Retain",
    ),
    "half a flow log": (
        "spoke-1",
        _set("SpokeNetworkFlowLogA", "Properties", "TrafficType", to="REJECT"),
        "IC301",
        ".TrafficType: the template has REJECT, synthesis ALL",
    ),
    "functions out to everywhere": (
        "spoke-1",
        _set("SpokeNetworkZoneShopSet1", "Properties", "SecurityGroupEgress", to=[_EVERYTHING]),
        "IC305",
        ".SecurityGroupEgress.0.CidrIp: the template has 0.0.0.0/0",
    ),
    "a peering": (
        "spoke-1",
        _add("AWS::EC2::VPCPeeringConnection", VpcId="vpc-1", PeerVpcId="vpc-2"),
        "IC301",
        "Added (AWS::EC2::VPCPeeringConnection)",
    ),
    "an endpoint for every account": (
        "spoke-1",
        _set("SpokeNetworkEndpointSecretsmanager", *_STATEMENTS, "Condition", to=_ANY_ACCOUNT),
        "IC302",
        '.Condition.StringLike: the template has {"aws:PrincipalAccount": "*"}',
    ),
    "a key for everybody's alarms": (
        "telemetry",
        _no_alarms_condition,
        "IC307",
        ".Condition: the template has nothing",
    ),
    "a resource less": (
        "spoke-1",
        lambda resources: resources.pop(next(name for name in resources if name.startswith("SpokeNetworkFlowLogA"))),
        "IC301",
        "(AWS::EC2::FlowLog) is not in the template, and synthesis makes it",
    ),
}


def _written(tmp_path: Path, name: str, data: dict[str, Any]) -> Template:
    path = tmp_path / f"{name}.json"
    path.write_text(json.dumps(data, indent=1), encoding="utf-8")
    return Template(name, path, read_json_file(path))


@pytest.mark.timeout(300)  # the first may be the one that synthesises
@pytest.mark.parametrize("case", _TAMPERED)
def test_security_that_was_taken_away_is_named(topology: Topology, tmp_path: Path, case: str) -> None:
    """Each loss is an error by a rule, where one can know it, and by comparison with synthesis; both have a place."""
    stack, change, code, difference = _TAMPERED[case]
    made = topology.template(stack)
    tampered = copy.deepcopy(made)
    change(tampered["Resources"])
    template = _written(tmp_path, stack, tampered)
    by_rule = list(rule_findings(template))
    assert {one.code for one in by_rule} == ({code} if code else set()), by_rule
    compared = list(synthesis_findings((template,), {stack: made}))
    assert any(difference in one.message and one.severity.name == "ERROR" for one in compared), compared
    assert all(one.position for one in (*by_rule, *compared))


def test_what_is_synthesised_differs_in_nothing(topology: Topology, tmp_path: Path) -> None:
    """A template is its own synthesis; a stack that is missing or too many is named, a text is a warning."""
    hub, ledger = topology.template("hub"), topology.template("ledger")
    assert list(synthesis_findings((_written(tmp_path, "hub", hub),), {"hub": hub})) == []
    found = list(synthesis_findings((_written(tmp_path, "hub", hub),), {"ledger": ledger}))
    assert [one.message for one in found] == [
        "the stack ledger is not in the folder, and synthesis makes it",
        "synthesis makes no stack hub",
    ]
    said = copy.deepcopy(ledger)
    _set("LedgerGroup", "Properties", "GroupDescription", to="Mine")(said["Resources"])
    found = list(synthesis_findings((_written(tmp_path, "ledger", said),), {"ledger": ledger}))
    assert [one.severity.name for one in found] == ["WARNING"]


def _role(*statements: dict[str, Any], trust: dict[str, Any] | None = None) -> dict[str, Any]:
    service = {"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}
    return {
        "AssumeRolePolicyDocument": {"Statement": [trust or service]},
        "Policies": [{"PolicyDocument": {"Statement": list(statements)}}],
    }


_ANYWHERE = {
    "Effect": "Allow",
    "Principal": {"Service": "rolesanywhere.amazonaws.com"},
    "Action": "sts:AssumeRole",
}
_BY_NAME = {**_ANYWHERE, "Condition": {"StringLike": {"aws:PrincipalTag/x509Subject/CN": "router-*"}}}
_BY_ANCHOR = {**_ANYWHERE, "Condition": {"ArnEquals": {"aws:SourceArn": {"Ref": "Anchor"}}}}


def _allow(action: str, resource: Any, **more: Any) -> dict[str, Any]:
    return {"Effect": "Allow", "Action": [action], "Resource": resource, **more}


@pytest.mark.parametrize(
    ("type_", "properties", "codes"),
    [
        ("AWS::IAM::Role", _role(trust=_ANYWHERE), ["IC307"]),
        ("AWS::IAM::Role", _role(trust=_BY_NAME), ["IC307"]),
        ("AWS::IAM::Role", _role(trust=_BY_ANCHOR), []),
        ("AWS::IAM::Role", _role(trust={**_FOREIGN, "Principal": {"AWS": _SUB_ROOT}}), []),
        ("AWS::IAM::Role", _role(_allow("lambda:*", "*")), ["IC303"]),
        ("AWS::IAM::Role", _role(_allow("secretsmanager:GetSecretValue", "*")), ["IC303"]),
        ("AWS::IAM::Role", _role(_allow("secretsmanager:GetSecretValue", "arn:aws:secretsmanager:a:b:secret:c")), []),
        ("AWS::IAM::Role", _role({"Effect": "Allow", "NotAction": "iam:*", "Resource": "*"}), ["IC303"]),
        ("AWS::IAM::Role", _role(_allow("xray:PutTraceSegments", "*")), []),
        ("AWS::IAM::Role", {**_role(), "ManagedPolicyArns": [_OURS_MANAGED]}, []),
        ("AWS::EC2::SecurityGroup", {}, ["IC305"]),
        ("AWS::EC2::SecurityGroupEgress", {"IpProtocol": "tcp", "DestinationPrefixListId": "pl-1"}, []),
        ("AWS::EC2::SecurityGroupEgress", {"IpProtocol": "tcp", "CidrIpv6": "::/0", "FromPort": 22}, ["IC305"]),
        ("AWS::Lambda::Permission", {"Principal": "events.amazonaws.com"}, []),
    ],
)
def test_rights_and_doors(tmp_path: Path, type_: str, properties: dict[str, Any], codes: list[str]) -> None:
    """What is wider than any role or group needs is found; prefix lists, named secrets and own accounts are not."""
    data = {"Resources": {"Thing": {"Type": type_, "Properties": properties}}}
    assert [one.code for one in rule_findings(_written(tmp_path, "one", data))] == codes


def test_many_breaches_are_all_found(tmp_path: Path) -> None:
    """A report too long for Guard's binding is asked for resource by resource."""
    subnet = {"Type": "AWS::EC2::Subnet", "Properties": {"MapPublicIpOnLaunch": True}}
    data = {"Resources": {f"Subnet{number}": subnet for number in range(60)}}
    assert len(list(rule_findings(_written(tmp_path, "one", data)))) == 60

"""Resources, template parameters and SSM exports: what every construct is made of."""

from collections.abc import Mapping, Sequence
from typing import Any

import aws_cdk as cdk
from constructs import Construct

Properties = Mapping[str, Any]


def resource(
    scope: Construct, name: str, type_: str, properties: Properties, *, after: Sequence[cdk.CfnResource] = ()
) -> cdk.CfnResource:
    """A resource of CloudFormation's type `type_`, made after others where that is not clear from its properties."""
    made = cdk.CfnResource(scope, name, type=type_, properties=_plain(properties))
    for other in after:
        made.add_resource_dependency(other)
    return made


def keep(made: cdk.CfnResource) -> cdk.CfnResource:
    """The resource, which outlives its stack: a key of what stays, records, a version that an alias may still serve."""
    made.apply_removal_policy(cdk.RemovalPolicy.RETAIN)
    return made


def snapshot(made: cdk.CfnResource) -> cdk.CfnResource:
    """The resource, whose data outlives it: a cluster that was kept would hold parts of a stack that is deleted."""
    made.apply_removal_policy(cdk.RemovalPolicy.SNAPSHOT)
    return made


def tags(name: str, **more: str) -> list[dict[str, str]]:
    """The tags of a resource, its name first."""
    return [{"Key": "Name", "Value": name}, *({"Key": f"fig:{key}", "Value": value} for key, value in more.items())]


def parameter(scope: Construct, name: str, type_: str = "String", **more: Any) -> Any:
    """The value of a template parameter, made once in each stack."""
    stack = cdk.Stack.of(scope)
    found = stack.node.try_find_child(name)
    made = found or cdk.CfnParameter(stack, name, type=type_, **more)
    return {"Ref": name} if made else None


def export(scope: Construct, path: str, value: Any, *, is_list: bool = False) -> None:
    """Publish a value under an SSM parameter, where other stacks and other tools find it."""
    name = "Export" + "".join(word.title() for word in path.replace("-", "/").split("/") if word)
    properties = {"Name": path, "Type": "StringList" if is_list else "String", "Value": value}
    resource(scope, name, "AWS::SSM::Parameter", properties)


def imported(scope: Construct, path: str, *, is_list: bool = False) -> Any:
    """What another stack published under `path`, as a template parameter.

    Its default is the path; an account that cannot see it is given the ARN of a shared one, or its own copy's path.
    """
    name = "".join(word.title() for word in path.replace("-", "/").split("/") if word)
    inner = "List<String>" if is_list else "String"
    words = "Published by another stack of this topology: the SSM parameter's name, or its ARN where it is shared"
    return parameter(scope, name, f"AWS::SSM::Parameter::Value<{inner}>", default=path, description=words)


def arn(
    service: str, rest: str, *, region: str = "${AWS::Region}", account: str = "${AWS::AccountId}"
) -> dict[str, str]:
    """An ARN in the stack's own partition."""
    return {"Fn::Sub": f"arn:${{AWS::Partition}}:{service}:{region}:{account}:{rest}"}


def statement(actions: Sequence[str], resources: Any, **more: Any) -> dict[str, Any]:
    """A statement that allows actions on resources."""
    return {"Effect": "Allow", "Action": list(actions), "Resource": resources, **more}


def policy(*statements: Mapping[str, Any]) -> dict[str, Any]:
    """A policy document."""
    return {"Version": "2012-10-17", "Statement": [dict(one) for one in statements]}


def trust(service: str, **condition: Any) -> dict[str, Any]:
    """The document that lets a service assume a role."""
    more = {"Condition": condition} if condition else {}
    return policy({"Effect": "Allow", "Principal": {"Service": service}, "Action": "sts:AssumeRole", **more})


def _plain(value: Any) -> Any:
    """The value with mappings as dicts and without what is None."""
    if isinstance(value, Mapping):
        return {key: _plain(one) for key, one in value.items() if one is not None}
    if isinstance(value, (list, tuple)):
        return [_plain(one) for one in value]
    return value

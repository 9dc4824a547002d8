"""Rules about doors: who may connect, what may be reached, and what a host is told to let through.

A prefix list (S3's, DynamoDB's) or a security group is a named destination, so it is none of the open ones here.
"""

import json
from collections.abc import Iterator, Mapping
from typing import Any

from strangler_fig.diagnostics import Diagnostic

from .template import Template

OPEN_TO_ALL = "IC304"
OPEN_TO_THE_WORLD = "IC305"
OPEN_DOOR = "IC306"

_EVERYWHERE = ("0.0.0.0/0", "::/0")
_TLS = 443
_OUT_TO_ALL = ("routers",)
"""Stacks whose hosts may open TCP connections to every address: a router reaches every legacy application."""


def door_findings(template: Template) -> Iterator[Diagnostic]:
    """Every door of a template that is open wider than any plan has it."""
    yield from _ingress(template)
    yield from _egress(template)
    yield from _services(template)
    yield from _functions(template)
    yield from _hosts(template)


def _ingress(template: Template) -> Iterator[Diagnostic]:
    """Ingress from everywhere, wherever it is written."""
    for name, place, rule in _rules(template, "Ingress"):
        if _is_everywhere(rule):
            yield _found(template, OPEN_TO_ALL, f"{name} lets everybody in", name, *place)


def _egress(template: Template) -> Iterator[Diagnostic]:
    """Egress on every port, or to everywhere on another port than TLS's; a group that lists none has all of it."""
    apart = json.dumps([one.get("GroupId") for _, one in template.of("AWS::EC2::SecurityGroupEgress")])
    for name, properties in template.of("AWS::EC2::SecurityGroup"):
        if not properties.get("SecurityGroupEgress") and json.dumps(name) not in apart:
            yield _found(template, OPEN_TO_THE_WORLD, f"{name} names no egress, so AWS lets everything out", name)
    for name, place, rule in _rules(template, "Egress"):
        may = template.name in _OUT_TO_ALL or (rule.get("FromPort") == _TLS and rule.get("ToPort") == _TLS)
        if str(rule.get("IpProtocol")) == "-1" or (_is_everywhere(rule) and not may):
            yield _found(template, OPEN_TO_THE_WORLD, f"{name} lets everything out", name, *place)


def _rules(template: Template, way: str) -> Iterator[tuple[str, tuple[str | int, ...], Mapping[str, Any]]]:
    """The rules of one way, with the resource's name and the rule's place in it."""
    for name, properties in template.of("AWS::EC2::SecurityGroup"):
        rules = properties.get(f"SecurityGroup{way}")
        for place, rule in enumerate(rules if isinstance(rules, list) else ()):
            if isinstance(rule, Mapping):
                yield name, ("Properties", f"SecurityGroup{way}", place), rule
    for name, properties in template.of(f"AWS::EC2::SecurityGroup{way}"):
        yield name, (), properties


def _is_everywhere(rule: Mapping[str, Any]) -> bool:
    return any(rule.get(key) in _EVERYWHERE for key in ("CidrIp", "CidrIpv6"))


def _services(template: Template) -> Iterator[Diagnostic]:
    for name, properties in template.of("AWS::EC2::VPCEndpointServicePermissions"):
        if "*" in _list(properties.get("AllowedPrincipals")):
            message = f"{name}: everybody at AWS may ask for an endpoint"
            yield _found(template, OPEN_DOOR, message, name, "Properties", "AllowedPrincipals")
    for name, properties in template.of("AWS::ElasticLoadBalancingV2::LoadBalancer"):
        key = "EnforceSecurityGroupInboundRulesOnPrivateLinkTraffic"
        if properties.get(key, "on") != "on":
            message = f"{name}: what comes by PrivateLink is not held to the security group's rules"
            yield _found(template, OPEN_DOOR, message, name, "Properties", key)


def _functions(template: Template) -> Iterator[Diagnostic]:
    """Functions are invoked by roles; none of ours has an address, nor a permission for everybody."""
    for name, properties in template.of("AWS::Lambda::Url"):
        if properties.get("AuthType") != "AWS_IAM":
            message = f"{name}: a function that the whole internet may invoke"
            yield _found(template, OPEN_DOOR, message, name, "Properties", "AuthType")
    for name, properties in template.of("AWS::Lambda::Permission"):
        if "*" in str(properties.get("Principal")):
            message = f"{name}: everybody may invoke the function"
            yield _found(template, OPEN_DOOR, message, name, "Properties", "Principal")


def _hosts(template: Template) -> Iterator[Diagnostic]:
    for name, properties in template.of("AWS::EC2::LaunchTemplate"):
        if "http_access allow all" in json.dumps(properties):
            message = f"{name}: Squid lets every domain through"
            yield _found(template, OPEN_DOOR, message, name, "Properties", "LaunchTemplateData", "UserData")


def _found(template: Template, code: str, message: str, name: str, *place: str | int) -> Diagnostic:
    return Diagnostic(code=code, message=message, position=template.at("Resources", name, *place))


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [] if value is None else [value]

"""Whether templates are the plan: every block, subnet, endpoint, set of security groups and reserved concurrency.

A resource says by its tags what it is in the plan (`fig:vpc`, `Name`, `fig:function`); a difference names both values.
"""

import re
from collections.abc import Iterator, Mapping
from typing import Any

from strangler_fig.diagnostics import Diagnostic, Severity

from ..artefacts.capacity import Capacity
from ..artefacts.plan import Place, Plan, Vpc
from .template import Template

OTHER_PLAN = "IC401"
MISSING = "IC402"
DIFFERS = "IC403"
UNPLANNED = "IC404"


_MADE_WITH = {
    "on-premises": "it is made with the first of proxies.targets",
    "egress": "it is made with the first of egress.domains",
}


def plan_findings(templates: tuple[Template, ...], plan: Plan, capacity: Capacity) -> Iterator[Diagnostic]:
    """Every difference between templates and plan, the verdicts' included."""
    yield from _digests(templates, plan, capacity)
    vpcs = {
        _tag(properties, "fig:vpc"): (one, name) for one in templates for name, properties in one.of("AWS::EC2::VPC")
    }
    for vpc in plan.vpcs:
        if vpc.name not in vpcs:
            yield Diagnostic(code=MISSING, message=f"no template makes the VPC {vpc.name}")
            continue
        template, name = vpcs.pop(vpc.name)
        yield from _of_vpc(template, name, vpc)
    for left, (template, name) in vpcs.items():
        message = f"the VPC {left or name} is not in the plan"
        yield Diagnostic(code=UNPLANNED, message=message, position=template.at("Resources", name))
    yield from _of_functions(templates, plan, capacity)


def _digests(templates: tuple[Template, ...], plan: Plan, capacity: Capacity) -> Iterator[Diagnostic]:
    expected = {"plan": plan.digest, "capacity": capacity.digest}
    for template in templates:
        metadata = template.source.data.get("Metadata")
        own = metadata.get("fig") if isinstance(metadata, Mapping) else None
        made_from = own if isinstance(own, Mapping) else {}
        for what, digest in expected.items():
            if made_from.get(what) != digest:
                message = (
                    f"{template.name} was made from another {what}: {_short(made_from.get(what))}, not {_short(digest)}"
                )
                yield Diagnostic(
                    code=OTHER_PLAN,
                    message=message,
                    position=template.at("Metadata", "fig", what),
                    hint="what equals the plan all the same is not reported below; synthesise again to be sure",
                    severity=Severity.WARNING,
                )


def _of_vpc(template: Template, name: str, vpc: Vpc) -> Iterator[Diagnostic]:
    primary, *secondary = (str(block) for block in vpc.cidrs)
    made = template.resources[name].get("Properties", {}).get("CidrBlock")
    yield from _differs(template, (name, "CidrBlock"), f"the primary block of {vpc.name}", made, primary)
    found: dict[Any, str] = {one.get("CidrBlock"): key for key, one in template.of("AWS::EC2::VPCCidrBlock")}
    for block in secondary:
        if found.pop(block, None) is None:
            message = f"{vpc.name} lacks its block {block}"
            yield Diagnostic(code=MISSING, message=message, position=template.at("Resources", name))
    for block, key in found.items():
        message = f"the block {block} of {vpc.name} is not in the plan"
        yield Diagnostic(code=UNPLANNED, message=message, position=template.at("Resources", key))
    yield from _of_subnets(template, name, vpc)
    yield from _of_endpoints(template, name, vpc)
    yield from _of_sets(template, name, vpc)


def _of_subnets(template: Template, vpc_name: str, vpc: Vpc) -> Iterator[Diagnostic]:
    made = {_tag(properties, "Name"): (name, properties) for name, properties in template.of("AWS::EC2::Subnet")}
    for subnet in vpc.subnets:
        if subnet.name not in made:
            message = f"{vpc.name} lacks the subnet {subnet.name} ({subnet.cidr})"
            yield Diagnostic(code=MISSING, message=message, position=template.at("Resources", vpc_name))
            continue
        name, properties = made.pop(subnet.name)
        title = f"the subnet {subnet.name}"
        yield from _differs(template, (name, "CidrBlock"), title, properties.get("CidrBlock"), str(subnet.cidr))
        yield from _differs(template, (name, "AvailabilityZone"), title, properties.get("AvailabilityZone"), subnet.az)
    for title, (name, properties) in made.items():
        message = f"the subnet {title or name} ({properties.get('CidrBlock')}) is not in the plan"
        yield Diagnostic(code=UNPLANNED, message=message, position=template.at("Resources", name))


def _of_endpoints(template: Template, vpc_name: str, vpc: Vpc) -> Iterator[Diagnostic]:
    """Interface endpoints take addresses, so they are the planner's; gateway endpoints take none."""
    made = {}
    for name, properties in template.of("AWS::EC2::VPCEndpoint"):
        if properties.get("VpcEndpointType") == "Interface":
            service = properties.get("ServiceName", {})
            words = service.get("Fn::Sub", "") if isinstance(service, Mapping) else str(service)
            made[_tag(properties, "fig:endpoint") or words.removeprefix("com.amazonaws.${AWS::Region}.")] = name
    for service in vpc.endpoints:
        if made.pop(service, None) is None and service not in ("s3", "dynamodb"):
            message = f"{vpc.name} lacks the endpoint {service}"
            hint = _MADE_WITH.get(service)
            severity = Severity.WARNING if hint else Severity.ERROR
            position = template.at("Resources", vpc_name)
            yield Diagnostic(code=MISSING, message=message, position=position, hint=hint, severity=severity)
    for service, name in made.items():
        message = f"the endpoint {service} of {vpc.name} is not in the plan, which has no addresses for it"
        yield Diagnostic(code=UNPLANNED, message=message, position=template.at("Resources", name))


def _of_sets(template: Template, vpc_name: str, vpc: Vpc) -> Iterator[Diagnostic]:
    names = [_tag(properties, "Name") for _, properties in template.of("AWS::EC2::SecurityGroup")]
    for zone in vpc.zones:
        stem = re.escape("".join(word.title() for word in zone.name.split("-")).lower())
        made = sum(bool(re.search(rf"-zone{stem}set[0-9]+$", name)) for name in names)
        path = ("Resources", vpc_name)
        if made != zone.security_group_sets:
            message = (
                f"{vpc.name} has {made} security-group sets for {zone.name}, and the plan {zone.security_group_sets}"
            )
            hint = "each further set costs an ENI and an address in each subnet"
            yield Diagnostic(code=DIFFERS, message=message, position=template.at(*path), hint=hint)


def _of_functions(templates: tuple[Template, ...], plan: Plan, capacity: Capacity) -> Iterator[Diagnostic]:
    made: dict[str, tuple[Template, str, dict[str, Any]]] = {}
    for one in templates:
        for name, properties in one.of("AWS::Lambda::Function"):
            function = _tag(properties, "fig:function") or name
            if made.setdefault(function, (one, name, properties))[:2] != (one, name):
                message = f"{name} is not in the plan: its tag says {function}, which {made[function][1]} is already"
                yield Diagnostic(code=UNPLANNED, message=message, position=one.at("Resources", name))
    for function in plan.places:
        verdict = capacity.verdicts.get(function)
        if verdict is None:
            yield Diagnostic(code=MISSING, message=f"the capacity verdicts have no function {function}")
        elif function not in made:
            yield Diagnostic(code=MISSING, message=f"no template makes the function {function}")
        else:
            template, name, properties = made[function]
            reserved = properties.get("ReservedConcurrentExecutions")
            title = f"the reserved concurrency of {function}"
            where = (name, "ReservedConcurrentExecutions")
            yield from _differs(template, where, title, reserved, verdict.reserved)
            yield from _of_set(template, name, plan.places[function])
    for function, (template, name, _) in made.items():
        if function not in plan.places:
            message = f"the function {function} is not in the plan"
            yield Diagnostic(code=UNPLANNED, message=message, position=template.at("Resources", name))


def _of_set(template: Template, name: str, place: Place) -> Iterator[Diagnostic]:
    """The security-group set that a function is given: what its tag says, and what it selects from its zone's list."""
    properties = template.resources[name].get("Properties", {})
    title = f"the security-group set of {place.function}"
    tag = _tag(properties, "fig:security-group-set")
    yield from _differs(template, (name, "Tags"), title, tag, f"{place.zone}/{place.set_number}")
    network = properties.get("VpcConfig")
    groups = network.get("SecurityGroupIds") if isinstance(network, Mapping) else None
    match groups:
        case [{"Fn::Select": [int(number), _]}]:
            yield from _differs(template, (name, "VpcConfig"), title, number + 1, place.set_number)
        case _:
            yield from _differs(template, (name, "VpcConfig"), title, groups, place.set_number)


def _differs(template: Template, where: tuple[str, str], title: str, found: Any, expected: Any) -> Iterator[Diagnostic]:
    if found != expected:
        name, key = where
        message = f"{title}: the template has {found}, the plan {expected}"
        position = template.at("Resources", name, "Properties", key)
        yield Diagnostic(code=DIFFERS, message=message, position=position)


def _tag(properties: Mapping[str, Any], key: str) -> str:
    tags = properties.get("Tags")
    pairs = [one for one in tags if isinstance(one, Mapping)] if isinstance(tags, list) else []
    return next((str(one.get("Value", "")) for one in pairs if one.get("Key") == key), "")


def _short(digest: Any) -> str:
    return str(digest or "none").removeprefix("sha256:")[:12]

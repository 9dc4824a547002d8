"""The plan as CloudFormation parameters, in the form that `aws cloudformation deploy --parameter-overrides` reads.

All values are text, and lists are comma-separated: a template declares them as `CommaDelimitedList`. Subnets and their
AZs are two lists in the same order.
"""

import json
import re
from collections.abc import Iterator

from strangler_fig.diagnostics import Diagnostic, Refused

from ..layout.values import Plan, Purpose, Subnet, Vpc

MOST_PARAMETERS = 200
"""Of one template. Source: AWS CloudFormation User Guide, "Understand CloudFormation quotas", 2025."""

MOST_BYTES = 4_096
"""Of one parameter's value. Source: the same."""

TOO_MANY = "CF101"
TOO_LONG = "CF102"


def parameters(plan: Plan, digest: str) -> dict[str, str]:
    """The parameters by name; `digest` is that of the whole plan, of which `plan` may be a part.

    Raises `Refused` where CloudFormation would not take them.
    """
    found: dict[str, str] = {
        "PlanDigest": digest,
        "AvailabilityZones": ",".join(plan.azs),
    }
    stems: set[str] = set()
    for vpc in plan.vpcs:
        found |= dict(_of_vpc(vpc, stems))
    refused = [*_too_many(found), *_too_long(found)]
    if refused:
        raise Refused(refused)
    return found


def cloudformation(plan: Plan, digest: str) -> str:
    """The parameters as the text of a JSON file."""
    return json.dumps({"Parameters": parameters(plan, digest)}, indent=2, ensure_ascii=False) + "\n"


def _of_vpc(vpc: Vpc, stems: set[str]) -> Iterator[tuple[str, str]]:
    """The parameters of a VPC; `stems` are the beginnings of names that are taken."""
    stem = _unused(_pascal(vpc.name), stems)
    primary, *secondary = vpc.cidrs
    yield f"{stem}VpcCidr", str(primary)
    yield f"{stem}VpcSecondaryCidrs", ",".join(map(str, secondary))
    if vpc.is_dual_stack:
        yield f"{stem}VpcIpv6Cidr", str(vpc.ipv6 or "")
    groups: dict[tuple[Purpose, str], list[tuple[str, Subnet]]] = {}
    for segment, subnet in vpc.subnets():
        groups.setdefault((segment.spot.purpose, segment.spot.zone), []).append((segment.spot.az, subnet))
    for (purpose, zone), subnets in groups.items():
        name = _unused(f"{stem}{_pascal(purpose.value)}{_pascal(zone)}", stems) + "Subnet"
        yield f"{name}Cidrs", ",".join(str(subnet.block) for _az, subnet in subnets)
        yield f"{name}Azs", ",".join(az for az, _subnet in subnets)
        if vpc.is_dual_stack:
            yield f"{name}Ipv6Indices", ",".join(str(subnet.ipv6_index) for _az, subnet in subnets)


def _pascal(words: str) -> str:
    """The words as part of a parameter's name, which has letters and digits only."""
    return "".join(word[:1].upper() + word[1:] for word in re.split(r"[^A-Za-z0-9]+", words) if word)


def _unused(stem: str, stems: set[str]) -> str:
    """The stem, with a number where another one came to the same letters; it is taken from now on."""
    number, free = 2, stem
    while free in stems:
        free, number = f"{stem}{number}", number + 1
    stems.add(free)
    return free


def _too_many(found: dict[str, str]) -> Iterator[Diagnostic]:
    if len(found) > MOST_PARAMETERS:
        yield Diagnostic(
            code=TOO_MANY,
            message=f"the plan comes to {len(found)} parameters, and a template takes {MOST_PARAMETERS}",
            hint="make one file for each VPC with --vpc",
        )


def _too_long(found: dict[str, str]) -> Iterator[Diagnostic]:
    for name, value in found.items():
        if len(value.encode()) > MOST_BYTES:
            message = f"{name} is longer than the {MOST_BYTES:,} bytes that a parameter takes"
            yield Diagnostic(code=TOO_LONG, message=message, hint="use plan.json or tfvars")

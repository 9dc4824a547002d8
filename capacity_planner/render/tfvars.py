"""The plan as Terraform variables: HCL that `terraform fmt` leaves as it is, for modules that loop over `vpcs`."""

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from ..layout.values import Plan, Purpose, Subnet, Vpc


def tfvars(plan: Plan, digest: str) -> str:
    """The plan as the text of a `.tfvars` file; `digest` is that of the whole plan, of which `plan` may be a part."""
    head = "# Made by `fig cidr show --format tfvars`; change the demand and plan again instead of editing it."
    return "\n".join([head, *_body(variables(plan, digest), 0)]) + "\n"


def variables(plan: Plan, digest: str) -> dict[str, Any]:
    """The variables as values."""
    return {
        "plan_digest": digest,
        "region": plan.region or None,
        "availability_zones": list(plan.azs),
        "vpcs": {vpc.name: _vpc(vpc) for vpc in plan.vpcs},
        "functions": {
            place.name: {
                "vpc": place.vpc,
                "trust_zone": place.zone,
                "security_group_set": place.set_number,
                "availability_zones": list(place.azs),
            }
            for place in plan.functions
        },
    }


def _vpc(vpc: Vpc) -> dict[str, Any]:
    primary, *secondary = vpc.cidrs
    return {
        "kind": vpc.kind.value,
        "cidr_block": str(primary),
        "secondary_cidr_blocks": [str(block) for block in secondary],
        "routable_cidr_blocks": [str(block) for block in vpc.cidrs if vpc.is_routable(block)],
        "dual_stack": vpc.is_dual_stack,
        "ipv6_cidr_block": str(vpc.ipv6) if vpc.ipv6 else None,
        "endpoints": list(vpc.endpoints),
        "stock": dict(sorted(vpc.stock.items())),
        "security_group_sets": {zone.name: zone.security_group_sets for zone in vpc.zones},
        "subnets": {
            subnet.name: _subnet(segment.spot.purpose, segment.spot.zone, segment.spot.az, subnet)
            for segment, subnet in vpc.subnets()
        },
    }


def _subnet(purpose: Purpose, zone: str, az: str, subnet: Subnet) -> dict[str, Any]:
    return {
        "cidr_block": str(subnet.block),
        "availability_zone": az,
        "purpose": purpose.value,
        "trust_zone": zone or None,
        "ipv6_index": subnet.ipv6_index,
        "ipv6_cidr_block": str(subnet.ipv6) if subnet.ipv6 else None,
    }


def _body(values: Mapping[str, Any], depth: int) -> Iterator[str]:
    """The attributes of an object or a file; those that stand on one line are aligned as a group.

    At even depths the keys are ours, at odd ones somebody's names, which are quoted.
    """
    pad = "  " * depth
    group: list[tuple[str, str]] = []
    for place, (key, value) in enumerate(values.items()):
        name = _key(key, depth)
        if isinstance(value, Mapping) and any(isinstance(inner, Mapping) for inner in value.values()):
            yield from _aligned(group, pad)
            if place:
                yield ""
            group = []
            yield f"{pad}{name} = {{"
            yield from _body(value, depth + 1)
            yield f"{pad}}}"
        else:
            group.append((name, _flat(value, depth + 1)))
    yield from _aligned(group, pad)


def _key(key: str, depth: int) -> str:
    return key if depth % 2 == 0 else _text(key)


def _aligned(group: Sequence[tuple[str, str]], pad: str) -> Iterator[str]:
    width = max((len(name) for name, _ in group), default=0)
    for name, value in group:
        yield f"{pad}{name.ljust(width)} = {value}"


def _flat(value: Any, depth: int) -> str:
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return _text(value)
    if isinstance(value, Mapping):
        inside = ", ".join(f"{_key(key, depth)} = {_flat(inner, depth + 1)}" for key, inner in value.items())
        return f"{{ {inside} }}" if inside else "{}"
    if isinstance(value, Sequence):
        return "[" + ", ".join(_flat(item, depth) for item in value) + "]"
    return str(value)


def _text(words: str) -> str:
    """A quoted string of HCL: JSON's escapes, and templates switched off."""
    return json.dumps(words, ensure_ascii=False).replace("${", "$${").replace("%{", "%%{")

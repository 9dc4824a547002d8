"""The plan file: a plan as JSON text and back, byte for byte the same for the same plan.

The rule: a plan is written by `fig cidr plan` and by nobody else. Its digest covers everything in it, and a plan whose
digest does not fit is refused rather than mended, because a re-plan that believed a wrong block would move a right one.
"""

import hashlib
import json
from collections.abc import Iterator
from typing import Any

from .extent import Extent
from .values import Figure, FunctionPlace, Plan, Range, Room, Segment, Space, Use, Vpc, Zone

VERSION = 1
_WIDTH = 140
_DEEP = 3


def render(plan: Plan) -> str:
    """The text of the plan file."""
    body = to_json(plan)
    return _pretty({"version": VERSION, "digest": digest_of(body), **body}) + "\n"


def digest_of(body: dict[str, Any]) -> str:
    """The digest of a plan's JSON values, those of its head (version and digest) left out."""
    covered = {key: value for key, value in body.items() if key not in ("version", "digest")}
    text = json.dumps(covered, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return "sha256:" + hashlib.sha256(text.encode()).hexdigest()


def to_json(plan: Plan) -> dict[str, Any]:
    """The plan as JSON values, without version and digest; what is absent has no key."""
    return {
        "as_of": plan.as_of,
        "model": plan.model.value,
        **({"region": plan.region} if plan.region else {}),
        "azs": list(plan.azs),
        "growth": {"years": plan.years, "factor": plan.growth},
        "savings": {
            "used": plan.savings.used,
            "reserved": plan.savings.reserved,
            "one_vpc": plan.savings.one_vpc,
            "one_vpc_legacy": plan.savings.one_vpc_legacy,
        },
        "spaces": [_space(space) for space in plan.spaces],
        "vpcs": [_vpc(vpc) for vpc in plan.vpcs],
        "functions": {place.name: _function(place) for place in plan.functions},
        "limits": {figure.key: _figure(figure) for figure in plan.figures},
        "inputs": dict(sorted(plan.inputs.items())),
    }


def _space(space: Space) -> dict[str, Any]:
    return {
        "block": str(space.block),
        "routable": space.is_routable,
        "others": space.others,
        "free": _room(space.room),
        "occupied": list(space.occupied),
    }


def _room(room: Room) -> dict[str, Any]:
    largest = {} if room.largest is None else {"largest": f"/{room.largest}"}
    return {"addresses": room.addresses, **largest, "fragmentation": room.fragmentation}


def _vpc(vpc: Vpc) -> dict[str, Any]:
    return {
        "name": vpc.name,
        "kind": vpc.kind.value,
        **({"way": vpc.way} if vpc.way else {}),
        "cidrs": [str(block) for block in vpc.cidrs],
        "ranges": [_range(one) for one in vpc.ranges],
        **({"dual_stack": True} if vpc.is_dual_stack else {}),
        **({"ipv6": str(vpc.ipv6)} if vpc.ipv6 else {}),
        **({"others": [str(block) for block in vpc.others]} if vpc.others else {}),
        "free": _room(vpc.room),
        "endpoints": list(vpc.endpoints),
        "stock": dict(sorted(vpc.stock.items())),
        **({"zones": [_zone(zone) for zone in vpc.zones]} if vpc.zones else {}),
        "segments": [_segment(vpc, segment) for segment in vpc.segments],
    }


def _range(one: Range) -> dict[str, Any]:
    return {**_extent(one.extent), "routable": one.is_routable}


def _extent(extent: Extent) -> dict[str, Any]:
    reserve = {"reserve": str(extent.reserve)} if extent.reserve else {}
    return {"block": str(extent.block), "parts": [str(part) for part in extent.parts], **reserve}


def _zone(zone: Zone) -> dict[str, Any]:
    return {
        "name": zone.name,
        "security_group_sets": zone.security_group_sets,
        "enis": zone.enis,
        "functions": zone.functions,
    }


def _segment(vpc: Vpc, segment: Segment) -> dict[str, Any]:
    spot = segment.spot
    return {
        "purpose": spot.purpose.value,
        **({"zone": spot.zone} if spot.zone else {}),
        "az": spot.az,
        **({"number": spot.number} if spot.number > 1 else {}),
        "block": str(segment.extent.block),
        **({"reserve": str(segment.extent.reserve)} if segment.extent.reserve else {}),
        "needed": segment.needed,
        "uses": [_use(use) for use in segment.uses],
        "subnets": [
            {
                "name": subnet.name,
                "cidr": str(subnet.block),
                **({"ipv6_index": subnet.ipv6_index} if subnet.ipv6_index is not None else {}),
                **({"ipv6": str(subnet.ipv6)} if subnet.ipv6 else {}),
            }
            for subnet in vpc.subnets_of(segment)
        ],
    }


def _use(use: Use) -> dict[str, Any]:
    return {"what": use.what, "addresses": use.addresses}


def _function(place: FunctionPlace) -> dict[str, Any]:
    further = {"set": place.set_number} if place.set_number > 1 else {}
    return {"vpc": place.vpc, "zone": place.zone, **further, "azs": list(place.azs)}


def _figure(figure: Figure) -> dict[str, Any]:
    return {
        "value": figure.value,
        "unit": figure.unit,
        "kind": figure.kind,
        "as_of": figure.as_of,
        "source": figure.source,
    }


def _pretty(value: Any) -> str:
    return "".join(_lines(value, 0))


_encode = json.JSONEncoder(ensure_ascii=False).encode


def _lines(value: Any, depth: int) -> Iterator[str]:
    """JSON in which whatever fits stands on one line, so that a plan is read and reviewed row by row.

    Whatever has rows of its own and is not deep inside stands on several, however short it is.
    """
    if not isinstance(value, (dict, list)) or not value:
        yield _encode(value)
        return
    items = value.values() if isinstance(value, dict) else value
    has_rows = any(isinstance(item, dict) or (isinstance(item, list) and isinstance(value, list)) for item in items)
    if not has_rows or depth >= _DEEP:
        flat = _encode(value)
        if (isinstance(value, list) and not has_rows) or len(flat) + 2 * depth <= _WIDTH:
            yield flat
            return
    opening, closing = ("{", "}") if isinstance(value, dict) else ("[", "]")
    pad = "  " * (depth + 1)
    yield opening
    for place, (key, item) in enumerate(value.items() if isinstance(value, dict) else ((None, one) for one in value)):
        yield f"{',' if place else ''}\n{pad}"
        if key is not None:
            yield f"{_encode(key)}: "
        yield from _lines(item, depth + 1)
    yield f"\n{'  ' * depth}{closing}"

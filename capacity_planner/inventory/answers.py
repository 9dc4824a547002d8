"""AWS's answers as they come: objects by kind, each with its place, sound enough to be read.

They are what `aws ec2 describe-subnets` and its like print, and what boto3 returns: one form for files and accounts.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from strangler_fig.diagnostics import Diagnostic, Position

SHAPE = "AL112"

REQUIRED = {
    "Vpcs": ("VpcId",),
    "Subnets": ("SubnetId", "VpcId"),
    "RouteTables": ("RouteTableId", "VpcId"),
    "NetworkInterfaces": ("NetworkInterfaceId",),
    "VpcEndpoints": ("VpcEndpointId", "VpcId"),
    "VpcPeeringConnections": ("VpcPeeringConnectionId",),
    "NatGateways": ("NatGatewayId",),
    "TransitGatewayVpcAttachments": ("TransitGatewayAttachmentId", "VpcId"),
    "Functions": ("FunctionName",),
}
"""The lists that are read, by the key under which AWS answers them, and what each object must have."""

_REGION = re.compile(r"[a-z]{2}(?:-[a-z]+)+-[0-9]+")

Place = Callable[..., Position | None]
"""The position of a path inside an object; None where it came from no file."""


def nowhere(*_path: str | int) -> None:
    """The place of what came from no file."""
    return


@dataclass(frozen=True, slots=True)
class Item:
    """One object of an answer, where it stands, and whose it is as far as the caller knows."""

    data: Mapping[str, Any]
    place: Place = nowhere
    account: str = ""
    region: str = ""

    def text(self, key: str) -> str:
        """The text under a key; empty where there is none."""
        return text(self.data, key)


@dataclass(slots=True)
class Answers:
    """Objects by kind; a kind that nobody asked for is not there."""

    items: dict[str, list[Item]] = field(default_factory=dict)

    def of(self, kind: str) -> list[Item]:
        """The objects of a kind."""
        return self.items.get(kind, [])

    def has(self, kind: str) -> bool:
        """Whether a kind was answered."""
        return kind in self.items

    def add(
        self, kind: str, values: Any, *, place: Place = nowhere, account: str = "", region: str = ""
    ) -> Iterator[Diagnostic]:
        """Add the objects of one answer, of which there may be none; yield what is wrong with the others."""
        kept = self.items.setdefault(kind, [])
        if not isinstance(values, list):
            yield Diagnostic(code=SHAPE, message=f"{kind} must be a list", position=place())
            return
        for at, value in enumerate(values):
            missing = next((key for key in REQUIRED[kind] if not text(value, key)), None)
            if missing:
                message = f"an object of {kind} without {missing}"
                yield Diagnostic(code=SHAPE, message=message, position=place(at))
                continue

            def inside(*path: str | int, at: int = at) -> Position | None:
                return place(at, *path)

            kept.append(Item(value, inside, account, region or region_of(value)))


def text(value: Any, key: str) -> str:
    """The text under a key of an object; empty where there is none, or it is no object."""
    found = value.get(key) if isinstance(value, Mapping) else None
    return found if isinstance(found, str) else ""


def objects(value: Any) -> list[Mapping[str, Any]]:
    """The objects of a list; nothing where it is no list."""
    return [one for one in value if isinstance(one, Mapping)] if isinstance(value, list) else []


def name_of(value: Mapping[str, Any]) -> str:
    """The tag `Name` of an object."""
    return next((text(tag, "Value") for tag in objects(value.get("Tags")) if tag.get("Key") == "Name"), "")


def region_of(value: Mapping[str, Any]) -> str:
    """The Region that an object tells by its Availability Zone or ARN; empty where it does not."""
    arn = text(value, "FunctionArn").split(":")
    found = _REGION.match(arn[3] if len(arn) > 3 else text(value, "AvailabilityZone"))  # noqa: PLR2004 - arn:aws:lambda:region
    return found[0] if found else ""

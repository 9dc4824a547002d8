"""What AWS's answers say is in a VPC and in a Region: the counts that quotas are about.

The weights of network address units are the catalogue's; here things are counted, under the key of their weight.
Source: https://docs.aws.amazon.com/vpc/latest/userguide/network-address-usage.html.
"""

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping
from typing import Any

from .answers import Answers, Item, objects, text
from .values import RegionUse, VpcUse

_GONE = frozenset({"deleted", "deleting", "failed", "rejected", "expired"})
_INTERFACE_ENDPOINTS = frozenset({"Interface", "GatewayLoadBalancer"})
_BY_TYPE = {
    "network_load_balancer": "nau_nlb",
    "gateway_load_balancer": "nau_nlb",
    "vpc_endpoint": "nau_endpoint",
    "gateway_load_balancer_endpoint": "nau_endpoint",
}
_COUNTED_ELSEWHERE = {
    "nat_gateway": "NatGateways",
    "natGateway": "NatGateways",
    "transit_gateway": "TransitGatewayVpcAttachments",
}
_MOUNT_TARGET = "EFS mount target for "


def vpc_uses(answers: Answers) -> Iterator[VpcUse]:
    """What is in each VPC that an answer names."""
    subnets = vpc_of_subnets(answers)
    living: dict[tuple[str, str], list[Item]] = defaultdict(list)
    for kind in answers.items:
        for item in filter(_lives, answers.of(kind)):
            living[kind, vpc_of(item, subnets)].append(item)
    for vpc, item in _vpcs(answers).items():
        inside = _Inside(answers, living, vpc)
        yield VpcUse(
            vpc=vpc,
            account=item.account or item.text("OwnerId"),
            region=item.region,
            enis=inside.quota_enis(),
            interface_endpoints=inside.endpoints(_INTERFACE_ENDPOINTS),
            resource_endpoints=inside.endpoints(frozenset({"Resource"})),
            route_tables=len(inside.of("RouteTables")) if answers.has("RouteTables") else None,
            nau=inside.nau(),
            nau_is_whole=answers.has("NetworkInterfaces") and answers.has("Functions"),
            peers=tuple(inside.peers()),
        )


def regions(answers: Answers) -> Iterator[RegionUse]:
    """What is in each Region of each account; what tells no Region is left out."""
    where: dict[tuple[str, str], dict[str, list[Item]]] = defaultdict(lambda: defaultdict(list))
    vpcs = _vpcs(answers)
    for kind in ("Vpcs", "VpcEndpoints", "NetworkInterfaces"):
        for item in answers.of(kind):
            home = vpcs.get(item.text("VpcId"), item)
            owner = item.account or item.text("OwnerId") or home.account or home.text("OwnerId")
            if item.region or home.region:
                where[owner, item.region or home.region][kind].append(item)
    for (account, region), kinds in sorted(where.items()):
        zones = Counter(item.text("AvailabilityZone") for item in kinds["NetworkInterfaces"])
        gateways = sum(item.text("VpcEndpointType") == "Gateway" and _lives(item) for item in kinds["VpcEndpoints"])
        yield RegionUse(
            account=account,
            region=region,
            vpcs=len(kinds["Vpcs"]) if answers.has("Vpcs") else None,
            gateway_endpoints=gateways if answers.has("VpcEndpoints") else None,
            enis_by_az=dict(sorted(zones.items())) if answers.has("NetworkInterfaces") else None,
        )


def _vpcs(answers: Answers) -> dict[str, Item]:
    """Every VPC that is named, and the best that tells its account and Region: itself, else something inside."""
    found: dict[str, Item] = {}
    for kind in ("Vpcs", "Subnets", "NetworkInterfaces", "RouteTables", "VpcEndpoints", "TransitGatewayVpcAttachments"):
        for item in answers.of(kind):
            vpc = item.text("VpcId")
            before = found.get(vpc)
            if vpc and (before is None or (item.region and not before.region)):
                owner = before.account or before.text("OwnerId") if before else ""
                found[vpc] = Item(item.data, item.place, owner or item.account, item.region)
    return found


class _Inside:
    """The answers about one VPC; `living` has what lives by kind and VPC."""

    def __init__(self, answers: Answers, living: Mapping[tuple[str, str], list[Item]], vpc: str) -> None:
        self.answers = answers
        self.living = living
        self.vpc = vpc

    def of(self, kind: str) -> list[Item]:
        """The living objects of a kind in the VPC."""
        return self.living.get((kind, self.vpc), [])

    def quota_enis(self) -> int | None:
        """The ENIs that count towards Lambda's quota."""
        if not self.answers.has("NetworkInterfaces"):
            return None
        enis = self.of("NetworkInterfaces")
        return sum(item.text("InterfaceType") == "lambda" or _is_mount_target(item.data) for item in enis)

    def endpoints(self, types: frozenset[str]) -> int | None:
        """The VPC endpoints of some types."""
        if not self.answers.has("VpcEndpoints"):
            return None
        return sum(item.text("VpcEndpointType") in types for item in self.of("VpcEndpoints"))

    def nau(self) -> Mapping[str, int]:
        """How many of each thing with a weight."""
        counts: Counter[str] = Counter()
        elsewhere: Counter[str] = Counter()
        owners = self._owners()
        for item in self.of("NetworkInterfaces"):
            kind = owners.get(item.text("NetworkInterfaceId")) or item.text("InterfaceType")
            elsewhere[_COUNTED_ELSEWHERE.get(kind, "")] += 1
            for key, count in _weights(item.data, kind):
                counts[key] += count
        gateways, attachments = (
            len(self.of(kind)) if self.answers.has(kind) else elsewhere[kind]
            for kind in ("NatGateways", "TransitGatewayVpcAttachments")
        )
        counts["nau_nat_gateway"] += gateways
        counts["nau_transit_gateway_attachment"] += (
            attachments if self.answers.has("TransitGatewayVpcAttachments") else min(attachments, 1)
        )
        counts["nau_lambda_function"] += len(self.of("Functions"))
        return {key: count for key, count in sorted(counts.items()) if count}

    def _owners(self) -> dict[str, str]:
        """The type of the ENIs that endpoints and NAT gateways say are theirs."""
        owners: dict[str, str] = {}
        for item in self.of("VpcEndpoints"):
            given = item.data.get("NetworkInterfaceIds")
            owners |= {eni: "vpc_endpoint" for eni in given if isinstance(eni, str)} if isinstance(given, list) else {}
        for item in self.of("NatGateways"):
            for address in objects(item.data.get("NatGatewayAddresses")):
                owners[text(address, "NetworkInterfaceId")] = "nat_gateway"
        return owners

    def peers(self) -> Iterator[str]:
        """The VPCs that are peered with it in its Region."""
        for item in self.answers.of("VpcPeeringConnections"):
            sides = [item.data.get(key) for key in ("RequesterVpcInfo", "AccepterVpcInfo")]
            names = [text(side, "VpcId") for side in sides]
            is_active = text(item.data.get("Status"), "Code") == "active"
            if is_active and self.vpc in names and text(sides[0], "Region") == text(sides[1], "Region"):
                yield names[1 - names.index(self.vpc)]


def vpc_of_subnets(answers: Answers) -> dict[str, str]:
    """The VPC of each subnet."""
    return {item.text("SubnetId"): item.text("VpcId") for item in answers.of("Subnets")}


def vpc_of(item: Item, subnets: Mapping[str, str]) -> str:
    """The VPC that an object is in; a function's is that of its subnets, where those are known."""
    network = item.data.get("VpcConfig")
    given = network.get("SubnetIds") if isinstance(network, Mapping) else None
    first = given[0] if isinstance(given, list) and given else None
    known = subnets.get(first) if isinstance(first, str) else None
    return known or item.text("VpcId") or text(network, "VpcId")


def _lives(item: Item) -> bool:
    return item.text("State").lower() not in _GONE


def _is_mount_target(eni: Mapping[str, Any]) -> bool:
    return text(eni, "Description").startswith(_MOUNT_TARGET)


def _weights(eni: Mapping[str, Any], kind: str) -> Iterator[tuple[str, int]]:
    """What an ENI weighs; those of Lambda, NAT gateways and attachments are weighed as what they belong to."""
    if kind in _BY_TYPE:
        yield _BY_TYPE[kind], 1
    elif _is_mount_target(eni):
        yield "nau_efs_mount_target", 1
    elif kind != "lambda" and kind not in _COUNTED_ELSEWHERE:
        attachment = eni.get("Attachment")
        yield (
            "nau_address",
            max(len(objects(eni.get("PrivateIpAddresses"))), 1) + len(objects(eni.get("Ipv6Addresses"))),
        )
        yield "nau_eni_prefix", len(objects(eni.get("Ipv4Prefixes"))) + len(objects(eni.get("Ipv6Prefixes")))
        index = attachment.get("DeviceIndex") if isinstance(attachment, Mapping) else 0
        yield "nau_extra_eni", int(isinstance(index, int) and index > 0 and bool(text(attachment, "InstanceId")))

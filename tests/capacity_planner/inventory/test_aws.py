"""AWS's answers from files: each file alone, and all of them together."""

import json
from pathlib import Path
from typing import Any

from capacity_planner.checks.check import check
from capacity_planner.inventory.load import load
from capacity_planner.inventory.values import Inventory
from capacity_planner.limits.catalogue import load as load_limits

ENI = {"VpcId": "vpc-1", "AvailabilityZone": "eu-west-1a", "OwnerId": "123456789012"}


def eni(number: int, kind: str, **more: Any) -> dict[str, Any]:
    return {**ENI, "NetworkInterfaceId": f"eni-{number}", "InterfaceType": kind, **more}


ANSWERS: dict[str, list[dict[str, Any]]] = {
    "Vpcs": [
        {"VpcId": "vpc-1", "CidrBlock": "10.0.0.0/20", "OwnerId": "123456789012"},
        {"VpcId": "vpc-2", "CidrBlock": "10.1.0.0/20", "OwnerId": "123456789012"},
    ],
    "Subnets": [
        {
            "SubnetId": "subnet-1",
            "VpcId": "vpc-1",
            "CidrBlock": "10.0.0.0/24",
            "AvailabilityZone": "eu-west-1a",
            "AvailableIpAddressCount": 0,
            "Ipv6CidrBlockAssociationSet": [
                {"Ipv6CidrBlock": "2600:1f14::/64", "Ipv6CidrBlockState": {"State": "associated"}}
            ],
        }
    ],
    "RouteTables": [
        {
            "RouteTableId": "rtb-1",
            "VpcId": "vpc-1",
            "Routes": [
                {"DestinationCidrBlock": "10.0.0.0/20", "GatewayId": "local", "Origin": "CreateRouteTable"},
                {"DestinationCidrBlock": "10.9.0.0/24", "TransitGatewayId": "tgw-1", "Origin": "CreateRoute"},
                {"DestinationIpv6CidrBlock": "::/0", "EgressOnlyInternetGatewayId": "eigw-1", "Origin": "CreateRoute"},
                {"DestinationPrefixListId": "pl-1", "GatewayId": "vpce-1", "Origin": "CreateRoute"},
                {"DestinationCidrBlock": "10.8.0.0/24", "GatewayId": "vgw-1", "Origin": "EnableVgwRoutePropagation"},
            ],
        }
    ],
    "NetworkInterfaces": [
        eni(1, "lambda"),
        eni(2, "lambda"),
        eni(3, "interface", Description="EFS mount target for fs-1 (fsmt-1)"),
        eni(4, "network_load_balancer"),
        eni(5, "vpc_endpoint"),
        eni(6, "interface"),
        eni(7, "nat_gateway"),
        eni(8, "transit_gateway"),
        eni(9, "transit_gateway"),
        eni(
            10,
            "interface",
            Attachment={"InstanceId": "i-1", "DeviceIndex": 0},
            PrivateIpAddresses=[{"PrivateIpAddress": "10.0.0.9"}, {"PrivateIpAddress": "10.0.0.10"}],
            Ipv6Addresses=[{"Ipv6Address": "2600:1f14::9"}],
        ),
        eni(
            11,
            "interface",
            Attachment={"InstanceId": "i-1", "DeviceIndex": 1},
            PrivateIpAddresses=[{"PrivateIpAddress": "10.0.0.11"}],
            Ipv4Prefixes=[{"Ipv4Prefix": "10.0.0.16/28"}],
        ),
    ],
    "VpcEndpoints": [
        {
            "VpcEndpointId": "vpce-2",
            "VpcId": "vpc-1",
            "VpcEndpointType": "Interface",
            "State": "available",
            "NetworkInterfaceIds": ["eni-5", "eni-6"],
        },
        {"VpcEndpointId": "vpce-1", "VpcId": "vpc-1", "VpcEndpointType": "Gateway", "State": "available"},
        {"VpcEndpointId": "vpce-3", "VpcId": "vpc-1", "VpcEndpointType": "Interface", "State": "Deleted"},
    ],
    "VpcPeeringConnections": [
        {
            "VpcPeeringConnectionId": "pcx-1",
            "Status": {"Code": "active"},
            "RequesterVpcInfo": {"VpcId": "vpc-1", "Region": "eu-west-1"},
            "AccepterVpcInfo": {"VpcId": "vpc-2", "Region": "eu-west-1"},
        },
        {
            "VpcPeeringConnectionId": "pcx-2",
            "Status": {"Code": "active"},
            "RequesterVpcInfo": {"VpcId": "vpc-1", "Region": "eu-west-1"},
            "AccepterVpcInfo": {"VpcId": "vpc-9", "Region": "us-east-1"},
        },
    ],
    "NatGateways": [{"NatGatewayId": "nat-1", "VpcId": "vpc-1", "State": "available"}],
    "TransitGatewayVpcAttachments": [
        {"TransitGatewayAttachmentId": "tgw-attach-1", "VpcId": "vpc-1", "State": "available"}
    ],
    "Functions": [
        {
            "FunctionName": "orders",
            "FunctionArn": "arn:aws:lambda:eu-west-1:123456789012:function:orders",
            "MemorySize": 1536,
            "Timeout": 30,
            "VpcConfig": {"VpcId": "vpc-1", "SubnetIds": ["subnet-1"], "SecurityGroupIds": ["sg-1"]},
        }
    ],
}


def loaded(tmp_path: Path, *kinds: str) -> Inventory:
    paths = []
    for kind in kinds or ANSWERS:
        path = tmp_path / f"{kind}.json"
        path.write_text(json.dumps({kind: ANSWERS[kind]}), encoding="utf-8")
        paths.append(path)
    inventory, found = load(paths)
    assert found == ()
    return inventory


def test_all_answers_together_say_what_is_in_a_vpc(tmp_path: Path) -> None:
    """Each ENI is weighed as what it belongs to, and only Lambda's and file systems' count towards Lambda's quota."""
    inventory = loaded(tmp_path)
    use = next(one for one in inventory.vpcs if one.vpc == "vpc-1")
    assert use.nau == {
        "nau_address": 4,
        "nau_efs_mount_target": 1,
        "nau_endpoint": 2,
        "nau_eni_prefix": 1,
        "nau_extra_eni": 1,
        "nau_lambda_function": 1,
        "nau_nat_gateway": 1,
        "nau_nlb": 1,
        "nau_transit_gateway_attachment": 1,
    }
    assert (use.enis, use.interface_endpoints, use.resource_endpoints, use.route_tables) == (3, 1, 0, 1)
    assert (use.nau_is_whole, use.peers, use.account, use.region) == (True, ("vpc-2",), "123456789012", "eu-west-1")
    (table,) = inventory.route_tables
    assert (table.static, table.propagated) == (3, 1)
    assert [str(route.block) for route in table.routes] == ["10.9.0.0/24", "::/0", "10.8.0.0/24"]
    (region,) = [one for one in inventory.regions if one.region]
    assert (region.enis_by_az, region.gateway_endpoints) == ({"eu-west-1a": 11}, 1)
    (function,) = inventory.functions
    assert (function.vpc, function.memory_mb, function.account) == ("vpc-1", 1536, "123456789012")


def test_what_no_answer_says_stays_unknown(tmp_path: Path) -> None:
    """Of VPCs and subnets alone nobody knows ENIs, endpoints or weights."""
    use = loaded(tmp_path, "Vpcs", "Subnets").vpcs[0]
    assert (use.enis, use.interface_endpoints, use.route_tables, use.nau_is_whole) == (None, None, None, False)


def test_enis_alone_tell_of_gateways_and_attachments(tmp_path: Path) -> None:
    """Where gateways were not asked for, their ENIs stand for them, and all of an attachment's for one attachment."""
    use = loaded(tmp_path, "NetworkInterfaces").vpcs[0]
    assert use.nau["nau_nat_gateway"] == 1
    assert use.nau["nau_transit_gateway_attachment"] == 1
    assert "nau_lambda_function" not in use.nau
    assert not use.nau_is_whole


def test_rows_of_aws_are_deployed_and_know_their_places(tmp_path: Path) -> None:
    """A finding about a live subnet names the line of the answer that has it."""
    inventory = loaded(tmp_path)
    rows = inventory.allocations
    assert all(rows.deployed)
    report = check(inventory, load_limits())
    assert [(one.code, one.severity.value) for one in report.findings if one.code == "CK124"] == [("CK124", "warning")]
    assert str(rows.position(2)).startswith(str(tmp_path / "Subnets.json") + ":1:")

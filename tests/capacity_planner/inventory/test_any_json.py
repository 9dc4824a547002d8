"""JSON that has the right keys and anything below them: an inventory or findings, never a failure of ours."""

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from capacity_planner.checks.check import check
from capacity_planner.inventory.answers import REQUIRED
from capacity_planner.inventory.load import load
from capacity_planner.limits.catalogue import load as load_limits

KEYS = (  # noqa: SIM905 - a list of sixty lines says no more
    "cidr name vpc az purpose routable free enis nau peers routes static value code key as_of region "
    "account VpcId SubnetId CidrBlock CidrBlockAssociationSet CidrBlockState State "
    "Ipv6CidrBlockAssociationSet Ipv6CidrBlock Tags Key Value Routes DestinationCidrBlock Origin "
    "GatewayId RouteTableId NetworkInterfaceId InterfaceType Attachment InstanceId DeviceIndex "
    "PrivateIpAddresses VpcEndpointId VpcEndpointType NetworkInterfaceIds NatGatewayId "
    "NatGatewayAddresses TransitGatewayAttachmentId FunctionName FunctionArn VpcConfig SubnetIds "
    "SecurityGroupIds VpcPeeringConnectionId Status Code RequesterVpcInfo AccepterVpcInfo "
    "AvailabilityZone Description Concurrency "
).split()
OURS = ("allocations", "vpcs", "regions", "route_tables", "functions", "quotas", "digest", "version", "results")
TOPS = (*REQUIRED, *OURS)
WORDS = [
    "10.0.0.0/24",
    "10.0.0.1/24",
    "10.0.0.0/20",
    "vpc-1",
    "vpc",
    "lambda",
    "active",
    "associated",
    "eu-west-1a",
    "",
]
leaves = st.one_of(st.none(), st.booleans(), st.integers(-2, 9), st.floats(0, 1), st.sampled_from(WORDS))
values = st.recursive(
    leaves,
    lambda inner: st.one_of(
        st.lists(inner, max_size=3), st.dictionaries(st.sampled_from(KEYS), inner, min_size=1, max_size=5)
    ),
    max_leaves=6,
)
items = st.dictionaries(st.sampled_from(KEYS), values, max_size=5)
# objects that are let in: each has what its kind requires
sound = {kind: st.fixed_dictionaries({key: st.just("vpc-1") for key in keys}) for kind, keys in REQUIRED.items()}


@st.composite
def documents(draw: st.DrawFn) -> Any:
    if draw(st.booleans()):
        return draw(st.dictionaries(st.sampled_from(TOPS), st.one_of(values, st.lists(items, max_size=3)), max_size=4))
    answers: dict[str, Any] = {}
    for kind in draw(st.lists(st.sampled_from(list(REQUIRED)), max_size=4, unique=True)):
        answers[kind] = [{**draw(items), **draw(sound[kind])} for _one in range(draw(st.integers(1, 3)))]
    rows: list[Any] = draw(st.lists(items, max_size=3))
    return answers or rows


@settings(max_examples=80, suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture])
@given(documents())
def test_any_json_is_an_inventory_or_findings(tmp_path_factory: pytest.TempPathFactory, document: Any) -> None:
    """Whatever stands under the keys that are read, and the rules judge what was let in."""
    path: Path = tmp_path_factory.getbasetemp() / "any.json"
    path.write_text(json.dumps(document), encoding="utf-8")
    inventory, found = load([path])
    for one in found:
        assert one.message
        assert one.position is None or one.position.line == 1
    if not found:
        check(inventory, load_limits())

"""An account is read, against moto: the same calls as against AWS, and none that writes."""

import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import boto3
import botocore.client
import pytest
from botocore.exceptions import ClientError, EndpointConnectionError

from capacity_planner.checks.check import check
from capacity_planner.inventory.document import to_json
from capacity_planner.inventory.values import Inventory
from capacity_planner.limits.catalogue import load
from capacity_planner.live.account import QUOTAS, Reading, read
from capacity_planner.live.errors import AwsFailed
from capacity_planner.live.session import Session
from strangler_fig.diagnostics import Refused

from .conftest import NOW, REGION


@pytest.fixture(scope="module")
def session(account: dict[str, str]) -> Session:
    """One session for all tests: a client takes a second to make."""
    del account
    return Session(None, REGION)


def looked(session: Session, told: list[str] | None = None) -> Inventory:
    heard = told if told is not None else []
    return read(session, Reading(now=NOW, tell=heard.append))


def test_what_is_in_an_account_is_an_inventory(account: dict[str, str], session: Session) -> None:
    """Blocks in the order of association, routes, endpoints, functions with reserve and peak, and quotas."""
    told: list[str] = []
    inventory = looked(session, told)
    rows = [(str(row.block), row.name, row.vpc, row.az, row.purpose) for row in inventory.allocations.rows()]
    assert rows[:4] == [
        ("10.20.0.0/24", "hub", account["hub"], "", "vpc"),
        ("10.21.0.0/24", "hub", account["hub"], "", "vpc"),
        ("100.64.0.0/16", "spoke-1", account["spoke-1"], "", "vpc"),
        ("100.64.0.0/16", "spoke-2", account["spoke-2"], "", "vpc"),
    ]
    assert sorted(rows[4:]) == [
        ("10.20.0.0/27", "hub-a", account["hub"], f"{REGION}a", ""),
        ("10.21.0.0/27", "hub-b", account["hub"], f"{REGION}b", ""),
        ("100.64.0.0/20", "functions-a", account["spoke-1"], f"{REGION}a", ""),
        ("100.64.16.0/20", "functions-b", account["spoke-1"], f"{REGION}b", ""),
    ]
    uses = {use.vpc: use for use in inventory.vpcs}
    hub, spoke = uses[account["hub"]], uses[account["spoke-1"]]
    assert hub.nau == {"nau_nat_gateway": 1}
    assert spoke.nau == {"nau_address": 1, "nau_endpoint": 1, "nau_lambda_function": 1}
    assert (spoke.interface_endpoints, spoke.region, spoke.nau_is_whole) == (1, REGION, True)
    (table,) = [table for table in inventory.route_tables if table.name == account["table"]]
    assert (table.static, [str(route.block) for route in table.routes]) == (1, ["10.0.0.0/8"])
    (function,) = inventory.functions
    assert (function.name, function.memory_mb, function.timeout_seconds) == ("orders", 1536, 30)
    assert (function.reserved, function.peak, function.vpc) == (50, 310, account["spoke-1"])
    quotas = {quota.key: quota.value for quota in inventory.quotas}
    assert quotas["cidrs_per_vpc"] == 5
    assert quotas["nau_per_vpc"] == 64_000
    assert any("3 Vpcs" in line for line in told)


def test_a_live_account_is_judged_by_the_same_rules(account: dict[str, str], session: Session) -> None:
    """Two spokes with one block are as the layout makes them; a subnet that was made by hand twice is not."""
    assert not check(looked(session), load()).is_refused
    ec2: Any = boto3.client("ec2", region_name=REGION)
    added = ec2.associate_vpc_cidr_block(VpcId=account["spoke-2"], CidrBlock="10.20.0.0/24")
    report = check(looked(session), load())
    ec2.disassociate_vpc_cidr_block(AssociationId=added["CidrBlockAssociation"]["AssociationId"])
    assert [finding.code for finding in report.findings if finding.severity.value == "error"] == ["CK102"]


def test_nothing_that_writes_is_called(session: Session, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every call describes, lists or gets."""
    called: list[str] = []
    real = botocore.client.BaseClient._make_api_call  # noqa: SLF001 - the one place that sees every call

    def spy(self: Any, operation: str, arguments: Any) -> Any:
        called.append(operation)
        return real(self, operation, arguments)

    monkeypatch.setattr(botocore.client.BaseClient, "_make_api_call", spy)
    looked(session)
    assert called
    assert all(operation.startswith(("Describe", "List", "Get")) for operation in called), called


@contextmanager
def refusing(monkeypatch: pytest.MonkeyPatch, error: Exception, *operations: str) -> Iterator[None]:
    """Let some calls fail as AWS lets them fail."""
    real = botocore.client.BaseClient._make_api_call  # noqa: SLF001

    def refuse(self: Any, operation: str, arguments: Any) -> Any:
        if operation in operations:
            raise error
        return real(self, operation, arguments)

    with monkeypatch.context() as patch:
        patch.setattr(botocore.client.BaseClient, "_make_api_call", refuse)
        yield


def denied(operation: str, code: str = "UnauthorizedOperation") -> ClientError:
    return ClientError({"Error": {"Code": code, "Message": "You are not authorized"}}, operation)


def test_what_the_credentials_may_not_see_stays_unknown_and_is_told(
    account: dict[str, str], session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without the right to see ENIs, peaks and quotas, the rest is read, and no count is made up."""
    hidden = ("DescribeNetworkInterfaces", "GetMetricData", "GetServiceQuota", "GetFunctionConcurrency")
    told: list[str] = []
    with refusing(monkeypatch, denied("x"), *hidden):
        inventory = looked(session, told)
    use = next(use for use in inventory.vpcs if use.vpc == account["spoke-1"])
    assert (use.enis, use.nau_is_whole, inventory.quotas) == (None, False, ())
    (function,) = inventory.functions
    assert (function.peak, function.reserved) == (None, None)
    assert sum("not authorized" in line for line in told) == 4


@pytest.mark.parametrize(
    ("error", "message"),
    [
        (denied("DescribeVpcs"), "AWS refused ec2 describe_vpcs (eu-west-1): You are not authorized"),
        (denied("DescribeVpcs", "RequestExpired"), "sign in again"),
        (EndpointConnectionError(endpoint_url="https://ec2"), "AWS did not answer ec2 describe_vpcs"),
    ],
)
def test_an_account_that_does_not_answer_is_one_line(
    session: Session, monkeypatch: pytest.MonkeyPatch, error: Exception, message: str
) -> None:
    """Which call, where, and what to do next."""
    with refusing(monkeypatch, error, "DescribeVpcs"), pytest.raises(AwsFailed, match=re.escape(message)):
        looked(session)


def test_a_profile_or_a_region_that_is_not_there_is_refused(session: Session, monkeypatch: pytest.MonkeyPatch) -> None:
    """Before anything is asked."""
    del session  # it is there for the environment that it is made in
    with pytest.raises(Refused, match="no AWS profile 'nobody'"):
        Session("nobody", REGION)
    monkeypatch.delenv("AWS_DEFAULT_REGION")
    with pytest.raises(Refused, match="no Region"):
        Session(None, None)


def test_every_quota_is_one_that_the_catalogue_has() -> None:
    """A quota that nobody judges would be asked for in vain."""
    assert set(QUOTAS.values()) <= set(load())


def test_the_inventory_of_an_account_is_json(session: Session) -> None:
    """What `fig cidr import aws --format json` writes holds no ENI, no address and no tag but names."""
    text = json.dumps(to_json(looked(session), as_of="2026-11-25"))
    assert "eni-" not in text
    assert "Tags" not in text

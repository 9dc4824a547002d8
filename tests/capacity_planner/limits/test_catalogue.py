"""The shipped limits, and an account's own over them."""

import re
from pathlib import Path

import pytest

from capacity_planner.limits.catalogue import load
from capacity_planner.limits.overrides import read_overrides
from capacity_planner.limits.values import Kind
from strangler_fig.diagnostics import Refused

DATE = re.compile(r"[0-9]{4}(-[0-9]{2}(-[0-9]{2})?)?")


def findings(text: str) -> list[str]:
    limits, found = read_overrides(text, load(), file="own.yaml")
    assert (limits is None) == bool(found)
    return [str(one).splitlines()[0] for one in found]


@pytest.mark.parametrize("key", list(load()))
def test_every_limit_is_dated_and_has_a_source(key: str) -> None:
    """Every limit says its value, unit, scope, date and source; an assumption says why it is one."""
    limit = load()[key]
    assert limit.key == key
    assert limit.value >= 0
    assert limit.unit
    assert limit.scope
    assert limit.source
    assert DATE.fullmatch(limit.as_of)
    assert limit.note or limit.kind is not Kind.ASSUMPTION
    assert limit.adjustable_to is None or limit.kind is Kind.QUOTA


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("lambda_account_concurrency", 1_000),
        ("eni_per_vpc", 500),
        ("eni_connections", 65_000),
        ("dns_packets_per_eni", 1_024),
        ("nlb_connections_per_target", 55_000),
        ("linux_ephemeral_ports", 28_232),
        ("nau_per_vpc", 64_000),
        ("direct_connect_prefixes_in", 100),
    ],
)
def test_published_values(key: str, value: int) -> None:
    """The values are the published ones."""
    assert load()[key].value == value


def test_an_account_has_its_own_limits(tmp_path: Path) -> None:
    """A file gives an account's limits as bare numbers or with their source; the rest stays."""
    own = tmp_path / "limits.yaml"
    own.write_text(
        "version: 1\naccount: payments, eu-west-1\nlimits:\n  lambda_account_concurrency: 5000\n"
        "  eni_per_vpc:\n    value: 2000\n    as_of: 2026-10-01\n    source: ticket NET-1234\n"
    )
    limits = load(own)
    assert limits["lambda_account_concurrency"].value == 5_000
    assert limits["lambda_account_concurrency"].source == f"{own}:4:31"
    raised = limits["eni_per_vpc"]
    assert (raised.value, raised.as_of, raised.source, raised.overridden) == (
        2000,
        "2026-10-01",
        "ticket NET-1234",
        True,
    )
    assert limits["eni_connections"] == load()["eni_connections"]


def test_every_fault_of_an_overrides_file_is_found_at_once() -> None:
    """Each fault has its place, and none hides another."""
    text = """version: 2
owner: me
limits:
  eni_per_vcp: 12
  eni_per_vpc: many
  nau_per_vpc: -1
  eni_connections: 1.5
  lambda_timeout_seconds: .inf
  dns_packets_per_eni:
    value: 0
    as_of: yesterday
    sauce: x
"""
    assert findings(text) == [
        "own.yaml:1:10: LM101 error: version must be 1",
        "own.yaml:2:1: LM101 error: unknown key 'owner'",
        "own.yaml:4:3: LM102 error: no limit is called 'eni_per_vcp'",
        "own.yaml:5:16: LM103 error: eni_per_vpc must be a number of ENIs (found 'many')",
        "own.yaml:6:16: LM103 error: nau_per_vpc must be more than 0 (found -1)",
        "own.yaml:7:20: LM103 error: eni_connections must be a whole number of connections (found 1.5)",
        "own.yaml:8:27: LM103 error: lambda_timeout_seconds must be a number of s (found '.inf')",
        "own.yaml:10:12: LM103 error: dns_packets_per_eni must be more than 0 (found 0)",
        "own.yaml:11:12: LM104 error: 'yesterday' is not a date",
        "own.yaml:12:5: LM101 error: unknown key 'sauce'",
    ]


@pytest.mark.parametrize("text", ["[]", "version: 1\n", "version: 1\nlimits: 3\n", "", "version: 1\nlimits:\n - a\n"])
def test_what_is_no_overrides_file_is_refused(text: str) -> None:
    """A file of another shape is a finding, never a traceback."""
    assert findings(text)


def test_a_file_that_cannot_be_read_is_a_finding(tmp_path: Path) -> None:
    """A missing or binary file is refused with its name."""
    binary = tmp_path / "binary.yaml"
    binary.write_bytes(b"\xff\xfe\x00")
    for path in (tmp_path / "missing.yaml", binary):
        with pytest.raises(Refused, match=path.name):
            load(path)

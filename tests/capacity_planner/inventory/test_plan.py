"""A plan of the layout's is read as an inventory: the one place where the two meet."""

from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from capacity_planner.addresses.block import Block
from capacity_planner.allocations.values import Kind
from capacity_planner.checks.check import check
from capacity_planner.demand.network import Hub, NetworkPath, Proxies, Spoke
from capacity_planner.demand.values import Demand
from capacity_planner.inventory.load import load
from capacity_planner.layout import document
from capacity_planner.layout.values import Plan
from capacity_planner.limits.catalogue import load as load_limits
from capacity_planner.render.csv_rows import csv_text
from tests.capacity_planner.layout.estates import demand, function, plan


def estate(**more: object) -> Demand:
    path = NetworkPath(
        proxies=Proxies(per_az=2),
        hub=Hub(endpoints=("lambda", "logs"), nlbs=1, attachment=True),
        spoke=Spoke(endpoints=("on-premises", "sqs", "secretsmanager")),
    )
    functions = [function(f"f-{number}", zone=zone) for number, zone in enumerate(("cards", "lending", "cards"))]
    return demand(*functions, path=path, **more)  # type: ignore[arg-type] # the helper's own options


def written(laid_out: Plan, folder: Path) -> Path:
    path = folder / "plan.json"
    path.write_text(document.render(laid_out), encoding="utf-8")
    return path


def test_everything_in_a_plan_is_a_row_or_a_count(tmp_path: Path) -> None:
    """VPCs, subnets and reserves are rows with places; functions, endpoints and attachments are counted and weighed."""
    laid_out = plan(estate())
    path = written(laid_out, tmp_path)
    inventory, found = load([path], plans_only=True)
    assert found == ()
    rows = inventory.allocations
    given_blocks = {str(subnet.block) for vpc in laid_out.vpcs for _segment, subnet in vpc.subnets()}
    assert {str(rows.block(row)) for row in range(len(rows)) if rows.kind(row) is Kind.SUBNET} == given_blocks
    text = path.read_text(encoding="utf-8").split("\n")
    for row in range(len(rows)):
        place = rows.position(row)
        assert place is not None
        assert text[place.line - 1][place.column - 1 :].startswith(f'"{rows.block(row)}"')
    uses = {use.vpc: use for use in inventory.vpcs}
    hub = uses["hub"]
    spoke = next(use for name, use in uses.items() if name != hub.vpc)
    assert hub.interface_endpoints == 2
    assert hub.nau["nau_endpoint"] == 2 * 3
    assert hub.nau["nau_transit_gateway_attachment"] == 1
    assert hub.nau["nau_address"] > 0
    assert (spoke.interface_endpoints, spoke.nau["nau_endpoint"]) == (3, 3 * 3)
    assert spoke.nau["nau_lambda_function"] == 3
    assert spoke.enis is not None
    assert spoke.enis >= 2 * 3


def test_a_plan_and_its_own_csv_say_the_same(tmp_path: Path) -> None:
    """`fig cidr show --format csv` is read back as the same blocks, and keeps what the plan reserves."""
    laid_out = plan(estate())
    table = tmp_path / "plan.csv"
    table.write_text(csv_text(laid_out), encoding="utf-8")
    (from_plan, _), (from_csv, found) = load([written(laid_out, tmp_path)]), load([table])
    assert found == ()
    one, other = from_plan.allocations, from_csv.allocations
    assert sorted(zip(one.keys, one.purposes, one.routable, strict=True)) == sorted(
        zip(other.keys, other.purposes, other.routable, strict=True)
    )


@settings(max_examples=20)
@given(st.sampled_from(["10.20.0.0/16", "192.168.64.0/20", "10.20.0.0/22 10.30.0.0/23"]), st.integers(1, 40))
def test_what_the_layout_plans_the_checks_do_not_refuse(hub: str, count: int) -> None:
    """Whatever is laid out keeps every rule."""
    import tempfile  # noqa: PLC0415 - hypothesis and tmp_path do not go together

    functions = [function(f"f-{number}", rate=30 * number + 1) for number in range(count)]
    with tempfile.TemporaryDirectory() as folder:
        inventory, found = load([written(plan(demand(*functions, hub=hub)), Path(folder))])
    assert found == ()
    report = check(inventory, load_limits())
    assert not report.is_refused, report.findings
    assert report.overlaps == 0


def test_a_subnet_that_is_too_small_for_its_uses_is_found(tmp_path: Path) -> None:
    """What a segment needs is judged against what its subnets leave after AWS's five."""
    inventory, _found = load([written(plan(estate()), tmp_path)])
    row = next(row for row in inventory.needed if inventory.allocations.block(row) != Block.of("0.0.0.0/0"))
    inventory.needed[row] = inventory.allocations.block(row).size  # type: ignore[index] # a dict, seen as a mapping
    report = check(inventory, load_limits())
    assert [finding.code for finding in report.findings] == ["CK123"]

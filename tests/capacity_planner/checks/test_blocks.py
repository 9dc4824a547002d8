from itertools import combinations

from hypothesis import given
from hypothesis import strategies as st

from capacity_planner.addresses.block import Block
from capacity_planner.allocations.values import Allocations, Row
from capacity_planner.checks.check import check
from capacity_planner.inventory.values import Inventory, merged
from capacity_planner.limits.catalogue import load
from tests.capacity_planner.addresses.blocks import blocks_inside

from .networks import codes, judged, subnet, vpc


def block(text: str, name: str = "", purpose: str = "", routable: bool | None = None) -> Row:  # noqa: FBT001 - as a row has it
    return Row(block=Block.of(text), name=name, purpose=purpose, routable=routable)


@given(st.lists(blocks_inside(), max_size=25))
def test_a_plain_list_has_exactly_the_overlaps_of_comparing_all_pairs(blocks: list[Block]) -> None:
    """Every pair is counted, duplicates too, and each that is named is an error."""
    report = judged([Row(block=one, name=str(place)) for place, one in enumerate(blocks)])
    pairs = [(one, other) for one, other in combinations(blocks, 2) if one.overlaps(other)]
    assert report.overlaps == len(pairs)
    assert report.duplicates == sum(one == other for one, other in pairs)
    assert codes(report).count("CK101") == min(report.overlaps - report.duplicates, 100) or report.overlaps > 100
    assert report.is_refused == bool(pairs)


def test_pairs_are_named_up_to_the_limit_and_counted_beyond() -> None:
    """A thousand equal rows are half a million pairs, of which three are named."""
    rows = Allocations.of([block("10.0.0.0/24")] * 1000)
    report = check(Inventory(allocations=rows), load(), pairs=3)
    assert (report.overlaps, report.duplicates, len(report.findings)) == (499_500, 499_500, 3)


def test_a_subnet_inside_its_vpc_is_no_overlap_and_one_beside_it_is() -> None:
    """A VPC's block holds its subnets; two subnets of one VPC share nothing."""
    hub = vpc("hub", "10.0.0.0/20")
    assert codes(judged([*hub, subnet("hub", "10.0.0.0/24"), subnet("hub", "10.0.1.0/24")])) == []
    report = judged([*hub, subnet("hub", "10.0.0.0/24"), subnet("hub", "10.0.0.128/25")])
    assert codes(report) == ["CK101"]
    assert report.overlaps == 1


def test_a_subnet_of_another_vpc_in_ones_block_is_outside_of_its_own_and_an_overlap() -> None:
    """Two findings, as there are two faults."""
    report = judged([*vpc("a", "10.0.0.0/20"), *vpc("b", "10.1.0.0/20"), subnet("a", "10.1.3.0/24")])
    assert sorted(codes(report)) == ["CK101", "CK110"]


def test_what_is_not_routable_may_be_used_again_by_another_vpc() -> None:
    """Two spokes with 100.64.0.0/16 are what the layout makes; two routable ones are a clash."""
    spokes = [*vpc("a", "100.64.0.0/16", routable=False), *vpc("b", "100.64.0.0/16", routable=False)]
    assert codes(judged(spokes)) == []
    assert codes(judged([*spokes, *vpc("b", "100.64.4.0/24", routable=False)])) == ["CK101"]
    assert codes(judged([*vpc("a", "10.0.0.0/16"), *vpc("b", "10.0.0.0/16")])) == ["CK102"]


def test_shared_address_space_is_not_routable_unless_somebody_says_so() -> None:
    """Live VPCs do not tell; those in 100.64.0.0/10 are taken as spokes, those in 10.0.0.0/8 as routed."""
    unknown = [*vpc("a", "100.64.0.0/16", routable=None), *vpc("b", "100.64.0.0/16", routable=None)]
    assert codes(judged(unknown)) == []
    assert codes(judged([*vpc("a", "100.64.0.0/16"), *vpc("b", "100.64.0.0/16")])) == ["CK102"]
    assert codes(judged([*vpc("a", "10.0.0.0/16", routable=None), *vpc("b", "10.0.0.0/16", routable=None)])) == [
        "CK102"
    ]


def test_blocks_of_one_vpc_are_disjoint_whether_routable_or_not() -> None:
    """A routable and a non-routable block of the same VPC are in one VPC all the same."""
    rows = [*vpc("a", "10.0.0.0/20"), *vpc("a", "10.0.1.0/24", routable=False)]
    assert codes(judged(rows)) == ["CK101"]


def test_a_block_that_is_not_routable_hides_what_is() -> None:
    """A spoke in 10.0.0.0/16 cannot reach the company's 10.0.0.0/24: a warning that refuses nothing."""
    report = judged([*vpc("spoke", "10.0.0.0/16", routable=False), block("10.0.3.0/24", "office")])
    assert codes(report) == ["CK103"]
    assert not report.is_refused


def test_a_pool_holds_anything() -> None:
    """Space that others are taken from overlaps nothing."""
    assert codes(judged([block("10.0.0.0/8", purpose="pool"), block("10.0.0.0/24"), block("10.0.1.0/24")])) == []


def test_an_on_premises_prefix_around_a_vpc_is_meant_and_one_inside_is_lost() -> None:
    """The longer prefix wins: the VPC inside is reached, the network inside of a VPC is not."""
    assert codes(judged([*vpc("a", "10.1.0.0/16"), block("10.0.0.0/8", "dc", "on-premises")])) == []
    assert codes(judged([*vpc("a", "10.1.0.0/16"), block("10.1.7.0/24", "dc", "on-premises")])) == ["CK101"]
    hidden = judged([*vpc("a", "10.1.0.0/16", routable=False), block("10.1.7.0/24", "dc", "on-premises")])
    assert codes(hidden) == ["CK103"]


def test_subnets_of_a_vpc_without_a_block_are_told_once() -> None:
    """Where some VPCs are known and one is not, its subnets are not judged against a parent."""
    rows = [*vpc("a", "10.0.0.0/16"), subnet("b", "10.1.0.0/24"), subnet("b", "10.1.1.0/24")]
    report = judged(rows)
    assert codes(report) == ["CK111"]
    assert "2 subnets" in report.findings[0].message
    assert codes(judged(rows[1:])) == []


def test_a_plan_and_the_account_it_was_deployed_to_are_judged_together() -> None:
    """A deployed row with the planned one's block and name is that row; what is only planned is judged against it."""
    deployed = Inventory(
        allocations=Allocations.of(
            [
                Row(block=Block.of("10.0.0.0/20"), name="hub", vpc="vpc-1", purpose="vpc"),
                Row(block=Block.of("10.0.0.0/24"), name="hub-a", vpc="vpc-1"),
                Row(block=Block.of("10.0.1.0/24"), name="by hand", vpc="vpc-1"),
            ],
            deployed=True,
        )
    )
    rows = [*vpc("hub", "10.0.0.0/20"), subnet("hub", "10.0.0.0/24", "hub-a")]
    planned = Inventory(allocations=Allocations.of([*rows, subnet("hub", "10.0.1.0/25", "hub-b")]))
    report = check(merged([planned, deployed]), load())
    assert codes(report) == ["CK101"]
    assert "hub-b" in report.findings[0].message
    assert "by hand" in report.findings[0].message


def test_a_name_from_outside_cannot_write_over_the_terminal() -> None:
    """Escapes and line ends in a name are printed as what they are."""
    evil = "hub\x1b[2J\nlist.csv: 0 errors"
    rows = [*vpc(evil, "10.0.0.0/20"), subnet(evil, "10.1.0.0/24", evil), subnet(evil, "10.0.0.0/29", evil)]
    report = judged([*rows, *vpc(evil, "10.0.0.0/20")])
    assert len(report.findings) == 3
    for text in [*map(str, report.findings), *(verdict.scope for verdict in report.verdicts)]:
        assert "\x1b" not in text
        assert "\nlist" not in text

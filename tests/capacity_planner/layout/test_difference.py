"""What a difference of two plans says."""

from capacity_planner.layout.difference import Difference, Sign, difference
from capacity_planner.layout.plan import Outcome
from capacity_planner.layout.values import Plan
from tests.capacity_planner.layout.estates import demand, existing, function, outcome, plan
from tests.capacity_planner.layout.test_layout import proxies

FIRST = plan(demand(function("books"), path=proxies(4)))


def compared(found: Outcome, before: Plan = FIRST) -> Difference:
    assert found.plan is not None
    return difference(before, found.plan, found.reasons)


def lines(changes: Difference) -> dict[str, str]:
    return {one.what: f"{one.sign.value} {one.why}" for one in changes.blocks if one.sign is not Sign.KEEP}


def test_a_first_plan_adds_everything() -> None:
    """Without a plan before, each VPC, segment and function is added."""
    changes = difference(None, FIRST, {})
    assert {one.sign for one in (*changes.blocks, *changes.functions)} == {Sign.ADD}
    assert changes.count(Sign.ADD) == len(FIRST.vpcs) + sum(len(vpc.segments) for vpc in FIRST.vpcs)


def test_nothing_changed_says_so() -> None:
    """A plan compared with itself has no changes."""
    assert not difference(FIRST, FIRST, {}).has_changes


def test_growth_in_place_names_the_new_subnet_and_why() -> None:
    """What grew says by which subnet, what it needs, and what it had."""
    changes = compared(outcome(demand(function("books"), path=proxies(20)), previous=FIRST))
    assert lines(changes)["hub/proxies/eu-west-1a"] == ("~ grew in place by the subnet 10.20.0.32/27: needs 48, had 27")


def test_a_need_that_fits_is_no_change_and_is_said() -> None:
    """More addresses of those that are there change nothing to deploy."""
    changes = compared(outcome(demand(function("books"), path=proxies(5)), previous=FIRST))
    assert not changes.has_changes
    kept = {one.what: one.why for one in changes.blocks if one.why}
    assert kept["hub/proxies/eu-west-1a"] == "needs 18 (was 16) of 27 addresses"


def test_what_could_not_grow_in_place_says_why() -> None:
    """The segment is named with who stands in its reserve, and the further one with what it is for."""
    later = demand(function("books"), path=proxies(20))
    found = lines(compared(outcome(later, previous=FIRST, existing=existing("10.20.0.48/28"))))
    assert found["hub/proxies/eu-west-1a"] == (
        "~ needs 27 (was 16) of 27 addresses; 10.20.0.48/28 stands in its reserve"
    )
    assert found["hub/proxies/eu-west-1a/more-2"] == (
        "+ 21 of 27 addresses; the first could not grow in place: 10.20.0.48/28 stands in its reserve"
    )


def test_what_is_unused_stays_and_says_so() -> None:
    """A function that is gone leaves its zone's subnets, and is the only thing with a minus."""
    before = plan(demand(function("books"), function("risk", zone="risk"), path=proxies(4)))
    changes = compared(outcome(demand(function("books"), path=proxies(4)), previous=before), before)
    assert lines(changes) == {
        f"spoke-1/functions/risk/eu-west-1{az}": "~ no longer used: it stays" for az in ("a", "b", "c")
    }
    assert [one.what for one in changes.functions if one.sign is Sign.REMOVE] == ["risk"]


def test_a_further_spoke_says_which_one_is_full() -> None:
    """The line of a further VPC has the reason for it."""
    many = [function(f"f{number:02}", zone=f"zone-{number:02}") for number in range(67)]
    found = lines(compared(outcome(demand(*many), previous=FIRST)))
    assert found["spoke-2"] == "+ spoke-1 would have more than 200 subnets"


def test_a_hub_that_doubles_names_its_further_block() -> None:
    """The VPC's line says which block is to be associated."""
    found = lines(compared(outcome(demand(function("books"), path=proxies(30)), previous=FIRST)))
    assert found["hub"] == "~ takes 10.20.1.0/24 as a further block"

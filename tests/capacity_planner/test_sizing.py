"""Interfaces, addresses and prefixes against published figures, and how they behave for any workload."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from capacity_planner.interfaces import Model, hyperplane_enis, legacy_enis, legacy_enis_exact
from capacity_planner.size_lines import sections
from capacity_planner.sizing import Size, Workload, size, subnet_prefix, usable, vpc_prefix
from capacity_planner.spoke import enis_by_az, spoke_needs, subnet_loads

from .demands import AZS, LIMITS, demand, function, with_limits

LEGACY, HYPERPLANE = Model.LEGACY_2019, Model.HYPERPLANE

WORKLOADS = st.builds(
    Workload,
    memory_mb=st.integers(128, 10_240),
    azs=st.integers(2, 6),
    rate=st.floats(0.01, 200_000),
    duration=st.floats(0.001, 60),
    connections=st.integers(0, 1_024),
    sets=st.integers(1, 20),
)


@pytest.mark.parametrize(
    ("environments", "memory_mb", "enis"),
    [
        (10, 1_024, 4),  # newbetuts.com/936237
        (502, 1_536, 251),  # the talk of 2019: a full /24
        (503, 1_536, 252),
        (100, 2_048, 67),  # a much copied answer prints 80: 66.7 is 67
        (1_000, 1_536, 500),
        (1_000, 3_008, 980),
        (1_000, 128, 42),
        (1_500, 1_536, 750),
    ],
)
def test_the_formula_of_2019(environments: int, memory_mb: int, enis: int) -> None:
    """Peak concurrency times memory over 3 GB, rounded up."""
    assert legacy_enis(environments, memory_mb, LIMITS) == enis


def test_the_capacity_of_a_slash_16_in_2019() -> None:
    """Three /18 of 16,379 addresses carry 50,182 environments of 3,008 MB, and not one more."""
    addresses = 3 * usable(18, LIMITS)
    assert legacy_enis_exact(50_182, 3_008, LIMITS) <= addresses < legacy_enis_exact(50_183, 3_008, LIMITS)


@pytest.mark.parametrize(
    ("prefix", "addresses"),
    [
        *[(16, 65_531), (17, 32_763), (18, 16_379), (19, 8_187), (20, 4_091), (21, 2_043), (22, 1_019), (23, 507)],
        *[(24, 251), (25, 123), (26, 59), (27, 27), (28, 11)],
    ],
)
def test_usable_addresses(prefix: int, addresses: int) -> None:
    """AWS reserves five of each subnet; the answer is the smallest subnet that still fits."""
    assert usable(prefix, LIMITS) == addresses
    assert subnet_prefix(addresses, LIMITS) == prefix
    assert subnet_prefix(addresses + 1, LIMITS) == (prefix - 1 if prefix > 16 else None)


def test_29_addresses_need_a_slash_26() -> None:
    """A /27 has 27 for use, so 29 need the next larger one."""
    assert subnet_prefix(29, LIMITS) == 26


@pytest.mark.parametrize(("environments", "prefix"), [(502, 24), (503, 23)])
def test_the_talks_subnet(environments: int, prefix: int) -> None:
    """502 environments of 1.5 GB fill a /24 to the last address; one more needs a /23."""
    answer = size(Workload(memory_mb=1_536, azs=1, concurrency=environments), LIMITS, LEGACY)
    assert answer.median.all_azs.subnet_prefix == prefix
    assert answer.median.one_lost is None


def test_the_worked_path_by_both_models() -> None:
    """3,000/s of 0.5 s and 1.5 GB: 750 ENIs of 2019, 375 in a zone when one is lost; three of Hyperplane's."""
    workload = Workload(memory_mb=1_536, azs=3, rate=3_000, duration=0.5)
    legacy = size(workload, LIMITS, LEGACY).median
    assert (legacy.environments, legacy.ramp_seconds) == (1_500, 20)
    assert legacy.all_azs.legacy_enis == 750
    assert legacy.one_lost is not None
    assert legacy.one_lost.addresses_per_subnet == 375
    assert (legacy.one_lost.subnet_prefix, legacy.one_lost.vpc_prefix) == (23, 21)
    hyperplane = size(workload, LIMITS).median
    assert hyperplane.all_azs.hyperplane_enis == 3
    assert (hyperplane.all_azs.subnet_prefix, hyperplane.all_azs.vpc_prefix) == (28, 26)


def test_five_sets_just_fit_a_slash_28() -> None:
    """Five sets of security groups in three subnets: 15 ENIs, ten addresses each with renewal, of the eleven."""
    answer = size(Workload(memory_mb=1_536, rate=3_000, duration=0.5, connections=4, sets=5), LIMITS)
    assert answer.median.all_azs.hyperplane_enis == 15
    assert answer.median.all_azs.addresses_per_subnet == 10
    assert answer.median.all_azs.subnet_prefix == 28


def test_connections_beyond_one_eni() -> None:
    """10,000 environments of 20 connections: 66,667 in a subnet, two ENIs each, six in all; four when one is lost."""
    answer = size(Workload(memory_mb=512, concurrency=10_000, connections=20), LIMITS).median
    assert answer.all_azs.hyperplane_enis == 6
    assert answer.one_lost is not None
    assert answer.one_lost.hyperplane_enis == 4


@pytest.mark.parametrize(("subnets", "sets", "enis"), [(1, 2, 2), (2, 3, 6)])
def test_one_eni_for_each_subnet_and_set(subnets: int, sets: int, enis: int) -> None:
    """What a write-up of 2024 counts: one subnet and two groups make two ENIs, two and three make six."""
    answer = size(Workload(memory_mb=512, azs=subnets, concurrency=1, sets=sets), LIMITS)
    assert answer.median.all_azs.hyperplane_enis == enis


@pytest.mark.parametrize(("quota", "functions"), [(250, 83), (500, 166)])
def test_one_group_for_each_function_ends_the_quota(quota: int, functions: int) -> None:
    """With a group of its own in three subnets each function has three ENIs: the quota ends at 83, today at 166."""
    zones = [function(f"f{index}", trust_zone=f"z{index}") for index in range(functions + 1)]
    within, beyond = (
        sum(enis_by_az(subnet_loads(many, [(one, 1) for one in many.functions], 0, LIMITS)).values())
        for many in (demand(*zones[:-1]), demand(*zones))
    )
    assert within <= quota < beyond


def test_what_fits_no_subnet_is_said() -> None:
    """More addresses than a /16 has: no prefix, and no VPC."""
    answer = size(Workload(memory_mb=10_240, azs=1, concurrency=100_000), LIMITS, LEGACY).median.all_azs
    assert answer.subnet_prefix is None
    assert answer.vpc_prefix is None
    shown = sections(size(Workload(memory_mb=10_240, azs=1, concurrency=100_000), LIMITS, LEGACY), LIMITS)
    assert any("none: /16 is the largest" in line.result for section in shown for line in section.lines)


def test_three_large_subnets_need_several_blocks() -> None:
    """Three subnets of /16 are three blocks, as a VPC's block is at most a /16."""
    answer = size(Workload(memory_mb=3_072, azs=3, concurrency=150_000), LIMITS, LEGACY).median.all_azs
    assert (answer.subnet_prefix, answer.vpc_prefix, answer.vpc_blocks) == (16, None, 3)


def test_an_assumption_changes_the_count() -> None:
    """Whoever believes that Lambda adds ENIs at half of the connections says so, and gets twice as many."""
    assert hyperplane_enis(65_000, LIMITS) == 1
    assert hyperplane_enis(65_000, with_limits(eni_fill=0.5)) == 2


def test_neither_rate_nor_concurrency_is_no_workload() -> None:
    """Nothing is guessed."""
    with pytest.raises(ValueError, match="rate and duration"):
        size(Workload(memory_mb=512, rate=10), LIMITS)


@given(WORKLOADS, st.sampled_from(Model))
def test_a_subnet_never_needs_less_when_a_zone_is_lost(workload: Workload, model: Model) -> None:
    """What is left carries more."""
    answer = size(workload, LIMITS, model).median
    assert answer.one_lost is not None
    assert answer.one_lost.addresses_per_subnet >= answer.all_azs.addresses_per_subnet
    assert _prefix(answer.one_lost) <= _prefix(answer.all_azs)


@given(WORKLOADS, st.floats(1, 10), st.sampled_from(Model))
def test_more_of_anything_never_needs_less(workload: Workload, factor: float, model: Model) -> None:
    """Rates and durations that rise never make a subnet smaller."""
    before = size(workload, LIMITS, model).median.largest
    assert workload.rate is not None
    assert workload.duration is not None
    for changed in (
        _changed(workload, workload.rate * factor, workload.duration),
        _changed(workload, workload.rate, workload.duration * factor),
    ):
        after = size(changed, LIMITS, model).median.largest
        assert after.addresses_per_subnet >= before.addresses_per_subnet
        assert after.legacy_enis >= before.legacy_enis


@given(WORKLOADS, st.sampled_from(Model))
def test_the_smallest_subnet_fits_and_the_next_smaller_does_not(workload: Workload, model: Model) -> None:
    """The prefix is the longest that fits, and the VPC the smallest that holds all subnets."""
    one = size(workload, LIMITS, model).median.all_azs
    if one.subnet_prefix is None:
        assert one.addresses_per_subnet > usable(16, LIMITS)
        return
    assert one.addresses_per_subnet <= usable(one.subnet_prefix, LIMITS)
    assert one.subnet_prefix == 28 or one.addresses_per_subnet > usable(one.subnet_prefix + 1, LIMITS)
    if one.vpc_prefix is not None:
        held = 1 << (one.subnet_prefix - one.vpc_prefix)
        assert held >= workload.azs > held // 2


def test_all_functions_of_a_demand_share_their_subnets() -> None:
    """Two trust zones in three subnets: two ENIs each, four addresses with renewal, for any number of functions."""
    many = [function(f"f{index}", trust_zone=("shop", "bank")[index % 2]) for index in range(40)]
    needs = spoke_needs(demand(*many), LIMITS)
    assert [(one.az, one.enis, one.addresses) for one in needs] == [(az, 2, 4) for az in AZS]


def test_functions_in_some_zones_only() -> None:
    """A function whose subnets are in two zones counts there, and carries all in one when the other is lost."""
    two = function("two", rate=1_000, p50=1.0, connections=100, azs=AZS[:2])
    needs = {one.az: one.enis for one in spoke_needs(demand(two, function("all")), LIMITS)}
    assert needs == {"az-a": 2, "az-b": 2, "az-c": 1}


@given(st.integers(1, 64), st.integers(16, 28))
def test_a_vpc_holds_its_subnets(subnets: int, prefix: int) -> None:
    """The block has room for all subnets, and half of it has not."""
    room = 1 << (prefix - vpc_prefix(subnets, prefix))
    assert room >= subnets
    assert room // 2 < subnets


def _changed(workload: Workload, rate: float, duration: float) -> Workload:
    return Workload(
        memory_mb=workload.memory_mb,
        azs=workload.azs,
        rate=rate,
        duration=duration,
        connections=workload.connections,
        sets=workload.sets,
    )


def _prefix(one: Size) -> int:
    return 0 if one.subnet_prefix is None else one.subnet_prefix

"""How the verdict on the way behaves for any demand."""

import dataclasses
import inspect
import math
from collections.abc import Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from capacity_planner.demand.network import (
    Circuit,
    DirectConnect,
    Ingress,
    Nat,
    NetworkPath,
    Nlb,
    Proxies,
    Resolver,
    RouterPlace,
    Software,
    TransitGateway,
    Way,
)
from capacity_planner.demand.on_premises import Database, Service
from capacity_planner.demand.values import Demand, FunctionDemand, Payload
from capacity_planner.path import databases, endpoints, functions, hybrid, interfaces, nat, proxies, remedies
from capacity_planner.path.case import Case
from capacity_planner.path.evaluate import evaluate, needs
from capacity_planner.path.judge import Status, judge
from capacity_planner.path.measure import Basis, Kind
from capacity_planner.path.reservations import reservations, split

from ..demands import AZS, LIMITS, demand, function

MODULES = (databases, endpoints, functions, hybrid, interfaces, nat, proxies)
KINDS = [kind for module in MODULES for _name, kind in inspect.getmembers(module) if isinstance(kind, Kind)]

BYTES = st.integers(0, 200_000)
FEWER = settings(max_examples=40, deadline=None)  # each draws a whole demand


@st.composite
def demands(draw: st.DrawFn) -> Demand:
    """Demands of one to six functions over any way, with and without every part of the path."""
    many = [draw(_functions(f"f{index}")) for index in range(draw(st.integers(1, 6)))]
    circuits = tuple(
        Circuit(name=f"dx-{index}", gbps=draw(st.floats(0.05, 100)), used_share=draw(st.floats(0, 0.9)))
        for index in range(draw(st.integers(1, 3)))
    )
    path = NetworkPath(
        ingress=Ingress(router=draw(st.sampled_from(RouterPlace)), base64_share=draw(st.floats(0, 1))),
        nlb=Nlb(
            targets_per_az=draw(st.none() | st.integers(1, 40)),
            secondary_addresses=draw(st.integers(0, 7)),
            cross_zone=draw(st.booleans()),
        ),
        proxies=Proxies(software=draw(st.sampled_from(Software)), per_az=draw(st.none() | st.integers(1, 40))),
        nat=Nat(addresses=draw(st.integers(1, 8))),
        transit_gateway=TransitGateway(routes=draw(st.integers(0, 12_000))),
        direct_connect=draw(st.none() | st.just(DirectConnect(circuits=circuits))),
        resolver=draw(st.none() | st.builds(Resolver, addresses=st.integers(1, 6))),
    )
    return demand(
        *many,
        path=path,
        databases=(Database(name="core", sessions=draw(st.integers(1, 5_000)), share=draw(st.floats(0.1, 1))),),
        services=(Service(name="crm", endpoints=draw(st.integers(1, 4))),),
        sets=draw(st.integers(1, 3)),
        azs=AZS[: draw(st.integers(2, 3))],
    )


@st.composite
def _functions(draw: st.DrawFn, name: str) -> FunctionDemand:
    p50, slower, cut = draw(st.floats(0.001, 5)), draw(st.floats(1, 10)), draw(st.floats(1, 10))
    sessions = draw(st.integers(0, 3))
    return function(
        name,
        rate=draw(st.floats(0, 20_000)),
        p50=p50,
        p99=p50 * slower,
        timeout=p50 * slower * cut,
        trust_zone=draw(st.sampled_from(("shop", "bank"))),
        connections=sessions + draw(st.integers(0, 20)),
        new_connections_per_request=draw(st.sampled_from((0.0, 0.1, 1.0))),
        lookups_per_request=draw(st.floats(0, 5)),
        lookup_cache_share=draw(st.floats(0, 1)),
        ingress=Payload(request=draw(BYTES), response=draw(BYTES)),
        egress=Payload(request=draw(BYTES), response=draw(BYTES)),
        azs=draw(st.sampled_from(((), AZS[:2]))),
        database_sessions=(("core", sessions),) if sessions else (),
        services=draw(st.sampled_from(((), ("crm",)))),
        way=draw(st.sampled_from(Way)),
    )


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.code)
def test_every_kind_of_limit_has_remedies(kind: Kind) -> None:
    """Whatever may bind can be lifted somehow."""
    assert kind.code in remedies._REMEDIES  # noqa: SLF001 - the table itself is what is tested


def test_codes_are_unique() -> None:
    """A code names one kind."""
    assert len({kind.code for kind in KINDS}) == len(KINDS)


@FEWER
@given(demands())
def test_every_hop_is_judged_in_every_case(given_demand: Demand) -> None:
    """Each hop has all four cases, and what it says fits its status; what is exceeded comes first."""
    verdict = judge(given_demand, LIMITS)
    for one in verdict.hops:
        assert set(one.measures) == set(Case) or one.kind.basis is Basis.FIXED
        assert (one.status is Status.EXCEEDED) <= (one.utilisation > 1)
        assert (one.status in (Status.EXCEEDED, Status.NOTED)) <= bool(one.changes)
    order = [one.status is Status.EXCEEDED for one in verdict.hops]
    assert order == sorted(order, reverse=True)
    assert verdict.binding is verdict.hops[0]


@FEWER
@given(demands(), st.floats(1, 20))
def test_loads_never_fall_when_demand_rises(given_demand: Demand, factor: float) -> None:
    """Every load is monotone in the rates, in every case: so each limit breaks at one factor."""
    today, grown = evaluate(given_demand, LIMITS), evaluate(given_demand, LIMITS, factor=factor)
    for case in Case:
        before = {(one.kind.code, one.subject): one for one in today.measures(case)}
        after = {(one.kind.code, one.subject): one for one in grown.measures(case)}
        for key in before.keys() & after.keys():
            assert after[key].utilisation >= before[key].utilisation * (1 - 1e-9), key


@FEWER
@given(demands())
def test_slower_and_fewer_never_carries_more(given_demand: Demand) -> None:
    """Slow requests never weigh less than fast ones, and what is left never carries less than all did."""
    today = evaluate(given_demand, LIMITS)
    found = {case: {(one.kind.code, one.subject): one for one in today.measures(case)} for case in Case}
    for key, median in found[Case.MEDIAN].items():
        assert found[Case.TAIL][key].utilisation >= median.utilisation * (1 - 1e-9), key
        if median.kind is not interfaces.QUOTA:
            assert found[Case.MEDIAN_LOST][key].utilisation >= median.utilisation * (1 - 1e-9), key


@FEWER
@given(demands())
def test_what_is_needed_suffices(given_demand: Demand) -> None:
    """With the proxies and targets that the planner asks for, none of their limits is exceeded."""
    path = given_demand.path
    open_counts = dataclasses.replace(
        path,
        proxies=dataclasses.replace(path.proxies, per_az=None),
        nlb=dataclasses.replace(path.nlb, targets_per_az=None),
    )
    verdict = judge(dataclasses.replace(given_demand, path=open_counts), LIMITS)
    codes = {one.kind.code for one in verdict.exceeded if math.isfinite(one.utilisation)}
    assert not codes & {"proxy-ports", "proxy-connections", "proxy-memory", "proxy-bandwidth"}
    assert not codes & {"nlb-connections", "nlb-new-connections"}


@FEWER
@given(demands())
def test_one_proxy_less_does_not_suffice(given_demand: Demand) -> None:
    """The number of proxies is the smallest."""
    needed = needs(given_demand, LIMITS).proxies_per_az
    if needed == 1:
        return
    fewer = dataclasses.replace(given_demand.path.proxies, per_az=needed - 1)
    verdict = judge(
        dataclasses.replace(given_demand, path=dataclasses.replace(given_demand.path, proxies=fewer)), LIMITS
    )
    assert any(one.kind.hop == "proxies" for one in verdict.exceeded)


HOLDERS = st.lists(st.tuples(st.integers(0, 3_000), st.integers(1, 5)), min_size=1, max_size=12)


@given(st.integers(0, 5_000), HOLDERS)
def test_shares_of_a_database_never_exceed_it(budget: int, holders: Sequence[tuple[int, int]]) -> None:
    """All functions together hold at most the budget, and nothing that anybody could use is left over."""
    shares = split(budget, holders)
    held = sum(share * sessions for share, (_needed, sessions) in zip(shares, holders, strict=True))
    assert held <= budget
    assert all(share == 0 for share, (needed, _sessions) in zip(shares, holders, strict=True) if needed == 0)
    users = [sessions for needed, sessions in holders if needed]
    if users and len(set(users)) == 1:
        assert budget - held < users[0]


@given(st.integers(1, 5_000), HOLDERS)
def test_shares_follow_the_demand(budget: int, holders: Sequence[tuple[int, int]]) -> None:
    """Who needs more is never given less."""
    equal = [(needed, 1) for needed, _sessions in holders]
    shares = split(budget, equal)
    for (one, _), share in zip(equal, shares, strict=True):
        for (other, _), theirs in zip(equal, shares, strict=True):
            assert one <= other or share >= theirs


def test_a_database_that_nothing_can_exhaust_needs_no_protection() -> None:
    """Even at the timeout ten environments hold ten of a hundred sessions."""
    one = function(rate=1, p50=0.1, timeout=10.0, p99=1.0, database_sessions=(("core", 1),))
    assert reservations(demand(one, databases=(Database(name="core", sessions=100),)), LIMITS) == ()
    assert reservations(demand(one, databases=(Database(name="core", sessions=9),)), LIMITS)[0].reserved == 9

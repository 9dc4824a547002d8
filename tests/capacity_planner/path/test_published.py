"""The way to on-premises against worked examples, each with its source."""

import dataclasses

import pytest

from capacity_planner.demand.network import (
    Circuit,
    DirectConnect,
    Ingress,
    Nat,
    NetworkPath,
    Nlb,
    Proxies,
    RouterPlace,
    Software,
    TransitGateway,
    Way,
)
from capacity_planner.demand.on_premises import Database, Service
from capacity_planner.demand.values import Demand, FunctionDemand, Payload
from capacity_planner.limits.values import Limits
from capacity_planner.path.case import Case
from capacity_planner.path.evaluate import needs
from capacity_planner.path.judge import Hop, PathVerdict, Status, judge

from ..demands import AZS, LIMITS, demand, function, with_limits

NO_OVERHEAD = with_limits(wire_overhead=0, event_overhead_bytes=0)


def hop(verdict: PathVerdict, code: str, subject: str = "") -> Hop:
    (found,) = (one for one in verdict.hops if one.kind.code == code and one.subject == subject)
    return found


def loads(of: Demand, code: str, subject: str = "", limits: Limits = LIMITS) -> tuple[float, float, float, float]:
    """Load and capacity with all zones, and with one lost."""
    found = hop(judge(of, limits), code, subject).measures
    all_azs, lost = found[Case.MEDIAN], found[Case.MEDIAN_LOST]
    return all_azs.load, all_azs.capacity, lost.load, lost.capacity


def worked_path() -> Demand:
    """3,000/s of 0.5 s and 1.5 GB over three zones, five sets of security groups, one of them with all the traffic.

    Four connections in an environment, a new one upstream for each request, one IP and port on-premises, Oracle with
    1,000 processes of which 40 % are for functions, one look-up for each request that no cache answers.
    """
    worked = function(
        "worked",
        rate=3_000,
        p50=0.5,
        trust_zone="zone-0",
        connections=4,
        new_connections_per_request=1,
        lookups_per_request=1,
        database_sessions=(("core", 1),),
    )
    idle = [function(f"idle-{index}", rate=0, trust_zone=f"zone-{index}") for index in range(1, 5)]
    core = Database(name="core", sessions=1_000, share=0.4)
    return demand(dataclasses.replace(worked, memory_mb=1_536), *idle, databases=(core,))


def test_the_worked_path_is_bound_by_the_database() -> None:
    """1,500 sessions against 400: the database is named first, with the reserved concurrency that protects it."""
    verdict = judge(worked_path(), LIMITS)
    assert (verdict.binding.kind.code, verdict.binding.subject) == ("database-sessions", "core")
    assert (verdict.binding.reading.load, verdict.binding.reading.capacity) == (1_500, 400)
    (protection,) = verdict.reservations
    assert (protection.function, protection.reserved) == ("worked", 400)
    assert "reserve 400 for worked" in verdict.binding.changes[0]


def test_the_worked_path_exceeds_the_account_and_dns() -> None:
    """1,500 of the account's 1,000; 6,000 packets a second are 5.9 ENIs' worth, and one set has three."""
    verdict = judge(worked_path(), LIMITS)
    exceeded = {one.kind.code: one.measures[Case.MEDIAN] for one in verdict.exceeded}
    assert set(exceeded) == {"database-sessions", "account-concurrency", "dns-packets"}
    assert (exceeded["account-concurrency"].load, exceeded["account-concurrency"].capacity) == (1_500, 1_000)
    assert exceeded["dns-packets"].load * 3 == 6_000
    (sets,) = (one for one in verdict.sets if one.trust_zone == "zone-0")
    assert (sets.by_dns, sets.by_connections, sets.needed) == (3, 1, 3)


def test_the_worked_path_has_15_enis() -> None:
    """Five sets in three subnets, of 500."""
    assert loads(worked_path(), "eni-quota") == (15, 500, 10, 500)


def test_the_worked_path_needs_four_proxies_and_two_targets_in_a_zone() -> None:
    """3,000 / 470.5 = 6.4 proxies in all with one zone lost: four in each; 90,000 a minute and zone: two targets."""
    found = needs(worked_path(), LIMITS)
    assert (found.proxies_per_az, found.proxies_because) == (4, "proxy-ports")
    assert (found.targets_per_az, found.targets_because) == (2, "nlb-new-connections")


@pytest.mark.parametrize(
    ("rate", "ports", "wait", "holds"),
    [
        # NANOG, 2012-12-05, "TCP time_wait and port exhaustion for servers"
        (500, 30_000, 60, True),
        (550, 30_000, 60, False),
        (1_500, 30_000, 20, True),
        (3_000, 60_000, 20, True),
        # 4,096 ports (1024-5119) at 60 s are 68.3 a second: Peterson and Davie, Computer Networks, chapter 5, exercise
        (68, 4_096, 60, True),
        (69, 4_096, 60, False),
        # Linux's defaults: 28,232 / 60 = 470
        (470, None, None, True),
        (471, None, None, False),
    ],
)
def test_ports_of_one_proxy_to_one_destination(
    rate: float, ports: int | None, wait: float | None, *, holds: bool
) -> None:
    """A closed connection's port rests for TIME_WAIT: so many new connections a second can one address make."""
    proxies = Proxies(per_az=1, ports=ports, time_wait_seconds=wait)
    one = function(rate=rate, p50=0.001, connections=0, new_connections_per_request=1, services=("mainframe",))
    few = demand(one, azs=("az-a",), path=NetworkPath(proxies=proxies), services=(Service(name="mainframe"),))
    found = hop(judge(few, LIMITS), "proxy-ports", "mainframe")
    assert (found.status is not Status.EXCEEDED) == holds


@pytest.mark.parametrize(("secondary", "lost", "targets"), [(0, 0, 7), (1, 0, 4), (0, 1, 10)])
def test_a_million_connections_over_three_zones(secondary: int, lost: int, targets: int) -> None:
    """333,334 in a zone at 55,000 a target: seven; four with a secondary address; ten when a zone is lost."""
    one = function(rate=1_000_000, p50=1.0, services=("mainframe",))
    path = NetworkPath(nlb=Nlb(secondary_addresses=secondary))
    many = demand(one, path=path, services=(Service(name="mainframe"),), lost_azs=lost)
    assert needs(many, LIMITS).targets_per_az == targets


def test_stripe_at_the_resolvers_limit() -> None:
    """257,430 packets in a minute towards the resolver, of which about 1,023 a second were answered (Stripe, 2024)."""
    one = function(rate=257_430 / 60 / 2, p50=0.01, lookups_per_request=1)
    load, capacity, _load, _capacity = loads(demand(one, azs=("az-a",)), "dns-packets", "shop")
    assert load == pytest.approx(4_290.5)
    assert capacity == 1_024
    assert pytest.approx(capacity, rel=0.01) == 61_385 / 60


def test_provisioned_environments_against_fifty_connections() -> None:
    """100 environments of one connection each broke a database of 50 (distributedjava.com)."""
    one = function(rate=100, p50=1.0, database_sessions=(("rds", 1),))
    load, capacity, *_lost = loads(
        demand(one, databases=(Database(name="rds", sessions=50),)), "database-sessions", "rds"
    )
    assert (load, capacity) == (100, 50)


def test_nat_gateways_ports() -> None:
    """55,000 connections for each address and destination, 440,000 with eight (VPC User Guide, NAT gateways)."""
    one = function(rate=55_000, p50=1.0, way=Way.NAT, services=("mainframe",))
    for addresses, capacity in ((1, 55_000), (8, 440_000)):
        path = NetworkPath(nat=Nat(addresses=addresses), transit_gateway=TransitGateway())
        few = demand(one, azs=("az-a",), path=path, services=(Service(name="mainframe"),))
        assert loads(few, "nat-ports", "mainframe")[:2] == (55_000, capacity)


def test_envoys_default_circuit_breaker() -> None:
    """One Envoy opens 1,024 connections to a cluster unless told otherwise (envoyproxy/envoy#33723)."""
    one = function(rate=1_025, p50=1.0, services=("mainframe",))
    path = NetworkPath(proxies=Proxies(per_az=1, software=Software.ENVOY))
    few = demand(one, azs=("az-a",), path=path, services=(Service(name="mainframe"),))
    found = hop(judge(few, LIMITS), "proxy-connections", "mainframe")
    assert (found.reading.load, found.reading.capacity, found.status) == (1_025, 1_024, Status.EXCEEDED)
    assert found.changes[0] == "raise the proxies' max_connections to 1,025"


def circuits(*gbps: float) -> DirectConnect:
    return DirectConnect(circuits=tuple(Circuit(name=f"dx-{index}", gbps=one) for index, one in enumerate(gbps)))


def carrying(router: RouterPlace, base64_share: float) -> Demand:
    """1,000 requests a second of 3,000 bytes, answered by 6,000; 1,500 asked of a database that answers 4,500."""
    one: FunctionDemand = function(
        rate=1_000,
        p50=0.01,
        services=("mainframe",),
        ingress=Payload(request=3_000, response=6_000),
        egress=Payload(request=1_500, response=4_500),
    )
    path = NetworkPath(ingress=Ingress(router=router, base64_share=base64_share), direct_connect=circuits(1.0, 1.0))
    return demand(one, path=path, services=(Service(name="mainframe"),))


def test_the_ingress_leg_shares_the_circuit() -> None:
    """To AWS: 3,000 + a third + 4,500 bytes; to on-premises: 6,000 + a third + 1,500; the larger direction counts."""
    load, capacity, lost_load, lost_capacity = loads(
        carrying(RouterPlace.ON_PREMISES, 1.0), "direct-connect-bandwidth", limits=NO_OVERHEAD
    )
    assert load == pytest.approx(1_000 * (8_000 + 1_500) * 8 / 1e9)
    assert (capacity, lost_capacity) == (2.0, 1.0)
    assert lost_load == load


def test_text_is_not_encoded() -> None:
    """Without binary bodies nothing grows."""
    load, *_rest = loads(carrying(RouterPlace.ON_PREMISES, 0.0), "direct-connect-bandwidth", limits=NO_OVERHEAD)
    assert load == pytest.approx(1_000 * 7_500 * 8 / 1e9)


def test_a_router_in_the_hub_turns_legacys_traffic_round() -> None:
    """What legacy answers crosses twice: 9,000 bytes in each direction; events are made behind the circuit."""
    hairpin, *_rest = loads(carrying(RouterPlace.HUB, 1.0), "direct-connect-hairpin", limits=NO_OVERHEAD)
    assert hairpin == pytest.approx(1_000 * 9_000 * 8 / 1e9)
    plain, *_rest = loads(carrying(RouterPlace.HUB, 1.0), "direct-connect-bandwidth", limits=NO_OVERHEAD)
    assert plain == pytest.approx(1_000 * 7_500 * 8 / 1e9)
    codes = {one.kind.code for one in judge(carrying(RouterPlace.ON_PREMISES, 1.0), LIMITS).hops}
    assert "direct-connect-hairpin" not in codes


def test_the_lambda_endpoint_carries_events() -> None:
    """Each zone's share of requests and answers, encoded."""
    load, capacity, lost, _capacity = loads(
        carrying(RouterPlace.HUB, 1.0), "lambda-endpoint-bandwidth", limits=NO_OVERHEAD
    )
    assert load == pytest.approx(1_000 * 12_000 * 8 / 1e9 / 3)
    assert lost == pytest.approx(load * 3 / 2)
    assert capacity == 100


def test_one_circuit_only_is_said() -> None:
    """Nothing carries the traffic while the one circuit is lost."""
    single = demand(function(), path=NetworkPath(direct_connect=circuits(10.0)))
    assert judge(single, LIMITS).single_circuit
    assert not judge(carrying(RouterPlace.HUB, 1.0), LIMITS).single_circuit


def test_bgp_goes_down_beyond_its_prefixes() -> None:
    """101 prefixes are one too many, whatever the traffic, and so they bind before anything that only grows."""
    advertised = dataclasses.replace(circuits(10.0, 10.0), prefixes_in=101)
    verdict = judge(demand(function(), path=NetworkPath(direct_connect=advertised)), LIMITS)
    assert verdict.binding.kind.code == "direct-connect-prefixes-in"
    assert verdict.binding.changes == ("summarise to 100 prefixes or fewer, or ask AWS for up to 1,000",)


def test_what_is_only_assumed_is_noted_and_does_not_refuse() -> None:
    """New connections of an ENI have no published limit: beyond the assumed one the hop is noted."""
    one = function(rate=3_000, p50=0.01, new_connections_per_request=1)
    verdict = judge(demand(one), LIMITS)
    found = hop(verdict, "eni-new-connections", "shop")
    assert found.status is Status.NOTED
    assert found.limit.is_assumption
    assert found not in verdict.exceeded


@pytest.mark.parametrize(("reserved", "others", "load", "capacity"), [(300, 200, 200, 700), (None, 200, 400, 1_000)])
def test_reservations_leave_less_to_others(reserved: int | None, others: int, load: int, capacity: int) -> None:
    """What is reserved is taken from the account, used or not."""
    two = demand(function("one", rate=200, p50=1.0, reserved=reserved), function("two", rate=others, p50=1.0))
    assert loads(two, "account-concurrency")[:2] == (load, capacity)


def test_a_function_beyond_its_reservation_is_throttled() -> None:
    """It keeps the database safe and its own hop exceeded; 901 reserved in all leave too little to the rest."""
    one = function(rate=1_000, p50=1.0, reserved=901, database_sessions=(("core", 1),))
    verdict = judge(demand(one, databases=(Database(name="core", sessions=1_000),)), LIMITS)
    assert hop(verdict, "function-reserved", "books").status is Status.EXCEEDED
    assert hop(verdict, "database-sessions", "core").reading.load == 901
    assert hop(verdict, "reserved-concurrency").reading.capacity == 900
    assert hop(verdict, "reserved-concurrency").status is Status.EXCEEDED


def test_functions_in_two_zones_load_these() -> None:
    """The busiest zone counts: 55,000 connections of two zones, and all of them in one when the other is lost."""
    one = function(rate=55_000, p50=1.0, azs=AZS[:2], services=("mainframe",))
    path = NetworkPath(proxies=Proxies(per_az=1))
    few = demand(one, path=path, services=(Service(name="mainframe"),))
    assert loads(few, "nlb-connections", "endpoint") == (27_500, 55_000, 55_000, 55_000)

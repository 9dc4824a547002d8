"""Demands for the layout's tests: written out, and drawn at random in spaces where something gets scarce."""

from dataclasses import replace

from hypothesis import strategies as st

from capacity_planner.addresses.block import Block
from capacity_planner.demand.network import Hub, NetworkPath, Nlb, Proxies, Spoke, Way
from capacity_planner.demand.values import Account, Demand, Durations, FunctionDemand, Growth, Spaces, TrustZone
from capacity_planner.interfaces import Model
from capacity_planner.layout.plan import Existing, Outcome, Request, lay_out
from capacity_planner.layout.values import Plan
from capacity_planner.limits.catalogue import shipped

AZS = ("eu-west-1a", "eu-west-1b", "eu-west-1c")
AS_OF = "2026-11-25"
ZONES = ("cards", "lending", "payments")


def function(
    name: str, *, rate: float = 50, zone: str = "cards", connections: int = 4, **more: object
) -> FunctionDemand:
    one = FunctionDemand(
        name=name,
        rate=rate,
        durations=Durations(p50=0.05, p99=0.5, timeout=3),
        memory_mb=1_536,
        trust_zone=zone,
        connections=connections,
    )
    return replace(one, **more)  # type: ignore[arg-type] # the fields of the value, by name


def demand(
    *functions: FunctionDemand,
    hub: str = "10.20.0.0/16",
    spoke: str = "100.64.0.0/10",
    path: NetworkPath | None = None,
    sets: int = 1,
) -> Demand:
    given = functions or (function("books"),)
    return Demand(
        account=Account(azs=AZS, region="eu-west-1"),
        functions=tuple(sorted(given, key=lambda one: one.name)),
        zones=tuple(TrustZone(name=name, sets=sets) for name in sorted({one.trust_zone for one in given})),
        spaces=Spaces(
            spoke=tuple(Block.of(one) for one in spoke.split()), hub=tuple(Block.of(one) for one in hub.split())
        ),
        path=path or NetworkPath(proxies=Proxies(per_az=2)),
    )


def outcome(
    given: Demand, *, existing: tuple[Existing, ...] = (), previous: Plan | None = None, model: Model = Model.HYPERPLANE
) -> Outcome:
    request = Request(demand=given, limits=shipped(), as_of=AS_OF, existing=existing, previous=previous, model=model)
    return lay_out(request)


def plan(
    given: Demand, *, existing: tuple[Existing, ...] = (), previous: Plan | None = None, model: Model = Model.HYPERPLANE
) -> Plan:
    found = outcome(given, existing=existing, previous=previous, model=model)
    assert found.plan is not None, (found.shortfalls, found.conflicts)
    return found.plan


def existing(*texts: str) -> tuple[Existing, ...]:
    return tuple(Existing(block=Block.of(text), row=row) for row, text in enumerate(texts))


_HUBS = ("10.20.0.0/16", "10.20.0.0/22 10.30.0.0/23", "10.0.0.0/21", "172.16.0.0/21", "192.168.64.0/20")
_SPOKES = ("100.64.0.0/10", "100.64.0.0/16", "100.64.0.0/22 100.100.0.0/23", "10.128.0.0/20")


@st.composite
def functions(draw: st.DrawFn) -> tuple[FunctionDemand, ...]:
    count = draw(st.integers(1, 12))
    return tuple(
        function(
            f"f{number}",
            rate=draw(st.sampled_from((1, 50, 400, 3_000))),
            zone=draw(st.sampled_from(ZONES)),
            connections=draw(st.sampled_from((1, 20, 200))),
            azs=draw(st.sampled_from(((), AZS[:2], AZS[:1]))),
            way=draw(st.sampled_from((Way.ENDPOINT, Way.ENDPOINT, Way.NAT, Way.DIRECT))),
        )
        for number in sorted(draw(st.sets(st.integers(0, 20), min_size=count, max_size=count)))
    )


@st.composite
def demands(draw: st.DrawFn) -> Demand:
    path = NetworkPath(
        proxies=Proxies(per_az=draw(st.integers(1, 12))),
        nlb=Nlb(secondary_addresses=draw(st.sampled_from((0, 7)))),
        hub=Hub(
            endpoints=tuple(f"service-{one}" for one in range(draw(st.integers(0, 14)))),
            router_hosts_per_az=draw(st.sampled_from((0, 0, 3))),
            attachment=draw(st.booleans()),
        ),
        spoke=Spoke(endpoints=tuple(f"service-{one}" for one in range(draw(st.integers(0, 12))))),
    )
    given = draw(functions())
    one = demand(
        *given,
        hub=draw(st.sampled_from(_HUBS)),
        spoke=draw(st.sampled_from(_SPOKES)),
        path=path,
        sets=draw(st.integers(1, 4)),
    )
    ipv6 = draw(st.sampled_from((None, None, Block.of("2001:db8::/48"))))
    years = draw(st.sampled_from((0, 3)))
    return replace(
        one,
        spaces=replace(one.spaces, ipv6=ipv6 is not None, ipv6_parent=ipv6),
        growth=Growth(rate_per_year=0.4, years=years),
    )


@st.composite
def successors(draw: st.DrawFn, before: Demand) -> Demand:
    """What a demand may become: functions come and go, rates and counts change, IPv6 arrives. Spaces stay."""
    other = draw(demands())
    kept = [one for one in before.functions if draw(st.booleans())]
    taken = {one.name for one in kept}
    new = [one for one in other.functions if one.name not in taken]
    louder = [replace(one, rate=one.rate * draw(st.sampled_from((0.5, 1, 4)))) for one in kept]
    given = tuple(sorted([*louder, *new], key=lambda one: one.name)) or before.functions
    zones = {one.name: one for one in (*before.zones, *other.zones)}
    return replace(
        before,
        functions=given,
        zones=tuple(zones[name] for name in sorted({one.trust_zone for one in given})),
        path=other.path,
        spaces=replace(before.spaces, ipv6=before.spaces.ipv6 or other.spaces.ipv6),
    )

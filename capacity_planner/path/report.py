"""A verdict on the way as rows of text and as JSON values: made here, printed elsewhere."""

import math
from typing import Any

from ..arithmetic import count, number
from ..demand.values import Growth
from .case import Case
from .judge import Hop, PathVerdict, Status
from .measure import Basis

_SIGNS = {Status.OK: "", Status.TIGHT: "tight", Status.EXCEEDED: "EXCEEDED", Status.NOTED: "noted"}
HEADER = ("", "hop", "limit", *(case.value for case in Case), "load", "capacity", "unit")
RIGHT = (3, 4, 5, 6, 7, 8)


def rows(verdict: PathVerdict) -> list[tuple[str, ...]]:
    """One row for each kind of limit, the binding one first; of many places the nearest to it, and how many others."""
    found: dict[str, list[Hop]] = {}
    for hop in verdict.hops:
        found.setdefault(hop.kind.code, []).append(hop)
    return [row for hops in found.values() for row in _rows_of_kind(hops)]


def _rows_of_kind(hops: list[Hop]) -> list[tuple[str, ...]]:
    """All that are not well, else the first; what is left out is counted."""
    shown = [hop for hop in hops if hop.status is not Status.OK] or hops[:1]
    shown = shown[:_MOST_OF_A_KIND]
    others = len(hops) - len(shown)
    names = [hop.name for hop in shown]
    if others:
        names[-1] += f" +{others}"
    return [_row(hop, name) for hop, name in zip(shown, names, strict=True)]


_MOST_OF_A_KIND = 5


def _row(hop: Hop, name: str) -> tuple[str, ...]:
    reading = hop.reading
    return (
        _SIGNS[hop.status],
        hop.kind.hop,
        name,
        *(percent(hop.measures[case].utilisation) for case in Case),
        number(reading.load),
        number(reading.capacity),
        reading.kind.unit,
    )


def percent(share: float) -> str:
    """A utilisation, with so many digits as say something."""
    if not math.isfinite(share):
        return "no capacity"
    if 0 < share < 0.001:  # noqa: PLR2004 - what rounds to nothing
        return "<0.1%"
    return f"{share:.1%}" if 0 < share < 0.1 else f"{share:,.0%}"  # noqa: PLR2004 - a tenth


def headline(verdict: PathVerdict, breaks_at: float | None) -> list[str]:
    """The binding limit in words, what it rests on, when it breaks, and the cheapest change that lifts it."""
    hop, reading = verdict.binding, verdict.binding.reading
    growth = verdict.network.demand.growth
    of = f"{number(reading.load)} of {number(reading.capacity)} {reading.kind.unit} ({percent(reading.utilisation)})"
    lines = [
        f"binding limit: {hop.name}, {_SIGNS[hop.status] or 'ok'}: {of}, {hop.worst.value}",
        *_arithmetic(hop),
        f"  {hop.limit.key} {number(hop.limit.value)} {hop.limit.unit}, as of {hop.limit.as_of or 'this file'}: "
        + hop.limit.source,
    ]
    if hop.kind.basis is not Basis.FIXED:
        lines.append(f"  {_when(breaks_at, growth)}")
    more = "" if hop.status in (Status.EXCEEDED, Status.NOTED) else ", for twice of it"
    lines += [f"  cheapest change{more}: {change}" for change in hop.changes[:1]]
    return [*lines, *(f"    or: {change}" for change in hop.changes[1:])]


def _arithmetic(hop: Hop) -> list[str]:
    reading = hop.reading
    parts = (("load", reading.load_of, reading.load), ("capacity", reading.capacity_of, reading.capacity))
    shown = "; ".join(f"{what} {made_of} = {number(value)}" for what, made_of, value in parts if made_of)
    return [f"  {shown}"] if shown else []


def _when(breaks_at: float | None, growth: Growth) -> str:
    if breaks_at is None:
        return "holds a thousand times this demand"
    shown = f"breaks at {int(breaks_at * 100 + 1e-3) / 100:.2f} times this demand"
    if breaks_at <= 1 or growth.rate_per_year <= 0:
        return shown
    years = math.log(breaks_at) / math.log1p(growth.rate_per_year)
    return f"{shown}, in {years:.1f} years at {growth.rate_per_year:.0%} a year"


def protections(verdict: PathVerdict) -> list[str]:
    """The reserved concurrency that protects the databases, at most ten lines."""
    found = verdict.reservations
    lines = [
        f"protect {one.database}: reserve {number(one.reserved)} for {one.function} "
        f"(p50 needs {number(one.needed)}, its timeout {number(one.worst)})"
        for one in sorted(found, key=lambda one: (one.suffices, -one.worst, one.function))
    ]
    left = len(lines) - _MOST_PROTECTIONS
    return [*lines[:_MOST_PROTECTIONS], f"... and {left} more: --json"] if left > 0 else lines


_MOST_PROTECTIONS = 10


def sets(verdict: PathVerdict) -> list[str]:
    """The trust zones that have too few sets of security groups."""
    return [
        f"trust zone {one.trust_zone} needs {count(one.needed, 'set')} of security groups and has {one.has}: "
        f"DNS packets ask for {one.by_dns}, connections for {one.by_connections}"
        for one in verdict.sets
        if one.needed > one.has
    ][:_MOST_PROTECTIONS]


def changes(verdict: PathVerdict) -> list[str]:
    """The cheapest change for each other hop that is exceeded."""
    return [f"{hop.name}: {hop.changes[0]}" for hop in verdict.exceeded[1:] if hop.changes][:_MOST_PROTECTIONS]


def rests_on(verdict: PathVerdict) -> list[tuple[str, ...]]:
    """The limits that the verdict rests on and the demand file does not state: value, unit, date, source."""
    used = {hop.limit.key: hop.limit for hop in verdict.hops if hop.limit.as_of and not hop.limit.is_assumption}
    return [(one.key, number(one.value), one.unit, one.as_of, one.source) for _key, one in sorted(used.items())]


def assumed(verdict: PathVerdict) -> str:
    """What no source states and the verdict assumes."""
    return ", ".join(f"{one.key} {number(one.value)}" for one in verdict.network.limits.assumptions)


def to_json(verdict: PathVerdict, breaks_at: float | None) -> dict[str, Any]:
    """The whole verdict as JSON values."""
    network = verdict.network
    return {
        "exceeded": bool(verdict.exceeded),
        "binding_limit": {**_hop_json(verdict.binding), "breaks_at": breaks_at},
        "hops": [_hop_json(hop) for hop in verdict.hops],
        "reservations": [
            {
                "database": one.database,
                "function": one.function,
                "reserved_concurrency": one.reserved,
                "needed": one.needed,
                "worst": one.worst,
            }
            for one in verdict.reservations
        ],
        "security_group_sets": {
            one.trust_zone: {
                "has": one.has,
                "needed": one.needed,
                "by_dns_packets": one.by_dns,
                "by_connections": one.by_connections,
                "by_new_connections_assumed": one.by_new_connections,
            }
            for one in verdict.sets
        },
        "proxies_per_az": network.proxies_per_az,
        "targets_per_az": network.targets_per_az,
        "single_circuit": verdict.single_circuit,
        "assumptions": [limit.to_json() for limit in network.limits.assumptions],
    }


def _hop_json(hop: Hop) -> dict[str, Any]:
    return {
        "code": hop.kind.code,
        "hop": hop.kind.hop,
        "subject": hop.subject or None,
        "title": hop.kind.title,
        "status": hop.status.value,
        "unit": hop.kind.unit,
        "worst_case": hop.worst.value,
        "cases": {
            case.value: {
                "load": _finite(one.load),
                "capacity": _finite(one.capacity),
                "utilisation": _finite(one.utilisation),
                "load_of": one.load_of or None,
                "capacity_of": one.capacity_of or None,
            }
            for case, one in hop.measures.items()
        },
        "limit": hop.limit.to_json(),
        "changes": list(hop.changes),
    }


def _finite(value: float) -> float | None:
    """A number that JSON has; None for what is unbounded."""
    return round(value, 6) if math.isfinite(value) else None

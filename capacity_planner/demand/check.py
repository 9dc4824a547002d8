"""Rules over the whole demand: names lead somewhere, counts fit together.

Names are looked for in the document, not in the demand, so that an item whose shape is wrong is not missed twice.
"""

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from strangler_fig.diagnostics import Diagnostic, Severity
from strangler_fig.documents import Document, did_you_mean

from .network import Way
from .values import Demand, FunctionDemand

UNKNOWN = "DM201"
TWICE = "DM202"
SESSIONS = "DM203"
WAY = "DM204"
SPACE = "DM205"
UNUSED = "DM206"
LOST = "DM207"
SHARE = "DM208"
EMPTY = "DM209"


@dataclass(frozen=True, slots=True)
class _Subject:
    """A demand and the document it came from."""

    demand: Demand
    document: Document

    def names(self, section: str) -> frozenset[str]:
        """The names that a section defines, its unsound items included."""
        items = self.document.data.get(section)
        return frozenset(items) if isinstance(items, dict) else frozenset()

    def fault(self, code: str, message: str, *place: str | int, hint: str | None = None) -> Diagnostic:
        """An error at the value at `place`."""
        return Diagnostic(code=code, message=message, position=self.document.at(*place), hint=hint)

    def unknown(self, kind: str, name: str, known: Iterable[str], *place: str | int) -> Diagnostic:
        """An error at the key or value at `place`, which names what does not exist."""
        position = self.document.key_at(*place)
        hint = did_you_mean(name, known)
        return Diagnostic(code=UNKNOWN, message=f"no {kind} is called {name!r}", position=position, hint=hint)


def check(demand: Demand, document: Document) -> list[Diagnostic]:
    """Everything that is wrong with the demand as a whole."""
    subject = _Subject(demand, document)
    return [
        *_functions(subject),
        *_zones(subject),
        *_ways(subject),
        *_legacy(subject),
        *_spaces(subject),
        *_databases(subject),
    ]


def _functions(subject: _Subject) -> Iterator[Diagnostic]:
    demand = subject.demand
    databases, services = subject.names("databases"), subject.names("services")
    trust_zones = subject.names("trust_zones") or None
    azs = frozenset(demand.azs)
    for function in demand.functions:
        place = ("functions", function.name)
        for name, _sessions in function.database_sessions:
            if name not in databases:
                yield subject.unknown("database", name, databases, *place, "sessions", name)
        for index, name in enumerate(subject.document.data["functions"][function.name].get("services", ())):
            if name not in services:
                yield subject.unknown("service", name, services, *place, "services", index)
        if trust_zones is not None and function.trust_zone not in trust_zones:
            yield subject.unknown("trust zone", function.trust_zone, trust_zones, *place, "trust_zone")
        for name in function.azs:
            if name not in azs:
                yield subject.unknown("Availability Zone of the account", name, azs, *place, "azs")
        yield from _sockets(subject, function)


def _sockets(subject: _Subject, function: FunctionDemand) -> Iterator[Diagnostic]:
    held = sum(sessions for _name, sessions in function.database_sessions)
    if held > function.connections:
        message = f"an environment of {function.name} holds {held} sessions over {function.connections} connections"
        place = ("functions", function.name, "connections")
        yield subject.fault(SESSIONS, message, *place, hint="count each session among the connections")


def _zones(subject: _Subject) -> Iterator[Diagnostic]:
    account = subject.demand.account
    written = subject.document.data.get("account")
    if isinstance(written, dict):
        for name in _repeated(written.get("azs", ())):
            yield subject.fault(TWICE, f"zone {name} is named twice", "account", "azs")
    if account.lost_azs >= len(account.azs):
        message = f"{account.lost_azs} of {len(account.azs)} zones lost leaves none"
        yield subject.fault(LOST, message, "account", "lost_azs", hint="name more zones, or write lost_azs: 0")
    for function in subject.demand.functions:
        if function.azs and len(function.azs) <= account.lost_azs:
            message = f"{function.name} is gone when {account.lost_azs} of its {len(function.azs)} zones are lost"
            position = subject.document.at("functions", function.name, "azs")
            yield Diagnostic(code=LOST, message=message, position=position, severity=Severity.WARNING)


def _ways(subject: _Subject) -> Iterator[Diagnostic]:
    path = subject.demand.path
    for function in subject.demand.functions:
        if function.way is Way.ENDPOINT:
            continue
        place = ("functions", function.name, "way")
        if function.way is Way.NAT and path.nat is None:
            yield subject.fault(WAY, f"{function.name} goes through NAT, and path.nat is not there", *place)
        if path.transit_gateway is None:
            message = f"{function.name} goes through the Transit Gateway, and path.transit_gateway is not there"
            yield subject.fault(WAY, message, *place)


def _legacy(subject: _Subject) -> Iterator[Diagnostic]:
    functions, databases = subject.names("functions"), subject.names("databases")
    claimed: dict[str, str] = {}
    for legacy in subject.demand.legacy:
        written = subject.document.data["legacy"][legacy.name]["functions"]
        for index, name in enumerate(written):
            place = ("legacy", legacy.name, "functions", index)
            if name not in functions:
                yield subject.unknown("function", name, functions, *place)
            if name in claimed:
                message = f"{name} is counted for {claimed[name]} already"
                yield subject.fault(TWICE, message, *place, hint="a request goes back to one application")
            claimed[name] = legacy.name
        for name, _sessions in legacy.sessions:
            if name not in databases:
                yield subject.unknown("database", name, databases, "legacy", legacy.name, "sessions", name)
        if legacy.rate is None and legacy.concurrency is None:
            message = f"nothing says what {legacy.name} can carry"
            yield subject.fault(EMPTY, message, "legacy", legacy.name, hint="write rate, or concurrency and duration")
        if legacy.concurrency is not None and legacy.duration is None:
            message = f"concurrency of {legacy.name} needs its duration"
            yield subject.fault(
                EMPTY, message, "legacy", legacy.name, "concurrency", hint="write duration: as in 120ms"
            )


def _spaces(subject: _Subject) -> Iterator[Diagnostic]:
    spaces = subject.demand.spaces
    for index, hub in enumerate(spaces.hub):
        for spoke in spaces.spoke:
            if hub.overlaps(spoke):
                message = f"{hub} of the hub overlaps {spoke} of the spokes"
                hint = "the hub's space is routed, the spokes' is not: they share nothing"
                yield subject.fault(SPACE, message, "spaces", "hub", index, hint=hint)
    for kind, blocks in (("spoke", spaces.spoke), ("hub", spaces.hub)):
        for one, other in ((a, b) for i, a in enumerate(blocks) for b in blocks[i + 1 :]):
            if one.overlaps(other):
                yield subject.fault(SPACE, f"{one} overlaps {other}", "spaces", kind)
    if spaces.ipv6_parent is not None and not spaces.ipv6:
        yield subject.fault(SPACE, "ipv6_parent without ipv6", "spaces", "ipv6_parent", hint="write ipv6: true")


def _databases(subject: _Subject) -> Iterator[Diagnostic]:
    used = {name for one in subject.demand.functions for name, _sessions in one.database_sessions}
    for database in subject.demand.databases:
        place = ("databases", database.name)
        if database.budget == 0:
            message = f"{database.name} leaves no session to functions"
            hint = f"{database.share:.0%} of {database.sessions:,} sessions, less {database.others:,} of others"
            yield subject.fault(SHARE, message, *place, hint=hint)
        if database.name not in used and not _is_unsound(subject):
            position = subject.document.key_at(*place)
            message = f"no function holds sessions of {database.name}"
            yield Diagnostic(code=UNUSED, message=message, position=position, severity=Severity.WARNING)


def _is_unsound(subject: _Subject) -> bool:
    """Whether functions were left out because their shapes are wrong: what they use is not known."""
    return len(subject.demand.functions) < len(subject.names("functions"))


def _repeated(names: Iterable[object]) -> list[str]:
    return [str(name) for name, times in Counter(str(name) for name in names).items() if times > 1]

"""Limits that cannot hold, or hold something else than they say."""

from collections.abc import Iterator

from strangler_fig.diagnostics import Diagnostic
from strangler_fig.units import format_seconds

from ..estate import Connections, LegacyService, LimitBy
from .subject import Subject

TOO_SMALL = "ES250"
UNLIMITED_CONNECTIONS = "ES251"
FEW_CONNECTIONS = "ES252"
FEW_WAITING = "ES253"
LONG_PERIOD = "ES254"
ONE_CLIENT = "ES255"

SMALL_FLEET = 4
"""So many nodes a figure can be divided by without a word."""
LONGEST_PERIOD_SECONDS = 3600.0
"""Buckets are full again when routes are published or Envoy is replaced: a longer period cannot be kept."""


def figures_can_be_divided(subject: Subject) -> Iterator[Diagnostic]:
    """The fleet's figures are divided by its nodes, and every node takes at least one."""
    for most, what, path in _figures(subject):
        if most < SMALL_FLEET:
            message = f"{what}: every node takes at least 1, so a fleet of more than {most} exceeds the figure"
            yield subject.warning(TOO_SMALL, message, *path, hint="write at least as many as there are nodes")


def connections_can_be_limited(subject: Subject) -> Iterator[Diagnostic]:
    """A limit of connections holds only where connections are shared, and there are more than must be."""
    for service in subject.estate.legacy:
        most, path = service.protect.connections, ("legacy", service.name, "protect", "connections")
        if most is None:
            continue
        if service.connections is Connections.PER_CLIENT:
            message = f"legacy {service.name}: with a connection for each client's (per-client) Envoy holds none back"
            hint = "limit protect.requests instead"
            yield subject.error(UNLIMITED_CONNECTIONS, message, *path, hint=hint)
        elif SMALL_FLEET <= most < SMALL_FLEET * len(service.endpoints):
            message = (
                f"legacy {service.name}: each worker of each node keeps one connection to each endpoint that it uses, "
                f"and {most} are few for {len(service.endpoints)} endpoints"
            )
            hint = "limit protect.requests instead, or write at least endpoints times nodes times workers"
            yield subject.warning(FEW_CONNECTIONS, message, *path, hint=hint)


def requests_may_wait_for_connections(subject: Subject) -> Iterator[Diagnostic]:
    """A request waits until its connection is made: after a quiet time all of them do."""
    for service in subject.estate.legacy:
        protect = service.protect
        at_once = _at_once(service)
        if protect.pending is not None and at_once is not None and protect.pending < at_once:
            message = (
                f"legacy {service.name}: after a quiet time connections are made first, for which only "
                f"{protect.pending} requests may wait, although {at_once} may be there at once"
            )
            hint = f"write pending: {at_once} or more, or leave it out"
            yield subject.warning(FEW_WAITING, message, "legacy", service.name, "protect", "pending", hint=hint)


def periods_can_be_kept(subject: Subject) -> Iterator[Diagnostic]:
    """A limit's memory ends with the routes that it belongs to."""
    for route in subject.estate.routes:
        if route.limit and route.limit.per_seconds > LONGEST_PERIOD_SECONDS:
            message = (
                f"route {route.name}: a period of {format_seconds(route.limit.per_seconds)} is not kept: "
                "what was counted is forgotten when routes are published"
            )
            hint = f"write at most {format_seconds(LONGEST_PERIOD_SECONDS)}; quotas are the application's business"
            yield subject.warning(LONG_PERIOD, message, "routes", route.name, "limit", "per", hint=hint)


def clients_are_known(subject: Subject) -> Iterator[Diagnostic]:
    """Whose requests are counted is known only where the entry says whom to believe."""
    entry = subject.estate.entry
    if entry.client_address is not None or entry.proxy_protocol is not None:
        return
    for route in subject.estate.routes:
        if route.limit and route.limit.by is LimitBy.CLIENT:
            message = (
                f"route {route.name}: each client is limited, but the entry knows no client behind the VIP: if that "
                "sends from its own address, all clients are one"
            )
            hint = "write entry.client_address or entry.proxy_protocol; ignore this if clients' addresses arrive"
            yield subject.warning(ONE_CLIENT, message, "routes", route.name, "limit", "by", hint=hint)


def _at_once(service: LegacyService) -> int | None:
    given = [most for most in (service.protect.connections, service.protect.requests) if most is not None]
    return min(given, default=None)


def _figures(subject: Subject) -> Iterator[tuple[int, str, tuple[str, ...]]]:
    """Every figure that the nodes divide: how much, of what, and where it stands."""
    for service in subject.estate.legacy:
        protect = service.protect
        given = {"connections": protect.connections, "requests": protect.requests, "pending": protect.pending}
        for key, most in given.items():
            if most is not None:
                yield most, f"legacy {service.name}, {key}", ("legacy", service.name, "protect", key)
    for one in subject.estate.candidates:
        if one.max_concurrency is not None:
            yield one.max_concurrency, f"lambda {one.name}", ("lambda", one.name, "max_concurrency")
    for route in subject.estate.routes:
        if route.limit and route.limit.by is LimitBy.ROUTE:
            given_burst = "burst" in subject.document.data["routes"][route.name]["limit"]
            key = "burst" if given_burst else "requests"
            yield route.limit.burst, f"route {route.name}, at once", ("routes", route.name, "limit", key)

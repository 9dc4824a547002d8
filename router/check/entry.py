"""The entry: whose word about the client is believed, and whether the VIP's monitor is heard."""

import ipaddress
from collections.abc import Iterable, Iterator

from strangler_fig.diagnostics import Diagnostic

from ..estate import AffinityKind, Entry, LegacyService, PathKind, ProxyProtocol, Route, StickyKind, WithoutKey
from ..hosts import is_loopback
from .subject import Subject

ANYBODY = "ES270"
EVERYBODY = "ES271"
UNASKED_HEADER = "ES272"
UNHEARD_MONITOR = "ES273"
TAKEN_PATH = "ES274"
HIDDEN_CALLS = "ES275"
ONE_CLIENT = "ES276"

_AT = ("entry", "client_address")
_SHOW = "let the VIP show a certificate (tls: client_ca:)"


def believed_are_known(subject: Subject) -> Iterator[Diagnostic]:
    """Whoever is believed about the client has to be somebody in particular."""
    entry = subject.estate.entry
    whom = entry.client_address
    if whom is None:
        return
    if whom.hops is not None and not _vip_is_known(entry):
        message = (
            "entry.client_address: hops believes whoever connects: a client that comes past the VIP is who it likes"
        )
        yield subject.warning(ANYBODY, message, *_AT, "hops", hint=f"write trusted: with the VIP's ranges, or {_SHOW}")
    for place, text in enumerate(whom.trusted):
        if ipaddress.ip_network(text).prefixlen == 0:
            message = f"entry.client_address: {text} trusts everybody, so that nobody is left to be the client"
            yield subject.error(
                EVERYBODY, message, *_AT, "trusted", place, hint="name the ranges of the proxies in front"
            )


def proxy_headers_are_asked_for(subject: Subject) -> Iterator[Diagnostic]:
    """Where the PROXY header may be left out, it may be added, too."""
    entry = subject.estate.entry
    if entry.proxy_protocol is ProxyProtocol.OPTIONAL and not _vip_is_known(entry):
        message = "entry.proxy_protocol: optional believes a header from whoever connects without the VIP"
        hint = f"write required as soon as the VIP sends it on every connection, or {_SHOW}"
        yield subject.warning(UNASKED_HEADER, message, "entry", "proxy_protocol", hint=hint)


def monitors_are_heard(subject: Subject) -> Iterator[Diagnostic]:
    """What the VIP's monitor asks is answered, and is nobody else's."""
    entry = subject.estate.entry
    if entry.health_path is None:
        return
    at = ("entry", "health", "path")
    if entry.proxy_protocol is ProxyProtocol.REQUIRED:
        message = "entry.health: a monitor that sends no PROXY header is not answered, because it is required"
        hint = "let the monitor send it, or write proxy_protocol: optional"
        yield subject.warning(UNHEARD_MONITOR, message, *at, hint=hint)
    for route in subject.estate.routes:
        if route.match.path.kind is PathKind.EXACT and route.match.path.value == entry.health_path:
            message = (
                f"entry.health: {entry.health_path} is answered by the router itself, so route {route.name} never is"
            )
            yield subject.warning(TAKEN_PATH, message, *at, hint="choose a path that no application has")


def calls_of_functions_are_told(subject: Subject) -> Iterator[Diagnostic]:
    """A proxy whose X-Forwarded-For is believed is never the client, so its calls cannot be told by its address."""
    entry = subject.estate.entry
    trusted = [ipaddress.ip_network(one) for one in entry.client_address.trusted] if entry.client_address else []
    for place, text in enumerate(entry.proxies):
        wide = next((one for one in trusted if _overlap(ipaddress.ip_network(text), one)), None)
        if wide is not None:
            message = (
                f"entry.proxies: {text} lies in {wide}, which client_address trusts: functions' calls are not told"
            )
            hint = "trust the VIP's ranges alone, without those of the functions' proxies"
            yield subject.warning(HIDDEN_CALLS, message, "entry", "proxies", place, hint=hint)


def clients_are_told_apart(subject: Subject) -> Iterator[Diagnostic]:
    """Behind a VIP whose word is not believed, all clients have one address."""
    entry = subject.estate.entry
    if entry.client_address or entry.proxy_protocol or is_loopback(entry.address.host):
        return
    hint = "set entry.client_address or entry.proxy_protocol, or choose a header or a cookie"
    for route in subject.estate.routes:
        sticky = route.sticky
        drawn = sticky.kind is StickyKind.HEADER and sticky.without_key is WithoutKey.ASSIGN
        if route.has_two_sides and (sticky.kind is StickyKind.CLIENT_ADDRESS or drawn):
            message = f"route {route.name}: behind a VIP every client has its address: they are all on one side"
            yield subject.warning(ONE_CLIENT, message, "routes", route.name, "sticky", hint=hint)
    for service in subject.estate.legacy:
        if _goes_by_address(service, subject.estate.routes):
            message = f"legacy {service.name}: behind a VIP every client has its address: they are all on one endpoint"
            yield subject.warning(ONE_CLIENT, message, "legacy", service.name, "affinity", hint=hint)


def _goes_by_address(service: LegacyService, routes: Iterable[Route]) -> bool:
    """Whether the client's address chooses the endpoint, as it also does where neither file nor routes name a key."""
    if len(service.endpoints) == 1:
        return False
    if service.affinity is not None:
        return service.affinity.kind is AffinityKind.CLIENT_ADDRESS
    split = [route.sticky for route in routes if route.legacy == service.name and route.has_two_sides]
    keys = {sticky.name if sticky.kind is StickyKind.HEADER else "" for sticky in split}
    return len(keys) != 1 or keys == {""}


def _vip_is_known(entry: Entry) -> bool:
    """Whether nobody but the VIP gets as far as saying something, as this file alone can tell."""
    asks = entry.tls is not None and entry.tls.client_ca_file is not None
    return asks or is_loopback(entry.address.host)


def _overlap(
    one: ipaddress.IPv4Network | ipaddress.IPv6Network, other: ipaddress.IPv4Network | ipaddress.IPv6Network
) -> bool:
    return one.version == other.version and one.overlaps(other)

"""Session affinity: a client stays on one endpoint of a legacy service, because sessions live in its memory.

The key belongs to the cluster, not to a route: every route of the service, the default route included, must find the
same endpoint, while each two-sided route draws sides by a salted key of its own.
"""

from collections.abc import Iterable
from typing import assert_never

from ..estate import Affinity, AffinityKind, LegacyService, Route, StickyKind
from .proto import Json, extension

LEADING_HEADER = "x-fig-affinity"
"""What the value is by which the request's own client stays where he is."""

_RING_SIZE = {"minimum_ring_size": 1024}
_BY_ADDRESS: Json = {"connection_properties": {"source_ip": True}}


def of(service: LegacyService, routes: Iterable[Route]) -> Affinity:
    """By what the service's clients stay on one endpoint, when the estate may leave the choice to the router.

    A header that identifies users on all its two-sided routes, else the client's address. Never a cookie: legacy sets
    it on the endpoint that took the first request, and its hash would lead elsewhere.
    """
    if service.affinity is not None:
        return service.affinity
    if len(service.endpoints) == 1:
        return Affinity(AffinityKind.NONE)
    keys = {
        route.sticky.name if route.sticky.kind is StickyKind.HEADER else ""
        for route in routes
        if route.legacy == service.name and route.has_two_sides
    }
    if len(keys) == 1 and (name := keys.pop()):
        return Affinity(AffinityKind.HEADER, name)
    return Affinity(AffinityKind.CLIENT_ADDRESS)


def load_balancing(affinity: Affinity, *, led: bool = False) -> Json:
    """The cluster's fields that keep its clients where they are.

    `led`: where a question about a session goes, its own header says first: it has not all that the request has.
    """
    match affinity.kind:
        case AffinityKind.NONE:
            return {}
        case AffinityKind.HEADER:
            policies = [{"header": {"header_name": affinity.name}, "terminal": True}, _BY_ADDRESS]
        case AffinityKind.COOKIE:
            policies = [{"cookie": {"name": affinity.name}, "terminal": True}, _BY_ADDRESS]
        case AffinityKind.CLIENT_ADDRESS:
            policies = [_BY_ADDRESS]
        case _:
            assert_never(affinity.kind)
    if led:
        policies.insert(0, {"header": {"header_name": LEADING_HEADER}, "terminal": True})
    ring = extension(
        "load_balancing_policies.ring_hash.v3.RingHash",
        **_RING_SIZE,
        consistent_hashing_lb_config={"hash_policy": policies},
    )
    policy = {"typed_extension_config": {"name": "envoy.load_balancing_policies.ring_hash", "typed_config": ring}}
    return {"load_balancing_policy": {"policies": [policy]}}

"""The names of clusters, listeners and runtime keys, in one place because routes, clusters and the node must agree.

A side's outer cluster decides the runtime key of its weight: Envoy reads `<prefix>.<cluster>`, so the prefix carries
the route and clusters are shared by all routes of a service (clusters of its own for each route would cost 23 kB
apiece).
"""

from strangler_fig.names import TELEMETRY_CLUSTER

from ..estate import Endpoint, Route

ENTRY = "entry"
WEIGHT_PREFIX = "shift"
LAMBDA_PREFIX = "lambda."
INNER_FUNCTIONS = "inner.functions"
INNER_UPSTREAMS = "inner.upstreams"
INNER_SESSIONS = "inner.sessions"
IDENTITY_KEYS = "identities.keys"
TELEMETRY = TELEMETRY_CLUSTER
SHADOW_PREFIX = "shadow."
COHORT_PREFIX = "cohort."
SHADOWING = "shadowing"
"""The runtime key (percent) that switches all shadows of a node off; a route's own share has another."""
CANDIDATE_HEADER = "x-fig-candidate"
"""On requests to Lambda: which candidate the inner hop calls."""


def entry_listener(address: Endpoint) -> str:
    """The entry's listener: another address is another listener, which is there before the former one goes."""
    return f"{ENTRY}-{address}"


def is_entry_listener(name: str) -> bool:
    """Whether a listener is an entry, at whatever address."""
    return name.startswith(f"{ENTRY}-")


def legacy_cluster(service: str) -> str:
    """The cluster of a legacy service."""
    return f"legacy.{service}"


def candidate_cluster(candidate: str) -> str:
    """The cluster that leads to a candidate's inner listener."""
    return f"{LAMBDA_PREFIX}{candidate}"


def fallback_cluster(candidate: str, service: str) -> str:
    """The composite cluster: the candidate first, then the legacy service."""
    return f"{LAMBDA_PREFIX}{candidate}.then.{service}"


def upstream_cluster(candidate: str) -> str:
    """The cluster behind a candidate's inner listener: the Lambda API or the plain HTTP upstream."""
    return f"upstream.{candidate}"


def candidate_of(lambda_key: str) -> str:
    """The candidate that a route's runtime key shifts to."""
    return lambda_key.partition(f".{LAMBDA_PREFIX}")[2].partition(".")[0]


def identity_cluster(identity: str) -> str:
    """The cluster of the host that has the keys of an identity's tokens."""
    return f"identity.{identity}"


def own_cluster(listener: str) -> str:
    """The cluster that leads to a listener of this very Envoy."""
    return f"own.{listener}"


def lambda_side_cluster(route: Route) -> str:
    """The outer cluster of a route's Lambda side. The route must have one."""
    candidate = route.candidate or ""
    if route.legacy is not None and route.fallback:
        return fallback_cluster(candidate, route.legacy)
    return candidate_cluster(candidate)


def weight_prefix(route: str) -> str:
    """The runtime prefix of a route's weights; the key is `<prefix>.<cluster>`."""
    return f"{WEIGHT_PREFIX}.{route}"


def assign_key(route: str) -> str:
    """The runtime key (percent) that turns on drawing a side for requests without a sticky key."""
    return f"assign.{route}"


def cohort_key(route: str) -> str:
    """The runtime key (percent) that sends the route's named users to Lambda."""
    return f"{COHORT_PREFIX}{route}"


def shadow_key(route: str) -> str:
    """The runtime key of the share (parts per 10,000) of safe requests that the other side sees too."""
    return f"{SHADOW_PREFIX}{route}"

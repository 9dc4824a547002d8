"""Counters of requests that did not go as they should, by route: who fell back, was refused, waited in vain, and why.

Every route is counted, not only those that move: a request that went well costs the filters and nothing else.
"""

from strangler_fig.names import (
    ASSIGNED_ATTRIBUTE,
    FLAGS_ATTRIBUTE,
    REASON_ATTRIBUTE,
    ROLE_ATTRIBUTE,
    ROUTE_ATTRIBUTE,
    SIDE_ATTRIBUTE,
)

from . import counters
from .names import CANDIDATE_HEADER
from .proto import Json

SCOPE = "fig.faults"
REQUESTS = "requests"
CALLS = "calls"
STATUS_TAG = "http.response.status_code"
FELL_BACK = (
    "upstream.request_attempt_count > 1u && "
    "xds.cluster_metadata.filter_metadata['fig']['side'] == 'lambda' && "
    "xds.upstream_host_metadata.filter_metadata['fig']['side'] == 'legacy'"
)
"""The CEL expression of a request that legacy answered for Lambda.

The number of tries comes first: it is all that a request costs which went well, and metadata are dear in CEL.
"""

FLAGS = {
    "UO": "overload",  # over a limit on connections or requests of an upstream
    "OM": "overload",  # Envoy itself is short of memory or connections
    "DO": "overload",
    "UT": "timeout",
    "SI": "timeout",
    "DT": "timeout",
    "UC": "reset",
    "UR": "reset",
    "LR": "reset",
    "UPE": "reset",
    "UF": "unreachable",
    "UH": "unreachable",
    "NC": "unreachable",
}
"""What Envoy's response flags mean; the rest is about clients that went away or broke the protocol."""
STATUSES = {401: "unauthenticated", 403: "forbidden", 429: "limited", 503: "overload", 508: "loop"}
"""What a status means that the router answers by itself, without asking an upstream."""

_LEAST_STATUS = 400


def request_counter() -> Json:
    """The entry's logger: requests that an upstream failed, that were refused, or that legacy answered for Lambda."""
    refused = counters.any_of([counters.status_is(status) for status in STATUSES])
    only = counters.any_of(
        [
            {"response_flag_filter": {"flags": list(FLAGS)}},
            counters.all_of([counters.status_is(_LEAST_STATUS, "GE"), refused]),
            # Whether there is a header costs less than an expression: legacy's own requests stop there.
            counters.all_of([counters.has_header(CANDIDATE_HEADER), counters.expression(FELL_BACK)]),
        ]
    )
    tags = {
        ROUTE_ATTRIBUTE: "%ROUTE_NAME%",
        ASSIGNED_ATTRIBUTE: "%METADATA(CLUSTER:fig:side)%",
        SIDE_ATTRIBUTE: "%UPSTREAM_METADATA(fig:side)%",
        STATUS_TAG: "%RESPONSE_CODE%",
        FLAGS_ATTRIBUTE: "%RESPONSE_FLAGS%",
    }
    return counters.counting(counters.passing(SCOPE), [counters.counter(REQUESTS, tags)], only=only)


def call_counter() -> Json:
    """The inner hop's logger: calls of candidates that did not go well, and why."""
    tags = {
        ROUTE_ATTRIBUTE: "%DYNAMIC_METADATA(fig:asked:route)%",
        ROLE_ATTRIBUTE: "%DYNAMIC_METADATA(fig:asked:role)%",
        REASON_ATTRIBUTE: "%DYNAMIC_METADATA(fig:answer:reason)%",
    }
    failed = counters.noted(["answer", "failed"], {"bool_match": True})
    return counters.counting(counters.passing(SCOPE), [counters.counter(CALLS, tags)], only=failed)

"""What may be sent again, and to whom: the one policy of the outer hop.

A mark of the inner hop says that legacy may answer. A connection that could not be made, or broke before the request
was written, proves that nothing was processed. A connection that broke later proves nothing: only a safe method goes
again, which no field of Envoy's policy can say, so a request header says it.
"""

from .proto import Json

REPLAY_HEADER = "x-fig-replay"
TRIES = 3
"""Lambda, legacy, and legacy once more when its connection had been closed while unused."""

_SAFE = "request.method == 'GET' || request.method == 'HEAD' || request.method == 'OPTIONS'"


def policy() -> Json:
    """The retry policy of every route."""
    return {
        "retry_on": "retriable-headers,connect-failure,reset-before-request,refused-stream",
        "retriable_headers": [{"name": REPLAY_HEADER, "present_match": True}],
        "num_retries": TRIES - 1,
        "retry_back_off": {"base_interval": "0.001s", "max_interval": "0.001s"},
        # A host that refuses connections would be chosen again: its users' keys lead to it.
        "retry_host_predicate": [
            {
                "name": "envoy.retry_host_predicates.previous_hosts",
                "typed_config": {
                    "@type": "type.googleapis.com/envoy.extensions.retry.host.previous_hosts.v3.PreviousHostsPredicate"
                },
            }
        ],
        "host_selection_retry_max_attempts": 10,
    }


def request_headers() -> dict[str, str]:
    """The request headers, read and removed by Envoy itself, that let safe methods go again; a client's is replaced."""
    return {"x-envoy-retry-on": f"%CEL({_SAFE} ? 'reset' : 'never')%"}

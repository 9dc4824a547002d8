"""The names that two packages must agree on: request and response headers.

Every inbound header that begins with `HEADER_PREFIX` is removed at the entry, so upstreams may trust them.
"""

HEADER_PREFIX = "x-fig-"
USER_HEADER = "x-fig-user"
ROUTE_HEADER = "x-fig-route"
SIDE_HEADER = "x-fig-side"
CLIENT_HEADER = "x-fig-client"
HOST_HEADER = "x-fig-host"
"""The client's `:authority`: Envoy's `aws_lambda` filter leaves pseudo-headers out of the event."""
CLAIMS_HEADER = "x-fig-claims"
SHADOW_HEADER = "x-fig-shadow"
ASSIGNED_HEADER = "x-fig-assigned"
ORIGIN_HEADER = "x-fig-origin"
"""Marks calls that come back from a function; believed from the proxies' addresses only."""
FALLBACK_HEADER = "x-fig-fallback"
"""A function that answers this header with `FALLBACK_SAFE` says that it did nothing: legacy answers instead."""
FALLBACK_SAFE = "safe"

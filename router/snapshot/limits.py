"""How many requests a route takes: what exceeds it is answered 429 with Retry-After."""

from ..estate import Estate, Route
from .proto import Json


def filters(estate: Estate) -> list[Json]:  # noqa: ARG001
    """The entry's filters that count requests."""
    return []


def per_route(route: Route) -> Json:  # noqa: ARG001
    """What those filters do on a route, by filter name."""
    return {}

"""Who the user is and what a route asks of him: 401 and 403 are answered before any upstream is touched."""

from ..estate import Estate, Route
from .proto import Json


def filters(estate: Estate) -> list[Json]:  # noqa: ARG001
    """The entry's filters that verify identities, ask for scopes and roles, and sign claims."""
    return []


def per_route(route: Route) -> Json:  # noqa: ARG001
    """What those filters do on a route, by filter name."""
    return {}


def clusters(estate: Estate) -> list[Json]:  # noqa: ARG001
    """The clusters that those filters ask."""
    return []

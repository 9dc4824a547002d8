"""What the router's headers say of a request that reached legacy: its name of the route, its id, its role.

The entry removes what clients send under these names, so what arrives through a router is the router's.
"""

from collections.abc import Callable
from typing import Any

from strangler_fig.names import (
    REQUEST_ATTRIBUTE,
    ROLE_ATTRIBUTE,
    ROLE_PRIMARY,
    ROLE_SHADOW,
    ROUTE_ATTRIBUTE,
    ROUTE_HEADER,
    SHADOW_HEADER,
    SIDE_ATTRIBUTE,
)

LEGACY = "legacy"
_REQUEST_ID = "x-request-id"


def note(span: Any, method: str, header: Callable[[str], str]) -> None:
    """Put it on the span, and name the span by the method and the route: a path would make as many names as books."""
    route = header(ROUTE_HEADER)
    found = {ROUTE_ATTRIBUTE: route, REQUEST_ATTRIBUTE: header(_REQUEST_ID)}
    is_shadow = header(SHADOW_HEADER) == "1"
    span.set_attributes(
        {name: value for name, value in found.items() if value}
        | {SIDE_ATTRIBUTE: LEGACY, ROLE_ATTRIBUTE: ROLE_SHADOW if is_shadow else ROLE_PRIMARY}
    )
    name_by(span, method, route)


def name_by(span: Any, method: str, route: str) -> None:
    """Name the span by the method and the route, where there is one."""
    span.update_name(f"{method} {route}" if route else method)


def note_route(span: Any, method: str, template: str) -> None:
    """Note the template of the application's own route, which only its framework knows."""
    span.set_attribute("http.route", template)
    name_by(span, method, template)

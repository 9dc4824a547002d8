"""What the entry owes the VIP in front of it: its word about the client, its monitor, its TLS."""

from ..estate import Entry
from .proto import Json


def client_address(entry: Entry) -> Json:  # noqa: ARG001
    """The connection manager's fields that say who the client is."""
    return {"use_remote_address": True}


def listener_filters(entry: Entry) -> Json:  # noqa: ARG001
    """The listener's fields that read what precedes HTTP on a connection."""
    return {}


def transport_socket(entry: Entry) -> Json:  # noqa: ARG001
    """The filter chain's fields that speak TLS."""
    return {}


def filters(entry: Entry) -> list[Json]:  # noqa: ARG001
    """The filters that answer the VIP's monitor."""
    return []

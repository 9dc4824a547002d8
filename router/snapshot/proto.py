"""The shapes that several resource types share: typed extensions, addresses, durations, header changes."""

import functools
from collections.abc import Mapping
from typing import Any

from ..estate import Endpoint

Json = dict[str, Any]

_EXTENSIONS = "type.googleapis.com/envoy.extensions."
MAX_HEADERS = 1_000
"""How many headers a request may have; Envoy's default of 100 is met by real clients."""
UNLIMITED = 4_294_967_295
"""The largest uint32: Envoy's defaults of 1,024 connections and requests would be limits that nobody asked for."""


def extension(kind: str, **fields: Any) -> Json:
    """A typed config of an Envoy extension, by its type below `envoy.extensions`."""
    return {"@type": _EXTENSIONS + kind, **fields}


def api_type(kind: str, **fields: Any) -> Json:
    """A typed config of Envoy's API, by its full type name."""
    return {"@type": f"type.googleapis.com/{kind}", **fields}


@functools.cache
def seconds(value: float) -> str:
    """A duration as protobuf's JSON writes it."""
    return f"{value:.9f}".rstrip("0").rstrip(".") + "s"


def socket_address(endpoint: Endpoint) -> Json:
    """An address that Envoy binds or connects to."""
    return {"socket_address": {"address": endpoint.host, "port_value": endpoint.port}}


def address_range(text: str) -> Json:
    """A range of addresses; a lone address is a range of one."""
    address, _, length = text.partition("/")
    whole = 128 if ":" in address else 32
    return {"address_prefix": address, "prefix_len": int(length) if length else whole}


def headers(values: Mapping[str, str]) -> list[Json]:
    """Header values that replace what is there."""
    return [
        {"header": {"key": key, "value": value}, "append_action": "OVERWRITE_IF_EXISTS_OR_ADD"}
        for key, value in values.items()
    ]


def watched(kind: str) -> Json:
    """The configuration source of one resource type: its own directory, whose `current` is replaced by rename."""
    return {
        "path_config_source": {"path": f"live/{kind}/current", "watched_directory": {"path": f"live/{kind}"}},
        "resource_api_version": "V3",
    }


def resources(kind: str, values: list[Json]) -> Json:
    """A discovery response that holds `values`, each of the type `kind`."""
    return {"resources": [api_type(kind, **value) for value in values]}

"""Old and wrong names of attributes, as emitters really send them, made OpenTelemetry's stable ones.

What an emitter sent stays, under `ENVOY_PREFIX` or `ORIGINAL_PREFIX`. Doing it twice changes nothing: no name that
comes out is one that goes in. Values were masked before, under names that mean the same. Source: what Envoy 1.40.0,
opentelemetry-instrumentation-aws-lambda 0.66b1 and the SDK really send; opentelemetry-semantic-conventions 0.66b1,
schema 1.44.0.
"""

import re
from functools import lru_cache

from strangler_fig.names import REQUEST_ATTRIBUTE

from ..tables import Attributes

ENVOY_PREFIX = "envoy."
ORIGINAL_PREFIX = "original."

_ENVOY = {
    "http.method": "http.request.method",
    "http.url": "url.full",
    "http.status_code": "http.response.status_code",
    "http.protocol": "network.protocol.version",
    "user_agent": "user_agent.original",
    "peer.address": "client.address",
    "upstream_address": "network.peer.address",
    "request_size": "http.request.body.size",
    "response_size": "http.response.body.size",
    "guid:x-request-id": REQUEST_ATTRIBUTE,
    "guid:x-client-trace-id": "",
    "upstream_cluster": "",
    "upstream_cluster.name": "",
    "response_flags": "",
    "downstream_cluster": "",
    "component": "",
    "node_id": "",
    "zone": "",
    "error": "",
}
_OLD = {
    "http.method": "http.request.method",
    "http.status_code": "http.response.status_code",
    "http.url": "url.full",
    "http.target": "url.path",
    "http.scheme": "url.scheme",
    "http.host": "server.address",
    "http.server_name": "server.address",
    "http.user_agent": "user_agent.original",
    "http.client_ip": "client.address",
    "http.flavor": "network.protocol.version",
    "http.request_content_length": "http.request.body.size",
    "http.response_content_length": "http.response.body.size",
    "net.host.name": "server.address",
    "net.host.port": "server.port",
    "net.peer.name": "server.address",
    "net.peer.port": "server.port",
    "net.peer.ip": "network.peer.address",
    "net.sock.peer.addr": "network.peer.address",
    "net.sock.peer.port": "network.peer.port",
    "db.system": "db.system.name",
    "db.name": "db.namespace",
    "db.statement": "db.query.text",
    "db.operation": "db.operation.name",
    "db.sql.table": "db.collection.name",
    "faas.execution": "faas.invocation_id",
    "faas.id": "cloud.resource_id",
    "deployment.environment": "deployment.environment.name",
}
_HOSTS = tuple(name for name, new in _OLD.items() if new == "server.address")
_VARIABLE = re.compile(r"/(?!v\d{1,3}(?:/|$))[^/]{0,256}\d")
_SLASHES_OF_A_PATH = 3
_CHANGED = frozenset({"network.protocol.version", "url.path"})
_VERSIONS = ("HTTP/", "http/")
STATUS_ATTRIBUTE = f"{ORIGINAL_PREFIX}status"
"""The status that a sender gave, where another one is kept."""
_FIRST_REFUSAL, _FIRST_FAILURE = 400, 500
_ADDRESS, _PORT = "server.address", "server.port"
_WITH_PORT = re.compile(r"(\[[0-9A-Fa-f:.%]{2,64}\]|[^:\[\]]{1,255}):(\d{1,5})")


def normalised(found: Attributes, *, is_envoy: bool) -> Attributes:
    """The attributes under stable names; a stable name that is there already wins over an old one."""
    steps = _steps(tuple(found), is_envoy)
    if not steps:
        return _without_port(found)
    result: Attributes = {}
    for (name, original, new), value in zip(steps, found.values(), strict=True):
        if not original:
            result[name] = value
            continue
        result.setdefault(original, value)
        if new and new not in result and not (is_envoy and _tells_nothing(name, value)):
            result[new] = _value(new, value) if new in _CHANGED else value
    if "http.target" in found and not is_envoy:
        _split_target(found["http.target"], result)
        _drop_raw_route(result)
    return _without_port(result)


@lru_cache(maxsize=2_048)
def _steps(names: tuple[str, ...], is_envoy: bool) -> tuple[tuple[str, str, str], ...]:  # noqa: FBT001 - a key of the cache
    """For each name of a set that some emitter sends: itself, where the original is kept, and its stable name.

    The last two are empty where there is none; the whole is where nothing is to be renamed.
    """
    renames, prefix = (_ENVOY, ENVOY_PREFIX) if is_envoy else (_OLD, ORIGINAL_PREFIX)
    if renames.keys().isdisjoint(names):
        return ()
    found = []
    for name in names:
        new = renames.get(name, "")
        if is_envoy and name == "peer.address" and "downstream_cluster" not in names:
            new = "network.peer.address"  # of a hop, the peer is whom it reached
        found.append((name, prefix + name if name in renames else "", "" if new in names else new))
    return tuple(found)


def is_mere_refusal(found: Attributes) -> bool:
    """Whether the span is Envoy's and its answer one from 400 to 499: Envoy says of hops that these are errors."""
    status = found.get("http.response.status_code", "")
    if found.get(f"{ENVOY_PREFIX}component") != "proxy" or not (status.isascii() and status.isdecimal()):
        return False
    return _FIRST_REFUSAL <= int(status[:4]) < _FIRST_FAILURE


def _tells_nothing(name: str, value: str) -> bool:
    """Whether Envoy says nothing: `-`, or a URL that ends before its path, where paths are not to be told."""
    return value in ("", "-") or (name == "http.url" and value.count("/") < _SLASHES_OF_A_PATH)


def _value(name: str, value: str) -> str:
    if name == "network.protocol.version" and value.startswith(_VERSIONS):
        return value[5:]
    if name == "url.path":
        return value.partition("?")[0]
    return value


def _without_port(result: Attributes) -> Attributes:
    """The attributes with the server's port by itself: emitters of WSGI write it behind its address (`Host`)."""
    address = result.get(_ADDRESS)
    if address is not None and ":" in address and (parts := _WITH_PORT.fullmatch(address)):
        is_kept = address in (result.get(f"{ORIGINAL_PREFIX}{name}") for name in _HOSTS)
        original = {} if is_kept else {f"{ORIGINAL_PREFIX}{_ADDRESS}": address}
        return {_PORT: parts[2], **original, **result, _ADDRESS: parts[1].strip("[]")}
    return result


def _split_target(target: str, result: Attributes) -> None:
    _, question, query = target.partition("?")
    if question:
        result.setdefault("url.query", query)  # masked already, as the target's


def _drop_raw_route(result: Attributes) -> None:
    """Take away an `http.route` that is only the path, as the Lambda instrumentor sends it for HTTP APIs.

    A path without any variable part cannot be told from a route, and is no worse one.
    """
    route = result.get("http.route")
    if route is not None and route == result.get("url.path") and _VARIABLE.search(route):
        del result["http.route"]
        result.setdefault(f"{ORIGINAL_PREFIX}http.route", route)

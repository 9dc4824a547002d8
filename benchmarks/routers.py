"""The router that is measured, as the compiler makes it, and Envoy without any of it, as the thing to compare with."""

import http.client
import json
import socket
import subprocess
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import orjson

from benchmarks.measuring import free_port, process
from router.snapshot.compiler import compile_estate
from router.snapshot.manifest import Manifest
from router.snapshot.runtime import weights_file
from router.source.load import load_estate
from router.weight import Weight
from tests.router.dataplane.harness import CREDENTIALS, ENVOY, link

Files = dict[str, Any]
"""A snapshot's Envoy files by name, parsed: an edit may change them before Envoy reads them."""


def compiled(text: str, environment: Mapping[str, str], weights: Mapping[str, int]) -> tuple[Manifest, Files]:
    """What the compiler makes of the estate with these weights at rest. Raises `SystemExit` when it is refused."""
    loaded = load_estate(text, file="estate.yaml", environment=environment)
    if loaded.estate is None:
        raise SystemExit("\n".join(str(one) for one in loaded.diagnostics[:5]))
    snapshot = compile_estate(loaded.estate, {name: Weight(parts) for name, parts in weights.items()})
    return snapshot.manifest, {name: orjson.loads(data) for name, data in snapshot.files.items()}


@contextmanager
def router(
    text: str,
    folder: Path,
    *,
    core: int,
    moving: Mapping[str, int],
    environment: Mapping[str, str] = {},
    edit: Callable[[Files], None] = lambda _files: None,
) -> Iterator[tuple[int, int]]:
    """A router with one worker on one core, some of its routes moving; yields its entry's port and its id."""
    port = free_port()
    manifest, files = compiled(text, {"ENTRY_PORT": str(port), **environment}, moving)
    edit(files)
    with serving(manifest, files, folder, core=core, moving=moving, port=port) as pid:
        yield port, pid


@contextmanager
def serving(
    manifest: Manifest, files: Files, folder: Path, *, core: int, moving: Mapping[str, int], port: int
) -> Iterator[int]:
    """An Envoy with one worker on one core that serves these compiled files; yields its id."""
    for name in ("logs", "weights", "snapshot"):
        (folder / name).mkdir()
    for name, content in files.items():
        (folder / "snapshot" / name).write_bytes(orjson.dumps(content))
    for kind, file in {"cds": "clusters.json", "lds": "listeners.json", "rds": "routes.json"}.items():
        link(folder / "live" / kind / "current", folder / "snapshot" / file)
    weights = folder / "weights" / "1.json"
    weights.write_bytes(weights_file(1, manifest, {name: Weight(parts) for name, parts in moving.items()}))
    link(folder / "live" / "rtds" / "current", weights)
    (folder / "log.key").write_text("00112233445566ff")
    with envoy(folder / "snapshot" / "bootstrap.json", folder, core=core, port=port) as pid:
        yield pid


@contextmanager
def envoy(config: Path, folder: Path, *, core: int, port: int) -> Iterator[int]:
    """An Envoy as a node starts it, but with one worker; yields its id."""
    command = [str(ENVOY), "-c", str(config), "--disable-hot-restart", "--concurrency", "1"]
    command += ["--service-node", "bench", "--service-cluster", "fig", "--log-level", "warning"]
    command += ["--component-log-level", "tracing:critical", "--file-flush-interval-msec", "1000"]
    with process(command, core=core, folder=folder, port=port, environment=CREDENTIALS) as pid:
        yield pid


@contextmanager
def bare_envoy(backend: int, folder: Path, *, core: int) -> Iterator[tuple[int, int]]:
    """Envoy with a weighted route by a header's hash, and nothing else: no log, no counters of ours, no Lua."""
    port = free_port()
    clusters = [_cluster("first", backend), _cluster("second", backend)]
    weighted = {"clusters": [{"name": one["name"], "weight": 5000} for one in clusters], "use_hash_policy": True}
    action = {"weighted_clusters": weighted, "hash_policy": [{"header": {"header_name": "x-user"}, "terminal": True}]}
    with static_envoy(port, [{"match": {"prefix": "/"}, "route": action}], clusters, folder, core=core) as pid:
        yield port, pid


@contextmanager
def bare_envoy_lambda(api: int, folder: Path, *, core: int) -> Iterator[tuple[int, int]]:
    """Envoy with its `aws_lambda` filter and nothing else: no fallback, no stickiness, no inner hop."""
    port = free_port()
    cluster = _cluster("api", api) | {
        "metadata": {"filter_metadata": {"com.amazonaws.lambda": {"egress_gateway": True}}}
    }
    invoke = {
        "@type": "type.googleapis.com/envoy.extensions.filters.http.aws_lambda.v3.Config",
        "arn": "arn:aws:lambda:eu-west-1:123456789012:function:books:live",
        "host_rewrite": f"127.0.0.1:{api}",
    }
    routes = [{"match": {"prefix": "/"}, "route": {"cluster": "api"}}]
    filters = [{"name": "envoy.filters.http.aws_lambda", "typed_config": invoke}]
    with static_envoy(port, routes, [cluster], folder, core=core, filters=filters) as pid:
        yield port, pid


@contextmanager
def static_envoy(
    port: int,
    routes: list[Any],
    clusters: list[Any],
    folder: Path,
    *,
    core: int,
    filters: list[Any] = [],  # noqa: B006 - never changed
) -> Iterator[int]:
    """An Envoy whose whole configuration is one file; yields its id."""
    last = {
        "name": "envoy.filters.http.router",
        "typed_config": {"@type": "type.googleapis.com/envoy.extensions.filters.http.router.v3.Router"},
    }
    manager = {
        "@type": (
            "type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager"
        ),
        "stat_prefix": "bare",
        "http_filters": [*filters, last],
        "route_config": {"virtual_hosts": [{"name": "all", "domains": ["*"], "routes": routes}]},
    }
    listener = {
        "name": "entry",
        "address": {"socket_address": {"address": "127.0.0.1", "port_value": port}},
        "filter_chains": [
            {"filters": [{"name": "envoy.filters.network.http_connection_manager", "typed_config": manager}]}
        ],
    }
    config = folder / "envoy.json"
    config.write_text(json.dumps({"static_resources": {"listeners": [listener], "clusters": clusters}}))
    with envoy(config, folder, core=core, port=port) as pid:
        yield pid


def admin(state: Path, path: str) -> str:
    """What the admin socket of the Envoy in that state directory answers."""
    with socket.socket(socket.AF_UNIX) as client:
        client.settimeout(10)
        client.connect(str(state / "admin.sock"))
        client.sendall(f"GET {path} HTTP/1.1\r\nHost: admin\r\nConnection: close\r\n\r\n".encode())
        response = http.client.HTTPResponse(client)
        response.begin()
        return response.read().decode()


def envoy_version() -> str:
    """The version of the Envoy that is measured."""
    output = subprocess.run([ENVOY, "--version"], capture_output=True, text=True, check=True).stdout
    return output.partition("version: ")[2].split("/")[1]


def _cluster(name: str, port: int) -> dict[str, Any]:
    address = {"address": "127.0.0.1", "port_value": port}
    endpoint = {"endpoint": {"address": {"socket_address": address}}}
    return {
        "name": name,
        "type": "STATIC",
        "connect_timeout": "1s",
        "load_assignment": {"cluster_name": name, "endpoints": [{"lb_endpoints": [endpoint]}]},
    }

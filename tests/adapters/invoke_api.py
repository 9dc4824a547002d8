"""A stand-in for the Invoke API that runs one handler in this process, and an Envoy in front of it like the router's.

Outer listener -> HTTP/2 -> internal listener with `aws_lambda` -> this API.
"""

import json
import os
import subprocess
import sys
import threading
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

ENVOY = Path(sys.executable).with_name("envoy")
_TYPES = "type.googleapis.com/envoy.extensions"


@contextmanager
def invoke_api(handler: Callable[[Any, Any], Any], seen: list[Any]) -> Iterator[int]:
    """The port of an Invoke API that gives each event to `handler`; the events are appended to `seen`."""

    class Invoke(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            event = json.loads(self.rfile.read(int(self.headers["content-length"])))
            seen.append(event)
            try:
                answer, failed = json.dumps(handler(event, None)).encode(), False
            except Exception as error:  # noqa: BLE001 - the service reports whatever the function raises
                answer, failed = json.dumps({"errorType": type(error).__name__}).encode(), True
            self.send_response(200)
            if failed:
                self.send_header("x-amz-function-error", "Unhandled")
            self.send_header("content-length", str(len(answer)))
            self.end_headers()
            self.wfile.write(answer)

        def log_message(self, *_args: object) -> None:
            """Say nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Invoke) as server:
        server.daemon_threads = True
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield server.server_port
        finally:
            server.shutdown()
            thread.join()


@contextmanager
def envoy(api_port: int, folder: Path) -> Iterator[int]:
    """The port of a real Envoy that invokes the API at `api_port` for every request."""
    configuration, address = folder / "envoy.json", folder / "admin.txt"
    configuration.write_text(json.dumps(_bootstrap(api_port)))
    environment = {
        "PATH": os.environ["PATH"],
        "AWS_ACCESS_KEY_ID": "AKIDEXAMPLE",
        "AWS_SECRET_ACCESS_KEY": "example",
        "AWS_EC2_METADATA_DISABLED": "true",
    }
    command = [str(ENVOY), "-c", str(configuration), "--concurrency", "1", "-l", "critical", "--use-dynamic-base-id"]
    with subprocess.Popen([*command, "--admin-address-path", str(address)], env=environment) as process:
        try:
            yield _port(address, process)
        finally:
            process.terminate()


def _port(address: Path, process: subprocess.Popen[bytes]) -> int:
    """The port that the system gave to the listener, once Envoy is live."""
    deadline = time.monotonic() + 30
    waiting = threading.Event()
    while time.monotonic() < deadline and process.poll() is None:
        try:
            admin = f"http://{address.read_text()}"
            if _get(f"{admin}/ready").strip() == b"LIVE":
                listeners = json.loads(_get(f"{admin}/listeners?format=json"))["listener_statuses"]
                entry = next(one for one in listeners if one["name"] == "entry")
                return int(entry["local_address"]["socket_address"]["port_value"])
        except OSError:
            pass  # not there yet: the deadline decides
        waiting.wait(0.02)
    message = f"Envoy is not live; exit code {process.poll()}"
    raise AssertionError(message)


def _get(url: str) -> bytes:
    with urllib.request.urlopen(url, timeout=5) as answer:  # noqa: S310 - an address on loopback
        return bytes(answer.read())


def _bootstrap(api_port: int) -> dict[str, Any]:
    entry = {"socket_address": {"address": "127.0.0.1", "port_value": 0}}
    lambda_filter = {
        "name": "envoy.filters.http.aws_lambda",
        "typed_config": {
            "@type": f"{_TYPES}.filters.http.aws_lambda.v3.Config",
            "arn": "arn:aws:lambda:eu-west-1:123456789012:function:books:live",
            "host_rewrite": "lambda.eu-west-1.amazonaws.com",
        },
    }
    router_headers = [
        {"header": {"key": "x-fig-host", "value": "%REQ(:AUTHORITY)%"}},
        {"header": {"key": "x-fig-client", "value": "%DOWNSTREAM_REMOTE_ADDRESS_WITHOUT_PORT%"}},
    ]
    api = _cluster("api", {"socket_address": {"address": "127.0.0.1", "port_value": api_port}})
    api["metadata"] = {"filter_metadata": {"com.amazonaws.lambda": {"egress_gateway": True}}}
    inner = _cluster("inner", {"envoy_internal_address": {"server_listener_name": "function"}})
    inner["typed_extension_protocol_options"] = {
        "envoy.extensions.upstreams.http.v3.HttpProtocolOptions": {
            "@type": f"{_TYPES}.upstreams.http.v3.HttpProtocolOptions",
            "explicit_http_config": {"http2_protocol_options": {}},
        }
    }
    internal = "envoy.bootstrap.internal_listener"
    return {
        "admin": {"address": entry},
        "bootstrap_extensions": [
            {"name": internal, "typed_config": {"@type": f"{_TYPES}.bootstrap.internal_listener.v3.InternalListener"}}
        ],
        "static_resources": {
            "listeners": [
                {"name": "entry", "address": entry, **_chain([], "inner", router_headers)},
                {"name": "function", "internal_listener": {}, **_chain([lambda_filter], "api", [])},
            ],
            "clusters": [inner, api],
        },
    }


def _chain(filters: list[Any], cluster: str, headers: list[Any]) -> dict[str, Any]:
    router = {"@type": f"{_TYPES}.filters.http.router.v3.Router", "suppress_envoy_headers": True}
    route = {"match": {"prefix": "/"}, "route": {"cluster": cluster}, "request_headers_to_add": headers}
    manager = {
        "@type": f"{_TYPES}.filters.network.http_connection_manager.v3.HttpConnectionManager",
        "stat_prefix": cluster,
        "generate_request_id": cluster == "inner",
        "http_filters": [*filters, {"name": "envoy.filters.http.router", "typed_config": router}],
        "route_config": {"virtual_hosts": [{"name": "all", "domains": ["*"], "routes": [route]}]},
    }
    name = "envoy.filters.network.http_connection_manager"
    return {"filter_chains": [{"filters": [{"name": name, "typed_config": manager}]}]}


def _cluster(name: str, address: dict[str, Any]) -> dict[str, Any]:
    endpoints = [{"lb_endpoints": [{"endpoint": {"address": address}}]}]
    return {"name": name, "type": "STATIC", "load_assignment": {"cluster_name": name, "endpoints": endpoints}}

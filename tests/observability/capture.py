"""Captures what an emitter sends, as a payload for the golden tests; times are moved to `telemetry.CAPTURED`.

    python -m tests.observability.capture flask-traces.pb -- python -m tests.observability.emitters.flask_shop
    python -m tests.observability.capture js-traces.json -- node shop.mjs    where npm has put the SDK, as below

    npm install @opentelemetry/api@1.9.1 @opentelemetry/sdk-node@0.223.0 @opentelemetry/instrumentation-http@0.223.0 \
        @opentelemetry/exporter-trace-otlp-http@0.223.1

The first request of the signal that the payload's name says is kept, in the form in which it came.
"""

import gzip
import os
import re
import subprocess
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from google.protobuf.message import Message
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from tests.observability.telemetry import CAPTURED, PAYLOADS


def captured(command: list[str], signal: str) -> bytes:
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
    name, _, *command = sys.argv[1:]
    signal = name.rpartition(".")[0].rpartition("-")[2]
    body = captured(command, signal)
    (PAYLOADS / name).write_bytes(moved(body, is_json=name.endswith(".json")))


if __name__ == "__main__":
    main()

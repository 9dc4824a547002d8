"""What one line costs a function: at its cold start, and at every invocation; and what its peers cost.

    python benchmarks/instrument.py [--quick] [--rounds 9]

Each figure is processor time of a process of its own, the least of the rounds: other work on the machine adds to it and
never takes away. The collector is a process that takes everything at once. The peers send what they send at the end of
each invocation, too.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

ROOT = Path(__file__).parent.parent
PEERS = ROOT / ".venv" / "peers" / "bin" / "python"
CALLS = 300
_SCRIPT = """
import json, logging, os, sys, time, traceback, importlib   # what awslambdaric has loaded
started = time.process_time()
sys.path[:0] = [{root!r}, {folder!r}]
if "adapters" in sys.argv:
    import adapters.invocation, adapters.service, boto3
before = time.process_time()
import function
{line}
handler = function.handler
class Context:
    aws_request_id = "r"
    function_name = "books"
    invoked_function_arn = "arn:aws:lambda:eu-west-1:123456789012:function:books"
    client_context = None
    memory_limit_in_mb = 128
    def get_remaining_time_in_millis(self):
        return 3000
trace = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
event = {{
    "version": "2.0", "rawPath": "/books/7", "rawQueryString": "", "headers": {{"host": "shop", "traceparent": trace}},
    "requestContext": {{"http": {{"method": "GET", "path": "/books/7"}}, "routeKey": "GET /books/{{id}}"}},
}}
real, sys.stdout = sys.stdout, open(os.devnull, "w")
handler(event, Context())
first = time.process_time()
for _ in range({calls}):
    handler(event, Context())
last = time.process_time()
print(json.dumps([started, (first - before) * 1e3, (last - first) / {calls} * 1e6]), file=real, flush=True)
os._exit(0)
"""
_OURS = "from observability import instrument\nfunction.handler = instrument.lambda_(function.handler)"
_OFFICIAL = """
from opentelemetry import trace
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
provider = TracerProvider()
provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
trace.set_tracer_provider(provider)
from opentelemetry.instrumentation.aws_lambda import AwsLambdaInstrumentor
AwsLambdaInstrumentor().instrument()
"""
_TRACER = """
from aws_lambda_powertools import Tracer
function.handler = Tracer(service="books").capture_lambda_handler(function.handler)
os.environ["_X_AMZN_TRACE_ID"] = "Root=1-67891233-abcdef012345678912345678;Parent=463ac35c9f6413ad;Sampled=1"
"""
_SUBJECTS = {
    "the line, to the log": (_OURS, False, sys.executable),
    "the line, over OTLP/HTTP": (_OURS, True, sys.executable),
    "opentelemetry-instrumentation-aws-lambda, over OTLP/HTTP": (_OFFICIAL, True, sys.executable),
    "Powertools Tracer (X-Ray SDK), to its daemon's port": (_TRACER, False, str(PEERS)),
}


class _Taking(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        """Take it."""
        self.rfile.read(int(self.headers["Content-Length"]))
        self.send_response(200)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_arguments: object) -> None:
        """Nothing."""


class _Server(ThreadingHTTPServer):
    def handle_error(self, *_arguments: object) -> None:
        """Nothing: each process ends with its connections open."""


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--rounds", type=int, default=9, help="rounds of which the least is shown")
    parser.add_argument("--quick", action="store_true", help="one round: does it run at all?")
    options = parser.parse_args()
    rounds = 1 if options.quick else options.rounds
    server = _Server(("127.0.0.1", 0), _Taking)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, daemon=True).start()
    with tempfile.TemporaryDirectory() as folder:
        Path(folder, "function.py").write_text("def handler(event, context):\n    return {'statusCode': 200}\n")
        endpoint = f"http://127.0.0.1:{server.server_address[1]}"
        least = {
            (name, loaded): _least(subject, loaded=loaded, folder=folder, endpoint=endpoint, rounds=rounds)
            for name, subject in {"a bare handler": ("", False, sys.executable), **_SUBJECTS}.items()
            for loaded in (False, True)
            if not (loaded and subject[2] == str(PEERS))
        }
    start = min(found[0] for found in least.values())
    print(f"processor time, the least of {rounds}; an empty interpreter starts in {start * 1e3:.0f} ms here\n")
    print("| | cold start, ms | with the adapters and boto3 loaded already, ms | a warm invocation, µs |")
    print("|---|---:|---:|---:|")
    bare = least["a bare handler", False]
    for name in _SUBJECTS:
        cold, loaded = least[name, False], least.get((name, True))
        more = f"{loaded[1] - least['a bare handler', True][1]:.0f}" if loaded else ""
        print(f"| {name} | {cold[1] - bare[1]:.0f} | {more} | {cold[2] - bare[2]:.0f} |")


def _least(subject: tuple[str, bool, str], *, loaded: bool, folder: str, endpoint: str, rounds: int) -> list[float]:
    """The least start (s), cold start (ms) and invocation (µs) of the rounds."""
    line, is_sent, python = subject
    script = _SCRIPT.format(root=str(ROOT), folder=folder, line=line, calls=CALLS)
    environment = {
        "PATH": os.environ["PATH"],
        "AWS_LAMBDA_FUNCTION_NAME": "books",
        "LAMBDA_TASK_ROOT": folder,
        "AWS_REGION": "eu-west-1",
        "_HANDLER": "function.handler",
        **({"OTEL_EXPORTER_OTLP_ENDPOINT": endpoint} if is_sent else {}),
    }
    found = []
    for _ in range(rounds):
        command = [python, "-c", script, *(["adapters"] if loaded else [])]
        done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=120, check=True)
        found.append(json.loads(done.stdout))
    return [min(one) for one in zip(*found, strict=True)]


if __name__ == "__main__":
    main()

"""Where the user has set OpenTelemetry up himself, spans go his way, and still nobody waits."""

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[3]
SCRIPT = """
import threading
from opentelemetry import trace
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExporter, SpanExportResult

class Own(SpanExporter):
    def export(self, spans):
        print("exported", spans[-1].name, flush=True)
        if spans[-1].attributes["url.path"] == "/hangs":
            threading.Event().wait()
        return SpanExportResult.SUCCESS

provider = TracerProvider(shutdown_on_exit=False)
provider.add_span_processor(BatchSpanProcessor(Own(), schedule_delay_millis=3_600_000))
trace.set_tracer_provider(provider)

from observability import instrument

@instrument.lambda_(flush=0.2)
def handler(event, context):
    return {"statusCode": 200}

for path in ("/books", "/hangs", *["/books"] * 5):
    handler({"method": "GET", "raw_path": path, "headers": {}}, None)
    print("answered", threading.active_count() < 4, flush=True)
import os
os._exit(0)
"""


def test_the_users_own_provider_is_flushed_and_not_waited_for() -> None:
    """Each invocation's span is exported before its answer; an exporter that hangs holds up nobody."""
    environment = {"PATH": os.environ["PATH"], "AWS_LAMBDA_FUNCTION_NAME": "books"}
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    exported, answered = "exported GET", "answered True"
    assert done.stdout.splitlines() == [exported, answered, exported, *[answered] * 6], done.stderr

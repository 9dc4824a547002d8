"""The tracer without the SDK: what it sends is what the SDK would have sent; it stands back where more is wanted."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from opentelemetry import trace
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

from observability.instrument import encode, lean
from observability.instrument.ids import Ids
from observability.instrument.kept import KeptSpans, Losses, Queue

ROOT = Path(__file__).parents[3]
NAMED = {"service.name": "books"}
PARENT = "4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7"


def made(kind: str) -> tuple[Any, Queue[Any]]:
    """A provider of this kind, and where its spans end."""
    queue: Queue[Any] = Queue(100, Losses(), "lost")
    provider: Any = lean.LeanProvider(NAMED)
    if kind == "sdk":
        ids: Any = Ids()
        provider = TracerProvider(resource=Resource(NAMED), shutdown_on_exit=False, id_generator=ids)
    provider.add_span_processor(KeptSpans(queue))
    return provider, queue


def story(provider: Any, flags: str) -> None:
    """What a request does: a span of the caller's trace, others in it, an event, a link, a failure, too many values."""
    headers = {"traceparent": f"00-{PARENT}-{flags}", "tracestate": "a=1"}
    context = TraceContextTextMapPropagator().extract(headers)
    tracer = provider.get_tracer("shop", "1.0", "https://example.invalid/schema")
    first = tracer.start_span("GET", context, trace.SpanKind.SERVER, {"a": 1, "list": ["x", "y"]}, start_time=10)
    with trace.use_span(first, end_on_exit=False):
        link = trace.Link(first.get_span_context(), {"why": "again"})
        inner = provider.get_tracer("other").start_span("inside", links=[link], start_time=11)
        inner.set_attributes({f"key{number}": number for number in range(130)})
        inner.end(12)
    first.add_event("cache miss", {"key": "b", "odd": object()}, 13)
    first.record_exception(KeyError("moss"), timestamp=14)
    first.set_attribute("wrong", object())
    first.set_status(trace.StatusCode.ERROR, "no moss")
    first.set_status(trace.StatusCode.UNSET)
    first.update_name("GET /books")
    first.end(15)
    first.end(16)
    first.set_attribute("late", 1)
    with pytest.raises(ValueError, match="planted"):
        fail(tracer)


def fail(tracer: Any) -> None:
    """Fail within a span that is the current one."""
    with tracer.start_as_current_span("root", trace.set_span_in_context(trace.INVALID_SPAN)) as root:
        assert trace.get_current_span() is root
        root.set_status(trace.StatusCode.OK)
        message = "planted"
        raise ValueError(message)


def sent(kind: str, flags: str) -> str:
    """The story as OTLP, without what differs from run to run: random ids, the clock, and where the code stands."""
    provider, queue = made(kind)
    story(provider, flags)
    text = json.dumps(encode.traces(NAMED, queue.taken()), indent=1, sort_keys=True)
    assert PARENT.partition("-")[0] in text or flags == "00"
    text = re.sub(r'"(spanId|parentSpanId)": "(?!00f067aa0ba902b7)\w+"', r'"\1": "..."', text)
    text = re.sub(r'"traceId": "(?!4bf9)\w+"', '"traceId": "..."', text)
    text = re.sub(r'UnixNano": "\d{6,}"', 'UnixNano": "now"', text)
    return re.sub(r"(?:\\n  File|Traceback) .*(?=ValueError: planted)", "Traceback", text)


@pytest.mark.parametrize("flags", ["00", "01", "03"])
def test_it_sends_what_the_sdk_would_send(flags: str) -> None:
    """Spans, their parents, flags, states, attributes, events, links and failures are those of the SDK's tracer."""
    assert sent("lean", flags) == sent("sdk", flags)


@pytest.mark.parametrize(
    "said",
    [
        f"00-{PARENT}-01",
        f"00-{PARENT}-00",
        f"00-{PARENT}-ff",
        f"00-{PARENT}-01-more",
        f"cc-{PARENT}-01-more",
        f"ff-{PARENT}-01",
        f"00-{'0' * 32}-{'1' * 16}-01",
        f"00-{'1' * 32}-{'0' * 16}-01",
        f"00-{PARENT.upper()}-01",
        f"00-{PARENT}",
        "",
    ],
)
def test_a_traceparent_is_read_as_the_official_propagator_reads_it(said: str) -> None:
    """Which caller it names, and whether it names one, is the same."""
    official = trace.get_current_span(TraceContextTextMapPropagator().extract({"traceparent": said}))
    ours = trace.get_current_span(lean.context_of(said))
    assert ours.get_span_context() == official.get_span_context()


def test_processors_of_others_are_told() -> None:
    """A span processor that somebody adds hears of spans, and reads them as the SDK's."""
    provider, _ = made("lean")
    heard: list[Any] = []

    class Own:
        def on_start(self, span: Any, parent_context: Any = None) -> None:
            heard.append((span.name, parent_context))

        def on_end(self, span: Any) -> None:
            heard.append((span.name, span.resource.attributes["service.name"], span.end_time))

        def force_flush(self, timeout_millis: int) -> bool:
            heard.append(timeout_millis)
            return True

    provider.add_span_processor(Own())
    provider.get_tracer("shop").start_span("one").end(7)
    assert provider.force_flush(50)
    assert heard == [("one", None), ("one", "books", 7), 50]


SCRIPT = """
import os, sys
from observability import instrument

@instrument.lambda_
def handler(event, context):
    return {"statusCode": 200}

handler({"method": "GET", "raw_path": "/books", "headers": {}}, None)
print("opentelemetry.sdk" in sys.modules, "opentelemetry.propagate" in sys.modules, file=sys.stderr)
"""


@pytest.mark.parametrize(
    ("variables", "is_loaded"),
    [
        ({}, False),
        ({"OTEL_TRACES_SAMPLER": ""}, False),
        ({"OTEL_TRACES_SAMPLER": "always_on"}, True),
        ({"OTEL_SPAN_EVENT_COUNT_LIMIT": "5"}, True),
    ],
    ids=["nothing is asked for", "nothing is asked for by an empty variable", "a sampler", "a limit"],
)
def test_the_sdk_is_loaded_for_who_asks_for_it(variables: dict[str, str], is_loaded: bool) -> None:  # noqa: FBT001 - a case
    """Where no variable wants more than the lean tracer has, the first invocation is told without the SDK's import."""
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT],
        cwd=ROOT,
        env={"PATH": os.environ["PATH"], "AWS_LAMBDA_FUNCTION_NAME": "books", **variables},
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    assert done.stderr.split() == [str(is_loaded), "False"]
    (line,) = done.stdout.splitlines()
    resource = {
        one["key"]: one["value"]["stringValue"]
        for one in json.loads(line)["resourceSpans"][0]["resource"]["attributes"]
        if "stringValue" in one["value"]
    }
    assert resource["telemetry.sdk.name"] == ("opentelemetry" if is_loaded else "observability.instrument")

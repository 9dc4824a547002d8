"""A tracer without OpenTelemetry's SDK, whose import is most of what the one line costs a cold start.

It has what the API asks for and this package sends: spans with attributes, events, links and a status, all of them
recorded unless the caller's trace is not sampled, and limits as the SDK has them by default. Whoever wants more says so
by a variable, or has the SDK loaded: then it is the SDK's tracer (`process`).

Spans have the names of the SDK's `ReadableSpan`, so span processors of others read them.

Source: OpenTelemetry specification 1.5x, "Trace API" and "Trace SDK"; opentelemetry-sdk 1.45.
"""

import collections
import logging
import os
import re
import sys
import threading
import time
import traceback
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from opentelemetry import context as contexts
from opentelemetry import trace
from opentelemetry.attributes import BoundedAttributes
from opentelemetry.trace.status import Status, StatusCode
from opentelemetry.util._decorator import _agnosticcontextmanager

from .ids import Ids

MOST = 128
"""Attributes, events and links of a span; the SDK's defaults."""
_WISHES = (
    "OTEL_TRACES_SAMPLER",
    "OTEL_EXPERIMENTAL_RESOURCE_DETECTORS",
    "OTEL_PYTHON_ID_GENERATOR",
    "OTEL_PYTHON_SDK_INTERNAL_METRICS_ENABLED",
)
_SUFFIX = "_LIMIT"
TRACEPARENT = re.compile(r"[0-9a-f]{2}-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}(?:-.*)?")
_LENGTH = 55
"""Of a traceparent of version 00, which has nothing more. Source: W3C Trace Context, "traceparent header"."""
_log = logging.getLogger("observability.instrument")


class Scope(NamedTuple):
    """Who makes spans."""

    name: str
    version: str | None
    schema_url: str | None


class Event(NamedTuple):
    """Something that happened in a span."""

    name: str
    attributes: Mapping[str, Any]
    timestamp: int


def is_enough() -> bool:
    """Whether nobody asks for what only the SDK has, and its import is not paid for already."""
    asked = any(os.environ.get(name, "").strip() for name in _WISHES)
    is_limited = any(name.startswith("OTEL_") and name.endswith(_SUFFIX) and said for name, said in os.environ.items())
    return not asked and not is_limited and "opentelemetry.sdk.trace" not in sys.modules


def context_of(traceparent: str) -> contexts.Context:
    """The context that a caller's traceparent says, as the official propagator reads it; empty where it is none."""
    is_odd = traceparent.startswith("ff") or (traceparent.startswith("00") and len(traceparent) > _LENGTH)
    if is_odd or not TRACEPARENT.fullmatch(traceparent):
        return contexts.Context()
    _, trace_id, span_id, flags = traceparent.split("-")[:4]
    known = trace.SpanContext(
        int(trace_id, 16), int(span_id, 16), is_remote=True, trace_flags=trace.TraceFlags(int(flags, 16))
    )
    return trace.set_span_in_context(trace.NonRecordingSpan(known), contexts.Context())


class LeanSpan(trace.Span):
    """A span that is recorded."""

    def __init__(self, provider: "LeanProvider", scope: Scope, name: str, context: trace.SpanContext) -> None:
        self.name, self.context, self.instrumentation_scope = name, context, scope
        self.parent: trace.SpanContext | None = None
        self.kind = trace.SpanKind.INTERNAL
        self.status = Status(StatusCode.UNSET)
        self.start_time = 0
        self.end_time: int | None = None
        self.events: collections.deque[Event] = collections.deque(maxlen=MOST)
        self.links: collections.deque[trace.Link] = collections.deque(maxlen=MOST)
        self.attributes = BoundedAttributes(MOST, immutable=False)
        self._provider = provider
        self._lock = threading.Lock()

    @property
    def dropped_attributes(self) -> int:
        """How many attributes there was no room for."""
        return int(self.attributes.dropped)

    @property
    def resource(self) -> Any:
        """Who tells, as the SDK's processors read it."""
        return self._provider.resource

    def get_span_context(self) -> trace.SpanContext:
        """Its ids."""
        return self.context

    def is_recording(self) -> bool:
        """Whether it has not ended."""
        return self.end_time is None

    def set_attribute(self, key: str, value: Any) -> None:
        """Set an attribute."""
        if self._is_open():
            self.attributes[key] = value

    def set_attributes(self, attributes: Mapping[str, Any]) -> None:
        """Set attributes."""
        for key, value in attributes.items():
            self.set_attribute(key, value)

    def add_event(self, name: str, attributes: Any = None, timestamp: int | None = None) -> None:
        """Note what happened, now or at `timestamp` (nanoseconds since 1970)."""
        if self._is_open():
            self.events.append(Event(name, BoundedAttributes(MOST, attributes), timestamp or time.time_ns()))

    def add_link(self, context: trace.SpanContext, attributes: Any = None) -> None:
        """Link another span."""
        if self._is_open() and (context.is_valid or attributes or context.trace_state):
            self.links.append(trace.Link(context, BoundedAttributes(MOST, attributes)))

    def update_name(self, name: str) -> None:
        """Rename it."""
        if self._is_open():
            self.name = name

    def set_status(self, status: Status | StatusCode, description: str | None = None) -> None:
        """How it went; once it is good it stays so."""
        found = status if isinstance(status, Status) else Status(status, description)
        is_final = self.status.status_code is StatusCode.OK or found.status_code is StatusCode.UNSET
        if self._is_open() and not is_final:
            self.status = found

    def record_exception(
        self,
        exception: BaseException,
        attributes: Any = None,
        timestamp: int | None = None,
        escaped: bool = False,  # noqa: FBT001, FBT002 - the API's signature
    ) -> None:
        """Note an exception as an event."""
        kind = type(exception)
        is_built_in = kind.__module__ in {"builtins", "", None}
        told = {
            "exception.type": kind.__qualname__ if is_built_in else f"{kind.__module__}.{kind.__qualname__}",
            "exception.message": str(exception),
            "exception.stacktrace": "".join(traceback.format_exception(exception)),
            "exception.escaped": str(escaped),
        }
        self.add_event("exception", {**told, **(attributes or {})}, timestamp)

    def end(self, end_time: int | None = None) -> None:
        """End it, and hand it to the processors."""
        with self._lock:
            if not self._is_open():
                return
            self.end_time = end_time if end_time is not None else time.time_ns()
        for one in self._provider.processors:
            one.on_end(self)

    def _is_open(self) -> bool:
        if self.end_time is not None:
            _log.warning("the span %s has ended, and cannot be changed", self.name)
        return self.end_time is None


class LeanTracer(trace.Tracer):
    """Makes the spans of one scope."""

    def __init__(self, provider: "LeanProvider", scope: Scope) -> None:
        self._provider, self._scope = provider, scope

    def start_span(  # noqa: PLR0913, PLR0917 - the API's signature
        self,
        name: str,
        context: Any = None,
        kind: trace.SpanKind = trace.SpanKind.INTERNAL,
        attributes: Any = None,
        links: Sequence[trace.Link] | None = (),
        start_time: int | None = None,
        record_exception: bool = True,  # noqa: ARG002, FBT001, FBT002 - as above; `use_span` sees to it
        set_status_on_exception: bool = True,  # noqa: ARG002, FBT001, FBT002 - as above
    ) -> trace.Span:
        """A span below the current one, or the context's; none that is recorded where that is not sampled."""
        above = trace.get_current_span(context).get_span_context()
        parent = above if above.is_valid else None
        flags = trace.TraceFlags(parent.trace_flags & _NEW if parent else _NEW)
        known = trace.SpanContext(
            parent.trace_id if parent else self._provider.ids.generate_trace_id(),
            self._provider.ids.generate_span_id(),
            is_remote=False,
            trace_flags=flags,
            trace_state=parent.trace_state if parent else None,
        )
        if not flags.sampled:
            return trace.NonRecordingSpan(known)
        span = LeanSpan(self._provider, self._scope, name, known)
        span.parent, span.kind = parent, kind
        span.start_time = start_time if start_time is not None else time.time_ns()
        span.set_attributes(attributes or {})
        for link in links or ():
            span.add_link(link.context, link.attributes)
        for one in self._provider.processors:
            one.on_start(span, parent_context=context)
        return span

    @_agnosticcontextmanager
    def start_as_current_span(  # noqa: PLR0913, PLR0917 - the API's signature
        self,
        name: str,
        context: Any = None,
        kind: trace.SpanKind = trace.SpanKind.INTERNAL,
        attributes: Any = None,
        links: Sequence[trace.Link] | None = (),
        start_time: int | None = None,
        record_exception: bool = True,  # noqa: FBT001, FBT002 - as above
        set_status_on_exception: bool = True,  # noqa: FBT001, FBT002 - as above
        end_on_exit: bool = True,  # noqa: FBT001, FBT002 - as above
    ) -> Iterator[trace.Span]:
        """A span that is the current one for as long as the block."""
        span = self.start_span(name, context, kind, attributes, links, start_time)
        with trace.use_span(
            span,
            end_on_exit=end_on_exit,
            record_exception=record_exception,
            set_status_on_exception=set_status_on_exception,
        ):
            yield span


_NEW = trace.TraceFlags.SAMPLED | trace.TraceFlags.RANDOM_TRACE_ID


class LeanProvider(trace.TracerProvider):
    """What libraries that use OpenTelemetry's API get their tracers from."""

    def __init__(self, attributes: Mapping[str, Any]) -> None:
        self.ids = Ids()
        self.processors: tuple[Any, ...] = ()
        self._attributes = attributes

    @property
    def resource(self) -> Any:
        """The SDK's form of who tells: imported for a processor that asks."""
        from opentelemetry.sdk.resources import Resource  # noqa: PLC0415 - as the docstring says

        return Resource(dict(self._attributes))

    def get_tracer(
        self,
        instrumenting_module_name: str,
        instrumenting_library_version: str | None = None,
        schema_url: str | None = None,
        attributes: Any = None,  # noqa: ARG002 - the API's signature
    ) -> trace.Tracer:
        """The tracer of a scope."""
        return LeanTracer(self, Scope(instrumenting_module_name, instrumenting_library_version, schema_url))

    def add_span_processor(self, span_processor: Any) -> None:
        """Hand spans to this one, too, when they begin and when they end."""
        self.processors = (*self.processors, span_processor)

    def force_flush(self, timeout_millis: int = 30_000) -> bool:
        """Have every processor send what waits."""
        return not [one for one in self.processors if not one.force_flush(timeout_millis)]  # every one is asked

    def shutdown(self) -> None:
        """End every processor."""
        for one in self.processors:
            one.shutdown()

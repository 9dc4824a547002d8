"""OpenTelemetry's SDK for an application that serves for months: set up once in each process that serves.

    first request (or ASGI's lifespan) -> `ready` -> tracer, logger and meter provider, OTLP/HTTP exporters

A server that forks its workers (gunicorn, uWSGI) imports the application before, and threads and connections do not
survive a fork: so nothing is set up until a process serves. Where a process forks after that all the same, the SDK
starts its threads again in the child, and `_forked` gives it connections of its own.

Queues are bounded by the SDK (`OTEL_BSP_MAX_QUEUE_SIZE`, `OTEL_BLRP_MAX_QUEUE_SIZE`); what it drops it counts, in
metrics that `fig observe` shows as losses. At the end all that waits is sent, for `END_SECONDS` and one request's
timeout at most.
"""

import atexit
import logging
import os
import threading
import time
from collections.abc import Sequence
from typing import Any

import requests
from opentelemetry import _logs as logs_api
from opentelemetry import metrics, trace
from opentelemetry._logs import SeverityNumber
from opentelemetry.exporter.otlp.proto.http._log_exporter import OTLPLogExporter
from opentelemetry.exporter.otlp.proto.http.metric_exporter import OTLPMetricExporter
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk._logs import LoggerProvider
from opentelemetry.sdk._logs.export import BatchLogRecordProcessor, LogRecordExportResult
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import MetricExportResult, MetricsData, PeriodicExportingMetricReader
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExportResult

from strangler_fig.names import SIDE_ATTRIBUTE

from .encode import Record
from .logged import Keeping, mark
from .variables import Signal, Way, variable, way

LEGACY = "legacy"
END_SECONDS = 5.0
INTERNAL_METRICS = "OTEL_PYTHON_SDK_INTERNAL_METRICS_ENABLED"
_once = threading.Lock()
_pid = 0
_ends: list[Any] = []
"""The providers, in the order in which they end: metrics last, which tell what the others lost."""


class _Ending:
    """When the process ends, and with it the time for sending."""

    def __init__(self) -> None:
        self._until = float("inf")

    def begin(self) -> None:
        """From now on there are `END_SECONDS`."""
        self._until = time.monotonic() + END_SECONDS

    def is_over(self) -> bool:
        """Whether nothing more is to be sent: a collector that does not answer must not hold up the end."""
        return time.monotonic() > self._until


_ending = _Ending()


class _Spans(OTLPSpanExporter):
    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        return SpanExportResult.FAILURE if _ending.is_over() else super().export(spans)


class _Logs(OTLPLogExporter):
    def export(self, batch: Sequence[Any]) -> LogRecordExportResult:
        return LogRecordExportResult.FAILURE if _ending.is_over() else super().export(batch)


class _Metrics(OTLPMetricExporter):
    def export(self, metrics_data: MetricsData, *arguments: Any, **more: Any) -> MetricExportResult:
        return MetricExportResult.FAILURE if _ending.is_over() else super().export(metrics_data, *arguments, **more)


def ready(service: str) -> None:
    """Set the SDK up where this process has none; costs a comparison where it has."""
    global _pid  # noqa: PLW0603 - of this process, once
    if _pid == os.getpid():
        return
    with _once:
        if _pid == os.getpid():
            return
        if _pid == 0 and not hasattr(trace.get_tracer_provider(), "add_span_processor"):
            _set_up(service)
        _pid = os.getpid()


def _set_up(service: str) -> None:
    os.environ.setdefault(INTERNAL_METRICS, "true")
    attributes = {SIDE_ATTRIBUTE: LEGACY} | ({"service.name": service} if service and not _is_named() else {})
    resource = Resource.create(attributes)
    sessions = [requests.Session() for _ in Signal]
    is_custom = bool(variable("OTEL_PYTHON_EXPORTER_OTLP_HTTP_CREDENTIAL_PROVIDER"))
    own: list[Any] = [None if is_custom else one for one in sessions]
    readers = []
    if way(Signal.METRICS, Way.OTLP) is Way.OTLP:
        readers = [PeriodicExportingMetricReader(_Metrics(session=own[0]))]
    meters = MeterProvider(readers, resource, shutdown_on_exit=False)
    metrics.set_meter_provider(meters)
    ends: list[Any] = [meters]
    if way(Signal.LOGS, Way.OTLP) is Way.OTLP:
        loggers = LoggerProvider(resource, shutdown_on_exit=False, meter_provider=meters)
        exporter = _Logs(session=own[1], meter_provider=meters)
        loggers.add_log_record_processor(BatchLogRecordProcessor(exporter, meter_provider=meters))
        logs_api.set_logger_provider(loggers)
        ends.insert(0, loggers)
    tracers = TracerProvider(resource=resource, shutdown_on_exit=False, meter_provider=meters)
    if way(Signal.TRACES, Way.OTLP) is Way.OTLP:
        spans = _Spans(session=own[2], meter_provider=meters)
        tracers.add_span_processor(BatchSpanProcessor(spans, meter_provider=meters))
    trace.set_tracer_provider(tracers)
    ends.insert(0, tracers)
    _listen(len(ends) == len(Signal))
    os.register_at_fork(after_in_child=lambda: _forked(sessions))
    _ends[:] = ends
    atexit.register(finish)


def _is_named() -> bool:
    """Whether a variable names the service: whoever operates it knows better than its code."""
    return bool(variable("OTEL_SERVICE_NAME")) or "service.name=" in variable("OTEL_RESOURCE_ATTRIBUTES")


def _listen(are_sent: bool) -> None:  # noqa: FBT001 - the one thing that it depends on
    def current() -> Any:
        return trace.get_current_span().get_span_context()

    mark(current, Keeping(current, _emit) if are_sent else None, [])


def _emit(record: Record) -> None:
    """Hand a record to the SDK, with the trace that it belongs to."""
    known = trace.SpanContext(
        record.trace_id, record.span_id, is_remote=False, trace_flags=trace.TraceFlags(record.flags)
    )
    logs_api.get_logger(record.scope).emit(
        timestamp=record.nanoseconds,
        observed_timestamp=record.nanoseconds,
        context=trace.set_span_in_context(trace.NonRecordingSpan(known)),
        severity_number=SeverityNumber(record.severity),
        severity_text=record.severity_text,
        body=record.body,
        attributes=dict(record.attributes),
    )


def _forked(sessions: Sequence[requests.Session]) -> None:
    """Connections of the child's own: those of the parent are the parent's, and so are the locks on them."""
    for session in sessions:
        session.mount("https://", requests.adapters.HTTPAdapter())
        session.mount("http://", requests.adapters.HTTPAdapter())


def finish() -> None:
    """Send what waits, and end: nothing is told after it. Takes `END_SECONDS` and one request's timeout at most."""
    providers, _ends[:] = list(_ends), []
    _ending.begin()
    for one in providers:
        try:
            one.shutdown()
        except Exception:
            logging.getLogger(__name__).debug("not shut down", exc_info=True)

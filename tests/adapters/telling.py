"""An SDK whose spans and metrics stay in memory, for one test."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import HistogramDataPoint, InMemoryMetricReader
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from adapters.telemetry import Instruments, telling


@dataclass(frozen=True, slots=True)
class Heard:
    """What was told."""

    exporter: InMemorySpanExporter
    reader: InMemoryMetricReader

    def spans(self) -> list[ReadableSpan]:
        """The spans that have ended, in order, once."""
        found = list(self.exporter.get_finished_spans())
        self.exporter.clear()
        return found

    def points(self, name: str) -> list[HistogramDataPoint]:
        """The data points of a histogram."""
        data = self.reader.get_metrics_data()
        scopes = [scope for resource in data.resource_metrics for scope in resource.scope_metrics] if data else []
        return [
            point
            for scope in scopes
            for metric in scope.metrics
            if metric.name == name and metric.unit == "s"
            for point in metric.data.data_points
            if isinstance(point, HistogramDataPoint)
        ]


@contextmanager
def listening() -> Iterator[Heard]:
    """Hear all that the adapters tell in the block."""
    heard = Heard(InMemorySpanExporter(), InMemoryMetricReader())
    tracers, meters = TracerProvider(shutdown_on_exit=False), MeterProvider([heard.reader], shutdown_on_exit=False)
    tracers.add_span_processor(SimpleSpanProcessor(heard.exporter))
    with telling(Instruments(tracers, meters)):
        yield heard
    tracers.shutdown()
    meters.shutdown()


def attributes(one: ReadableSpan | HistogramDataPoint) -> dict[str, Any]:
    """Its attributes."""
    return dict(one.attributes or {})

"""The tables: names and columns of the OpenTelemetry Collector's ClickHouse exporter, and a few of our own behind.

Rows are tuples in the order of a table's columns. Timestamps travel as integers, nanoseconds since 1970.
Source: opentelemetry-collector-contrib, exporter/clickhouseexporter, `internal/sqltemplates/*_table.sql`.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Boolean, Column, Float, Integer, MetaData, String, Table
from sqlalchemy.types import TypeEngine, UserDefinedType

Row = tuple[object, ...]
Attributes = dict[str, str]


class Named(UserDefinedType[object]):
    """A type that this store knows by a name of its own."""

    cache_ok = True

    def __init__(self, name: str) -> None:
        self.name = name

    def get_col_spec(self, **_: object) -> str:
        """The type as the store writes it."""
        return self.name


class Time(UserDefinedType[int]):
    """Nanoseconds since 1970: an integer on the way, a timestamp in the table."""

    cache_ok = True

    def get_col_spec(self, **_: object) -> str:
        """The type as the store writes it."""
        return "TIMESTAMP_NS"


class Map(UserDefinedType[Attributes]):
    """Attributes: text by text."""

    cache_ok = True

    def get_col_spec(self, **_: object) -> str:
        """The type as the store writes it."""
        return "MAP(VARCHAR, VARCHAR)"


_TIMES, _TEXTS, _MAPS = Named("TIMESTAMP_NS[]"), Named("VARCHAR[]"), Named("MAP(VARCHAR, VARCHAR)[]")
_COUNTS, _NUMBERS = Named("UBIGINT[]"), Named("DOUBLE[]")
_COUNT, _SMALL, _WORD = Named("UBIGINT"), Named("USMALLINT"), Named("UINTEGER")
TABLES = MetaData()


def _table(name: str, **columns: TypeEngine[Any]) -> Table:
    return Table(name, TABLES, *(Column(key.replace("__", "."), kind) for key, kind in columns.items()))


otel_traces = _table(
    "otel_traces",
    Timestamp=Time(),
    TraceId=String(),
    SpanId=String(),
    ParentSpanId=String(),
    TraceState=String(),
    SpanName=String(),
    SpanKind=String(),
    ServiceName=String(),
    ResourceAttributes=Map(),
    ScopeName=String(),
    ScopeVersion=String(),
    SpanAttributes=Map(),
    Duration=_COUNT,
    StatusCode=String(),
    StatusMessage=String(),
    Events__Timestamp=_TIMES,
    Events__Name=_TEXTS,
    Events__Attributes=_MAPS,
    Links__TraceId=_TEXTS,
    Links__SpanId=_TEXTS,
    Links__TraceState=_TEXTS,
    Links__Attributes=_MAPS,
    Side=String(),
    Role=String(),
    Route=String(),
    HttpStatus=_SMALL,
    RequestId=String(),
    ColdStart=Boolean(),
)
"""Spans. `Duration` is nanoseconds; the columns from `Side` on are ours, derived at the door."""

otel_logs = _table(
    "otel_logs",
    Timestamp=Time(),
    TraceId=String(),
    SpanId=String(),
    TraceFlags=_WORD,
    SeverityText=String(),
    SeverityNumber=_SMALL,
    ServiceName=String(),
    Body=String(),
    ResourceSchemaUrl=String(),
    ResourceAttributes=Map(),
    ScopeSchemaUrl=String(),
    ScopeName=String(),
    ScopeVersion=String(),
    ScopeAttributes=Map(),
    LogAttributes=Map(),
    Side=String(),
    Role=String(),
    Route=String(),
    HttpStatus=_SMALL,
    RequestId=String(),
)
"""Log records; the columns from `Side` on are ours."""

_METRIC: dict[str, TypeEngine[Any]] = {
    "ResourceAttributes": Map(),
    "ResourceSchemaUrl": String(),
    "ScopeName": String(),
    "ScopeVersion": String(),
    "ScopeAttributes": Map(),
    "ScopeDroppedAttrCount": _WORD,
    "ScopeSchemaUrl": String(),
    "ServiceName": String(),
    "MetricName": String(),
    "MetricDescription": String(),
    "MetricUnit": String(),
    "Attributes": Map(),
    "StartTimeUnix": Time(),
    "TimeUnix": Time(),
}
_EXEMPLARS: dict[str, TypeEngine[Any]] = {
    "Exemplars__FilteredAttributes": _MAPS,
    "Exemplars__TimeUnix": _TIMES,
    "Exemplars__Value": _NUMBERS,
    "Exemplars__SpanId": _TEXTS,
    "Exemplars__TraceId": _TEXTS,
}

otel_metrics_gauge = _table("otel_metrics_gauge", **_METRIC, Value=Float(), Flags=_WORD, **_EXEMPLARS)
otel_metrics_sum = _table(
    "otel_metrics_sum",
    **_METRIC,
    Value=Float(),
    Flags=_WORD,
    **_EXEMPLARS,
    AggregationTemporality=Integer(),
    IsMonotonic=Boolean(),
)
otel_metrics_histogram = _table(
    "otel_metrics_histogram",
    **_METRIC,
    Count=_COUNT,
    Sum=Float(),
    BucketCounts=_COUNTS,
    ExplicitBounds=_NUMBERS,
    **_EXEMPLARS,
    Flags=_WORD,
    Min=Float(),
    Max=Float(),
    AggregationTemporality=Integer(),
)
otel_metrics_exponential_histogram = _table(
    "otel_metrics_exponential_histogram",
    **_METRIC,
    Count=_COUNT,
    Sum=Float(),
    Scale=Integer(),
    ZeroCount=_COUNT,
    PositiveOffset=Integer(),
    PositiveBucketCounts=_COUNTS,
    NegativeOffset=Integer(),
    NegativeBucketCounts=_COUNTS,
    **_EXEMPLARS,
    Flags=_WORD,
    Min=Float(),
    Max=Float(),
    AggregationTemporality=Integer(),
)
otel_metrics_summary = _table(
    "otel_metrics_summary",
    **_METRIC,
    Count=_COUNT,
    Sum=Float(),
    ValueAtQuantiles__Quantile=_NUMBERS,
    ValueAtQuantiles__Value=_NUMBERS,
    Flags=_WORD,
)

otel_traces_trace_id_ts = _table("otel_traces_trace_id_ts", TraceId=String(), Start=Time(), End=Time(), Key=_WORD)
"""When a trace's spans were, so that a trace is found without reading all of time. A trace may have several rows.

`Key` is ours, see `trace_key`: of two million ids the texts take eight times as long to read (measured).
"""


def trace_key(trace_id: str) -> int:
    """The first 32 bits of a trace's id, 0 where there is none: few other traces have the same."""
    return int(trace_id[:8], 16) if trace_id else 0


route_minute = _table(
    "route_minute",
    Minute=Time(),
    Route=String(),
    Side=String(),
    Source=String(),
    Bucket=Integer(),
    Requests=_WORD,
    Errors=_WORD,
    Fallbacks=_WORD,
    Milliseconds=Float(),
    Weight=Integer(),
    WeightAt=Time(),
)
"""Requests per minute, route, side and duration (see `normalise.minutes`), which outlive the raw rows. Sums of rows are
the truth: there may be several of a kind. `Weight`, parts per 10,000 or -1, was last heard of at `WeightAt`."""

RAW = (
    otel_traces,
    otel_logs,
    otel_metrics_gauge,
    otel_metrics_sum,
    otel_metrics_histogram,
    otel_metrics_exponential_histogram,
    otel_metrics_summary,
    otel_traces_trace_id_ts,
)
"""What retention by age and size forgets first."""

TIME_COLUMNS: Mapping[str, str] = {
    table.name: next(name for name in ("Timestamp", "TimeUnix", "Start", "Minute") if name in table.c)
    for table in (*RAW, route_minute)
}
"""Each table's column that says when."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Batch:
    """Rows to store together or not at all, by table name; `size` is about how many bytes they take on the way.

    `invalid_ids`: how many ids were none, and are left empty.
    """

    rows: Mapping[str, list[Row]]
    size: int
    records: int
    invalid_ids: int = 0

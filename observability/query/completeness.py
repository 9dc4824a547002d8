"""How whole the picture is: a decision on half of the traces is wrong, so what is missing is counted, too."""

from sqlalchemy import SelectBase, and_, func, or_, select

from strangler_fig.names import CLUSTER_ATTRIBUTE, ROUTER_SERVICE, TELEMETRY_CLUSTER

from ..tables import otel_logs, otel_metrics_sum, otel_traces
from .constructs import attribute, count_where, nanoseconds
from .reader import Record, Rows
from .window import MINUTE, Window

_MAX_GROUPS = 200
_SDK_COUNTS = (
    "otel.sdk.exporter.span.exported",
    "otel.sdk.exporter.log.exported",
    "otel.sdk.processor.span.processed",
    "otel.sdk.processor.log.processed",
)
"""SDKs' counters, of which the points with an `error.type` are losses. Source: semantic conventions, otel.sdk."""
_ENVOY_FAILURES = ("tracing.opentelemetry.http_reports_failed", "access_logs.open_telemetry_access_log.logs_dropped")
"""Source: envoyproxy/envoy, source/extensions/tracers/opentelemetry and access_loggers/open_telemetry, their stats."""
_REFUSALS = (429, 503)
"""What a hop to Lambda is answered when its API throttles, or the router calls no function. A function that answers the
same by itself tells of it, so its hop has a child."""
_NOBODY = ("UF", "UH", "UO", "NC", "NR")
"""Envoy's response flags of a request that no upstream got."""
_COMPLETED, _TAKEN = "cluster.upstream_rq_completed", "cluster.upstream_rq_2xx"


def completeness(store: Rows, window: Window, joined: Window | None = None) -> dict[str, list[Record]]:
    """Hops with and without a child, orphans, clocks that disagree, logs without a trace, losses of exporters.

    What compares spans with each other is of `joined`, the part of the window that is small enough for it.
    """
    compared = joined or window
    return {
        "hops": store.rows(_hops(compared)),
        "orphans": store.rows(_orphans(compared)),
        "clocks": store.rows(_clocks(compared)),
        "logs": store.rows(_logs(window)),
        "drops": store.rows(_drops(window)),
        "router_batches": store.rows(_router_batches(window)),
    }


def _hops(window: Window) -> SelectBase:
    """The router's hops by side, and how many of them lead to a span of whom they reached.

    `Refused` are those besides that reached nobody who could tell: Lambda's own API said no, or there was nobody.
    """
    hop, child = otel_traces.c, otel_traces.alias("child").c
    reached = (
        select(child.TraceId, child.ParentSpanId)
        .where(window.widened(MINUTE).covers(child.Timestamp), child.ServiceName != ROUTER_SERVICE)
        .distinct()
        .subquery("reached")
    )
    joined = otel_traces.outerjoin(
        reached, and_(reached.c.TraceId == hop.TraceId, reached.c.ParentSpanId == hop.SpanId)
    )
    is_silent = reached.c.TraceId.is_(None)
    flags = attribute(hop.SpanAttributes, "envoy.response_flags")
    is_refused = and_(is_silent, or_(and_(hop.Side == "lambda", hop.HttpStatus.in_(_REFUSALS)), flags.in_(_NOBODY)))
    return (
        select(
            hop.Side,
            (func.count() - count_where(is_refused)).label("Hops"),
            count_where(reached.c.TraceId.is_not(None)).label("WithChild"),
            count_where(is_refused).label("Refused"),
        )
        .select_from(joined)
        .where(
            window.covers(hop.Timestamp),
            hop.ServiceName == ROUTER_SERVICE,
            hop.SpanKind == "Client",
            hop.Role == "primary",
        )
        .group_by(hop.Side)
        .order_by(hop.Side)
        .limit(_MAX_GROUPS)
    )


def _orphans(window: Window) -> SelectBase:
    """Spans whose parent never came, by service. A router's first span may well have a parent at the client."""
    span, parent = otel_traces.c, otel_traces.alias("parent").c
    known = (
        select(parent.TraceId, parent.SpanId)
        .where(window.widened(MINUTE).covers(parent.Timestamp))
        .distinct()
        .subquery("known")
    )
    joined = otel_traces.outerjoin(known, and_(known.c.TraceId == span.TraceId, known.c.SpanId == span.ParentSpanId))
    is_orphan = and_(
        span.ParentSpanId != "",
        known.c.TraceId.is_(None),
        or_(span.ServiceName != ROUTER_SERVICE, span.SpanKind != "Server"),
    )
    return (
        select(span.ServiceName, func.count().label("Spans"), count_where(is_orphan).label("Orphans"))
        .select_from(joined)
        .where(window.covers(span.Timestamp))
        .group_by(span.ServiceName)
        .order_by(func.count().desc(), span.ServiceName)
        .limit(_MAX_GROUPS)
    )


def _clocks(window: Window) -> SelectBase:
    """Services whose spans begin before the span of another service that called them, and by how much at most."""
    calling = otel_traces.alias("parent")
    child, parent = otel_traces.c, calling.c
    early = nanoseconds(child.Timestamp) - nanoseconds(parent.Timestamp)
    return (
        select(
            child.ServiceName,
            func.count().label("Calls"),
            count_where(early < 0).label("BeforeParent"),
            func.min(early).label("EarliestNanoseconds"),
        )
        .select_from(
            otel_traces.join(
                calling,
                and_(parent.TraceId == child.TraceId, parent.SpanId == child.ParentSpanId),
            )
        )
        .where(
            window.covers(child.Timestamp),
            window.widened(MINUTE).covers(parent.Timestamp),
            parent.ServiceName != child.ServiceName,
        )
        .group_by(child.ServiceName)
        .order_by(child.ServiceName)
        .limit(_MAX_GROUPS)
    )


def _logs(window: Window) -> SelectBase:
    log = otel_logs.c
    return (
        select(
            log.ServiceName,
            func.count().label("Records"),
            count_where(log.TraceId == "").label("WithoutTrace"),
        )
        .where(window.covers(log.Timestamp))
        .group_by(log.ServiceName)
        .order_by(func.count().desc(), log.ServiceName)
        .limit(_MAX_GROUPS)
    )


def _drops(window: Window) -> SelectBase:
    """What exporters say of themselves that they lost, deltas added up; cumulative sums count by their greatest."""
    point = otel_metrics_sum.c
    is_loss = or_(
        point.MetricName.in_(_ENVOY_FAILURES),
        and_(point.MetricName.in_(_SDK_COUNTS), attribute(point.Attributes, "error.type") != ""),
    )
    lost = func.sum(point.Value).filter(point.AggregationTemporality == 1)
    return (
        select(
            point.ServiceName,
            point.MetricName,
            func.coalesce(lost, func.max(point.Value)).label("Lost"),
        )
        .where(window.covers(point.TimeUnix), is_loss)
        .group_by(point.ServiceName, point.MetricName)
        .order_by(point.ServiceName, point.MetricName)
        .limit(_MAX_GROUPS)
    )


def _router_batches(window: Window) -> SelectBase:
    """How many batches of telemetry each router sent, and how many of them were taken: the difference is lost."""
    point = otel_metrics_sum.c
    instance = attribute(point.ResourceAttributes, "service.instance.id")
    return (
        select(
            instance.label("Instance"),
            func.sum(point.Value).filter(point.MetricName == _COMPLETED).label("Sent"),
            func.sum(point.Value).filter(point.MetricName == _TAKEN).label("Taken"),
        )
        .where(
            window.covers(point.TimeUnix),
            point.MetricName.in_((_COMPLETED, _TAKEN)),
            attribute(point.Attributes, CLUSTER_ATTRIBUTE) == TELEMETRY_CLUSTER,
        )
        .group_by(point.ResourceAttributes)
        .order_by(func.sum(point.Value).desc())
        .limit(_MAX_GROUPS)
    )

"""The weights that control told of: what is in force now, whether requests came since it was set or not."""

from collections.abc import Sequence

from sqlalchemy import select

from strangler_fig.names import CONTROL_SERVICE, ROUTE_ATTRIBUTE, WEIGHT_METRIC

from ..tables import otel_metrics_gauge
from .constructs import attribute, latest
from .reader import Record, Rows
from .window import MINUTE, Window

_G = otel_metrics_gauge.c
_TOLD_WITHIN = 2 * MINUTE
"""Control tells each weight every ten seconds: what it has not told for so long, it does not know any more."""
_MAX_ROUTES = 20_000


def with_weights(found: Sequence[Record], told: dict[str, int]) -> list[Record]:
    """The routes with the weights that control told of; the others keep what their last request said."""
    return [{**one, "weight": told.get(one["route"], one["weight"])} for one in found]


def told_weights(store: Rows, window: Window) -> dict[str, int]:
    """The weight, parts per 10,000, of each route that control told of at the end of the window."""
    end = Window(max(window.end - _TOLD_WITHIN, window.start), window.end)
    route = attribute(_G.Attributes, ROUTE_ATTRIBUTE).label("Route")
    rows = store.rows(
        select(route, latest(_G.Value, _G.TimeUnix).label("Weight"))
        .where(end.covers(_G.TimeUnix), _G.ServiceName == CONTROL_SERVICE, _G.MetricName == WEIGHT_METRIC)
        .group_by("Route")
        .limit(_MAX_ROUTES)
    )
    return {str(row["Route"]): int(row["Weight"]) for row in rows}

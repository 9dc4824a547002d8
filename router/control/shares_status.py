"""What `fig status` says of limits: each figure of the fleet with every node's part of it, and what limits refused."""

from typing import Any

from ..estate import Route
from ..snapshot.figures import Figure
from .keeper import Published
from .nodes import Nodes, Seen
from .sharing import Sharing, Told


def shares_status(published: Published | None, sharing: Sharing, nodes: Nodes) -> dict[str, Any]:
    """The keys of control's status that are about limits."""
    if published is None:
        return {"fleet_nodes": 0, "figures": [], "limits": []}
    told, seen = sharing.told(), nodes.all()
    limited = [route for route in published.estate.routes if route.limit]
    return {
        "fleet_nodes": max((one.shares.nodes or 0 for one in told.values()), default=0),
        "figures": [_figure(figure, told, seen) for figure in published.manifest.figures],
        "limits": [_limit(route, seen) for route in limited],
    }


def small_figures(published: Published | None, sharing: Sharing) -> list[str]:
    """What is wrong with figures: those that are smaller than the fleet, because every node takes at least one."""
    nodes = len(sharing.told())
    return [
        f"{one.of}: {nodes} nodes take one each, more than its figure of {one.most} ({one.resource.word})"
        for one in (published.manifest.figures if published else ())
        if one.most < nodes
    ]


def _figure(figure: Figure, told: dict[str, Told], seen: tuple[Seen, ...]) -> dict[str, Any]:
    parts = [part for one in seen if (part := _part(figure, told.get(one.name), one)) is not None]
    return {"of": figure.of, "resource": figure.resource.word, "figure": figure.most, "nodes": parts}


def _part(figure: Figure, told: Told | None, seen: Seen) -> dict[str, Any] | None:
    """What one node has of the figure; None for one that is not counted any more, or says nothing of shares.

    `share` is in force there, `granted` is what it was told last.
    """
    use = seen.report.shares
    if told is None or use is None:
        return None
    return {
        "name": seen.name,
        "share": use.holding.shares.of.get(figure.key),
        "granted": told.shares.of.get(figure.key),
        "in_use": use.holding.in_use.get(figure.key),
        "overflows": use.overflows.get(figure.key),
    }


def _limit(route: Route, seen: tuple[Seen, ...]) -> dict[str, Any]:
    limit = route.limit
    assert limit is not None, "the route has a limit"  # noqa: S101
    refused = {one.name: one.report.shares.refused.get(route.name, 0) for one in seen if one.report.shares}
    return {
        "route": route.name,
        "requests": limit.requests,
        "per_seconds": limit.per_seconds,
        "burst": limit.burst,
        "by": limit.by.value,
        "refused": refused,
    }

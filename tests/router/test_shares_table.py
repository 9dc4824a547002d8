"""What `fig status` shows of limits."""

import io
from typing import Any

from rich.console import Console

from router.commands.shares_table import limits_view


def shown(status: dict[str, Any]) -> list[list[str]]:
    """The tables' rows as words."""
    text = io.StringIO()
    console = Console(file=text, width=200)
    for part in limits_view(status):
        console.print(part)
    return [line.split() for line in text.getvalue().splitlines()]


def node(name: str, share: int | None, in_use: int, overflows: int) -> dict[str, Any]:
    return {"name": name, "share": share, "granted": share, "in_use": in_use, "overflows": overflows}


def test_each_node_has_a_row_with_its_part_of_each_figure() -> None:
    """A figure with its nodes' shares, their use and their overflows; one that no node has yet is there too."""
    figures = [
        {
            "of": "legacy shop",
            "resource": "requests",
            "figure": 10,
            "nodes": [node("n1", 5, 3, 0), node("n2", 5, 5, 7)],
        },
        {"of": "lambda books", "resource": "requests", "figure": 8, "nodes": []},
    ]
    assert shown({"figures": figures, "limits": []}) == [
        ["protects", "what", "figure", "node", "share", "in", "use", "overflows"],
        ["legacy", "shop", "requests", "10", "n1", "5", "3", "0"],
        ["n2", "5", "5", "7"],
        ["lambda", "books", "requests", "8", "no", "node", "-", "-", "-"],
    ]


def test_limits_are_shown_with_what_they_refused_in_all() -> None:
    """A route's limit in words, and what all nodes together refused."""
    limit = {
        "route": "all",
        "requests": 8,
        "per_seconds": 60.0,
        "burst": 20,
        "by": "route",
        "refused": {"a": 3, "b": 4},
    }
    each = {"route": "each", "requests": 5, "per_seconds": 0.5, "burst": 5, "by": "client", "refused": {}}
    assert shown({"figures": [], "limits": [limit, each]}) == [
        ["limited", "limit", "for", "refused"],
        ["all", "8", "in", "1m,", "20", "at", "once", "all", "7"],
        ["each", "5", "in", "500ms,", "5", "at", "once", "each", "client", "0"],
    ]


def test_an_estate_without_limits_shows_nothing_of_them() -> None:
    """No table is empty, and an older control says nothing of limits."""
    assert shown({"figures": [], "limits": []}) == shown({}) == []

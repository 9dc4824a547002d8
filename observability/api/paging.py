"""A page of rows by time: what is left out, and where the next page begins, without a row lost or shown twice."""

from collections.abc import Callable
from typing import Any

from ..query.reader import Record
from ..query.traces import Order
from ..query.window import MAX_LIMIT


def page_of(search: Callable[[int], list[Record]], limit: int, order: Order) -> tuple[list[Record], dict[str, Any]]:
    """The rows of one page, and what tells of it: `first` and `last` as texts, `is_cut` if there are more.

    A page by time never ends between rows of one moment, so that the next one may begin beside `last`.
    """
    rows = search(limit + 1)
    is_cut = len(rows) > limit or limit >= MAX_LIMIT <= len(rows)
    if len(rows) > limit:
        beyond = rows[limit]["Timestamp"] if order != "slowest" else None
        whole = [row for row in rows[:limit] if row["Timestamp"] != beyond]
        rows = whole or rows[:limit]  # more rows of one moment than a page has: the others cannot be reached by time
    ends = {"first": str(rows[0]["Timestamp"]), "last": str(rows[-1]["Timestamp"])} if rows else {}
    return rows, {"is_cut": is_cut, **ends}

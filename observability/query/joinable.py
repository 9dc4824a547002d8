"""How much of a time may be compared span by span: a busy router's week does not fit into one question's memory."""

from sqlalchemy import func, select

from ..tables import otel_traces
from .reader import Rows
from .window import MINUTE, Window

MAX_JOINED = 1_000_000
"""Spans; a join of as many takes seconds, and half of the memory that DuckDB may have by default."""


def joinable(store: Rows, window: Window, most: int = MAX_JOINED) -> Window:
    """The end of the window, as long as it has few enough spans: halved until it has, but no shorter than a minute."""
    found = window
    while found.end - found.start > MINUTE and _count(store, found) > most:
        found = Window(found.end - max((found.end - found.start) // 2, MINUTE), found.end)
    return found


def _count(store: Rows, window: Window) -> int:
    counted = select(func.count().label("Spans")).where(window.covers(otel_traces.c.Timestamp)).limit(1)
    return int(store.rows(counted)[0]["Spans"])

"""What the reader watches: a live table on a terminal, one plain line per second elsewhere."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Protocol

from rich.console import Console, Group
from rich.live import Live
from rich.table import Table
from rich.text import Text

from .tally import Rates, Tally

SIDES = ("legacy", "lambda")


class Display(Protocol):
    """Shows the story's acts and the traffic."""

    def act(self, text: str) -> None:
        """Say what happens now."""

    def refresh(self, tally: Tally, weight: float) -> None:
        """Show the traffic of the last seconds; called once a second or more often."""


@contextmanager
def display_for(console: Console) -> Iterator[Display]:
    """The display that fits the console."""
    if console.is_terminal:
        with Live(console=console, auto_refresh=False, transient=False) as live:
            yield LiveDisplay(console, live)
    else:
        yield PlainDisplay(console)


class LiveDisplay:
    """A table that stays in place; the acts scroll above it."""

    def __init__(self, console: Console, live: Live) -> None:
        self._console = console
        self._live = live

    def act(self, text: str) -> None:
        """Print the act above the table."""
        self._console.print(Text(f"* {text}", style="bold"))

    def refresh(self, tally: Tally, weight: float) -> None:
        """Draw the table again."""
        now = time.monotonic()
        table = Table(title=f"books-read: {weight:g}% to Lambda", title_justify="left", expand=False)
        for name in ("answered by", "weight", "requests/s", "errors", "p50", "p99"):
            table.add_column(name, justify="left" if name == "answered by" else "right", min_width=9)
        for side, share in zip(SIDES, (100 - weight, weight), strict=True):
            rates = tally.rates(side, now)
            errors = Text(str(rates.errors), style="bold red" if rates.errors else "green")
            table.add_row(
                side,
                f"{share:g}%",
                f"{rates.per_second:.0f}",
                errors,
                _milliseconds(rates.p50_ms),
                _milliseconds(rates.p99_ms),
            )
        below = f"{tally.requests} requests, {tally.failed} failed, {tally.fallbacks} answered by legacy for Lambda"
        self._live.update(Group(table, Text(below, style="dim")), refresh=True)


class PlainDisplay:
    """Lines for a log: one per act, and one per second."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._begun = time.monotonic()
        self._next = self._begun

    def act(self, text: str) -> None:
        """Print the act."""
        self._print(f"* {text}")

    def refresh(self, tally: Tally, weight: float) -> None:
        """Print a line when a second has passed since the last one."""
        now = time.monotonic()
        if now < self._next:
            return
        self._next = now + 1
        sides = " | ".join(_line(side, tally.rates(side, now)) for side in SIDES)
        fallbacks = f"for lambda {tally.fallbacks_per_second():.0f}/s"
        self._print(f"{now - self._begun:5.0f}s  weight {weight:>3g}%  {sides} | {fallbacks}")

    def _print(self, text: str) -> None:
        self._console.print(text, markup=False, soft_wrap=True)


def _line(side: str, rates: Rates) -> str:
    latency = f"p50 {_milliseconds(rates.p50_ms):>7} p99 {_milliseconds(rates.p99_ms):>7}"
    return f"{side} {rates.per_second:>3.0f}/s errors {rates.errors} {latency}"


def _milliseconds(value: float | None) -> str:
    return "-" if value is None else f"{value:.1f} ms"

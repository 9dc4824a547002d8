"""A sweep as text: a table of what breaks, and a chart whose bars end where a limit does."""

from collections.abc import Sequence

from ..arithmetic import number
from .sweep import PRECISION, Break, Sweep

HEADER = ("breaks at", "hop", "limit", "case", "value", "unit", "cheapest change that lifts it to the end")
RIGHT = (0, 4)
_WIDTH = 60
_HOLDS, _BROKEN = "=", "!"
_MOST = 30


def rows(sweep: Sweep) -> list[tuple[str, ...]]:
    """One row for each limit that breaks, the first one first."""
    return [_row(one) for one in sweep.breaks]


def _row(one: Break) -> tuple[str, ...]:
    return (
        factor(one.factor),
        one.kind.hop,
        one.name,
        one.case.value,
        number(one.measure.capacity),
        one.kind.unit,
        one.changes[0] if one.changes else "",
    )


def factor(value: float) -> str:
    """A factor as `x2.91`; it is rounded down, so that it still holds."""
    return f"x{int(value * (1 + 2 * PRECISION) * 100) / 100:.2f}"


def chart(sweep: Sweep) -> str:
    """A bar for each limit that breaks: `=` as long as it holds, `!` beyond; the scale from start to stop."""
    shown = sweep.breaks[:_MOST]
    if not shown:
        return f"nothing breaks up to {factor(sweep.stop)}; {sweep.holding} limits hold"
    widest = max(len(one.name) for one in shown)
    lines = [f"{one.name:<{widest}} |{_bar(one, sweep)}| {factor(one.factor)}" for one in shown]
    left = len(sweep.breaks) - len(shown)
    more = [f"... and {left} more: --json"] if left else []
    return "\n".join([f"{'':<{widest}} {_scale(sweep)}", *lines, *more])


def _bar(one: Break, sweep: Sweep) -> str:
    holds = min(_WIDTH, max(0, int(position(one.factor, sweep) * _WIDTH)))
    return _HOLDS * holds + _BROKEN * (_WIDTH - holds)


def position(value: float, sweep: Sweep) -> float:
    """Where a factor lies between start (0) and stop (1)."""
    return (value - sweep.start) / (sweep.stop - sweep.start) if sweep.stop > sweep.start else 0.0


def ticks(sweep: Sweep) -> Sequence[float]:
    """At most ten round factors between start and stop."""
    span = sweep.stop - sweep.start
    step = next(step for step in _STEPS if span / step <= _MOST_TICKS)
    first = -(-sweep.start // step) * step
    return [first + index * step for index in range(int((sweep.stop - first) / step + 1e-9) + 1)]


_MOST_TICKS = 10
_STEPS = tuple(base * 10.0**power for power in range(-3, 8) for base in (1, 2, 5))


def _scale(sweep: Sweep) -> str:
    """The factors above the bars, each beginning where it lies."""
    line = [" "] * (_WIDTH + 8)
    free_from = 0
    for tick in ticks(sweep):
        at = round(position(tick, sweep) * _WIDTH) + 1
        text = f"x{number(tick)}"
        if at >= free_from:
            line[at : at + len(text)] = text
            free_from = at + len(text) + 1
    return "".join(line).rstrip()

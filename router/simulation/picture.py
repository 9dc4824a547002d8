"""A simulated ramp as a picture: the weight step by step, and below it what the gate knew at each look.

Each step has a column of the same width, in which time runs by its logarithm: a verdict takes seconds or weeks. Below,
the band is what the gate holds possible of one limit; it passes when the band is below the upper line (the limit, which
is eased where few users are on Lambda), and fails when it is above the lower one (what is tolerated).
"""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from html import escape

from strangler_fig.units import FULL_SHARE, format_seconds

from ..gate.values import Metric, Relation
from ..gate.verdict import Finding, Outcome
from .outcome import Look, RouteRun

_LEFT, _RIGHT, _TOP = 104, 24, 76
_COLUMN = 236
_LEAST_COLUMNS = 3
_WEIGHTS, _GAP, _BAND = 110, 46, 190
_HEIGHT = _TOP + _WEIGHTS + _GAP + _BAND + 64
_LINES = 3.0
"""The band's panel shows so many times the limit, up and down."""

_STYLE = """
  svg { color: #1a1a1a; background: #ffffff; font: 13px system-ui, sans-serif }
  @media (prefers-color-scheme: dark) { svg { color: #e8e8e8; background: #16181c } }
  text { fill: currentColor } .small { font-size: 11px; opacity: .75 } .head { font-size: 16px; font-weight: 600 }
  .grid { stroke: currentColor; opacity: .2 } .weight { fill: none; stroke: currentColor; stroke-width: 2 }
  .band { fill: currentColor; opacity: .18 } .estimate { fill: none; stroke: currentColor; stroke-width: 1.5 }
  .limit { stroke: currentColor; stroke-width: 1.5; stroke-dasharray: 6 4 }
  .tolerated { stroke: currentColor; stroke-width: 1.5; stroke-dasharray: 2 3 }
"""


@dataclass(frozen=True, slots=True)
class _Column:
    """One step's looks and its place."""

    number: int
    looks: tuple[Look, ...]

    @property
    def left(self) -> float:
        return _LEFT + self.number * _COLUMN

    def x(self, look: Look) -> float:
        longest = max(self.looks[-1].elapsed_seconds, 1.0)
        return self.left + math.log1p(look.elapsed_seconds) / math.log1p(longest) * (_COLUMN - 18)


def picture(run: RouteRun, metric: Metric = Metric.SERVER_ERRORS) -> str:
    """The picture of one route's run, as SVG text."""
    columns = _columns(run.looks)
    width = _LEFT + max(_LEAST_COLUMNS, len(columns)) * _COLUMN + _RIGHT
    title = f"route {run.route}: {run.ending.value} after {_lasting(run.seconds)}"
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {_HEIGHT}" width="{width}" role="img">',
        f"<title>{escape(title)}</title>",
        f"<style>{_STYLE}</style>",
        f'<text class="head" x="12" y="26">{escape(title)}</text>',
        *_weights(columns, width),
        *_bands(columns, width, metric),
        f'<text class="small" x="12" y="{_HEIGHT - 12}">{escape(_shortened(run.reason))}</text>',
        "</svg>",
    ]
    return "\n".join(parts) + "\n"


def _columns(looks: Sequence[Look]) -> list[_Column]:
    """The looks by step, each step's last evidence window only, where a glide had several."""
    by_step: dict[int, list[Look]] = {}
    for look in looks:
        kept = by_step.setdefault(look.step, [])
        if kept and look.elapsed_seconds < kept[-1].elapsed_seconds:
            kept.clear()
        kept.append(look)
    return [_Column(number, tuple(kept)) for number, kept in enumerate(by_step.values())]


def _weights(columns: Sequence[_Column], width: float) -> Iterator[str]:
    bottom = _TOP + _WEIGHTS
    yield f'<text x="12" y="{_TOP - 22}">weight, and how long each step took</text>'
    for parts in (0, FULL_SHARE // 2, FULL_SHARE):
        y = bottom - parts / FULL_SHARE * _WEIGHTS
        yield f'<line class="grid" x1="{_LEFT}" y1="{y:.1f}" x2="{width - _RIGHT}" y2="{y:.1f}"/>'
        yield f'<text class="small" text-anchor="end" x="{_LEFT - 8}" y="{y + 4:.1f}">{parts // 100}%</text>'
    points: list[tuple[float, float]] = [(_LEFT, bottom)]
    for column in columns:
        y = bottom - column.looks[-1].weight.parts / FULL_SHARE * _WEIGHTS
        points += [(column.left, points[-1][1]), (column.left, y), (column.left + _COLUMN - 18, y)]
        label = f"{column.looks[-1].weight}, {_lasting(column.looks[-1].elapsed_seconds)}"
        yield f'<text x="{column.left + 6:.1f}" y="{min(y - 6, bottom - 6):.1f}">{escape(label)}</text>'
    if columns and columns[-1].looks[-1].verdict.outcome is Outcome.FAIL:
        points.append((points[-1][0], bottom))
    yield f'<polyline class="weight" points="{_points(points)}"/>'


def _bands(columns: Sequence[_Column], width: float, metric: Metric) -> Iterator[str]:
    top = _TOP + _WEIGHTS + _GAP
    limit, tolerated = _lines(columns, metric)
    yield f'<text x="12" y="{top - 10}">{escape(_named(metric))}, Lambda against legacy</text>'
    for name, value in (("limit", limit), ("tolerated", tolerated)):
        y = _y(value, limit)
        yield f'<text class="small" text-anchor="end" x="{_LEFT - 8}" y="{y + 4:.1f}">{name} {value * 100:g}</text>'
    y = _y(tolerated, limit)
    yield f'<line class="tolerated" x1="{_LEFT}" y1="{y:.1f}" x2="{width - _RIGHT}" y2="{y:.1f}"/>'
    zero = _y(0.0, limit)
    yield f'<line class="grid" x1="{_LEFT}" y1="{zero:.1f}" x2="{width - _RIGHT}" y2="{zero:.1f}"/>'
    for column in columns:
        yield from _band(column, metric, limit)


def _band(column: _Column, metric: Metric, limit: float) -> Iterator[str]:
    seen = [(column.x(look), found) for look in column.looks if (found := _found(look, metric)) is not None]
    uppers = [(x, _y(_bound(found.upper, limit, 1), limit)) for x, found in seen]
    lowers = [(x, _y(_bound(found.lower, limit, -1), limit)) for x, found in seen]
    if seen:
        y = _y(seen[-1][1].limit, limit)
        yield f'<line class="limit" x1="{column.left:.1f}" y1="{y:.1f}" x2="{column.left + _COLUMN:.1f}" y2="{y:.1f}"/>'
        yield f'<polygon class="band" points="{_points([*uppers, *reversed(lowers)])}"/>'
        line = [(x, _y(found.estimate, limit)) for x, found in seen if found.estimate is not None]
        yield f'<polyline class="estimate" points="{_points(line)}"/>'
    last = column.looks[-1]
    mark = {Outcome.PASS: "pass ✓", Outcome.FAIL: "fail ✗"}.get(last.verdict.outcome, last.verdict.outcome.value)
    y = _TOP + _WEIGHTS + _GAP + _BAND + 18
    yield f'<text text-anchor="end" x="{column.left + _COLUMN - 18:.1f}" y="{y}">{mark}</text>'
    yield f'<line class="grid" x1="{column.left:.1f}" y1="{_TOP}" x2="{column.left:.1f}" y2="{y - 14}"/>'


def _found(look: Look, metric: Metric) -> Finding | None:
    for one in look.verdict.findings:
        if one.metric is metric and one.relation is Relation.LEGACY and one.estimate is not None:
            return one
    return None


def _lines(columns: Sequence[_Column], metric: Metric) -> tuple[float, float]:
    """The metric's limit and what is tolerated; where it is not limited, lines that nothing reaches."""
    found = [one for column in columns for look in column.looks if (one := _found(look, metric)) is not None]
    return (found[-1].limit, found[-1].tolerated) if found else (0.01, 0.001)


def _bound(value: float | None, limit: float, sign: int) -> float:
    return sign * _LINES * limit if value is None else value


def _y(value: float, limit: float) -> float:
    """The height of a value; what is outside of the panel lies on its edge."""
    share = max(-1.0, min(1.0, value / (_LINES * limit)))
    return _TOP + _WEIGHTS + _GAP + _BAND / 2 * (1 - share)


def _points(points: Sequence[tuple[float, float]]) -> str:
    return " ".join(f"{x:.1f},{y:.1f}" for x, y in points)


def _named(metric: Metric) -> str:
    return f"{metric.value.replace('_', ' ')} in points of all requests"


def _lasting(seconds: float) -> str:
    units = ((86_400.0, "d"), (3600.0, "h"), (60.0, "min"))
    for length, unit in units:
        if seconds >= length:
            return f"{seconds / length:.1f}".rstrip("0").rstrip(".") + f" {unit}"
    return format_seconds(round(seconds))


def _shortened(text: str) -> str:
    return text if len(text) <= 130 else text[:127] + "..."  # noqa: PLR2004 - a line's worth

"""A sweep as a picture: bars end where a limit does, hatched beyond; readable in black and white and in the dark."""

from xml.sax.saxutils import escape

from ..arithmetic import number
from .chart import factor, position, ticks
from .sweep import Break, Sweep

_LABELS = 300
_BARS = 520
_ROW = 26
_TOP = 64
_WIDTH = _LABELS + _BARS + 100
_MOST = 40

_STYLE = """
  svg { color: #1a1a1a; background: #ffffff; font: 13px system-ui, sans-serif }
  @media (prefers-color-scheme: dark) { svg { color: #e8e8e8; background: #16181c } }
  text { fill: currentColor } .small { font-size: 11px; opacity: .75 } .head { font-size: 16px; font-weight: 600 }
  .grid { stroke: currentColor; opacity: .2 } .holds { fill: currentColor; opacity: .3 }
  .broken { fill: url(#broken); stroke: currentColor; stroke-opacity: .5 }
"""


def svg(sweep: Sweep, title: str) -> str:
    """The picture's text."""
    shown = sweep.breaks[:_MOST]
    height = _TOP + _ROW * max(1, len(shown)) + 30
    rows = "\n".join(_row(index, one, sweep) for index, one in enumerate(shown))
    nothing = f'<text x="{_LABELS}" y="{_TOP + 16}">nothing breaks</text>' if not shown else ""
    holding = f"{sweep.holding} other limits hold up to {factor(sweep.stop)}"
    return f"""<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {height}" width="{_WIDTH}" role="img">
<title>{escape(title)}</title>
<style>{_STYLE}</style>
<defs><pattern id="broken" width="6" height="6" patternUnits="userSpaceOnUse" patternTransform="rotate(45)">
<line x1="0" y1="0" x2="0" y2="6" stroke="currentColor" stroke-width="1.5" opacity=".6"/></pattern></defs>
<text class="head" x="12" y="24">{escape(title)}</text>
{_grid(sweep, height)}
{rows}{nothing}
<text class="small" x="12" y="{height - 10}">{escape(holding)}; hatched: beyond the limit</text>
</svg>
"""


def _grid(sweep: Sweep, height: int) -> str:
    lines = []
    for tick in ticks(sweep):
        x = _LABELS + position(tick, sweep) * _BARS
        lines.append(f'<line class="grid" x1="{x:.1f}" y1="{_TOP - 8}" x2="{x:.1f}" y2="{height - 28}"/>')
        lines.append(f'<text class="small" text-anchor="middle" x="{x:.1f}" y="{_TOP - 14}">x{number(tick)}</text>')
    return "\n".join(lines)


def _row(index: int, one: Break, sweep: Sweep) -> str:
    y = _TOP + index * _ROW
    holds = min(1.0, max(0.0, position(one.factor, sweep))) * _BARS
    end = _LABELS + holds
    return (
        f'<text text-anchor="end" x="{_LABELS - 10}" y="{y + 14}">{escape(one.name)}</text>'
        f'<rect class="holds" x="{_LABELS}" y="{y}" width="{holds:.1f}" height="{_ROW - 8}"/>'
        f'<rect class="broken" x="{end:.1f}" y="{y}" width="{_BARS - holds:.1f}" height="{_ROW - 8}"/>'
        f'<text x="{_LABELS + _BARS + 10}" y="{y + 14}">{factor(one.factor)}</text>'
    )

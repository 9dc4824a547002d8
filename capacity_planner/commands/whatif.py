"""`fig cidr whatif`: which limit breaks at which factor of the demand."""

import json
import math
import re
from pathlib import Path
from typing import Any

import click

from strangler_fig.diagnostics import Diagnostic, Refused

from ..files import write_aside
from ..whatif.chart import HEADER, RIGHT, chart, factor, rows
from ..whatif.svg import svg
from ..whatif.sweep import Break, Sweep, sweep
from .options import demand_argument, json_option, limits_option, progress, read, table

UNWRITABLE = "WI100"
_MOST = 10_000.0
_SCALE = re.compile(r"([0-9]+(?:\.[0-9]+)?)\.\.([0-9]+(?:\.[0-9]+)?)")


class _Scale(click.ParamType[tuple[float, float]]):
    """A range of factors such as `1..10`."""

    name = "scale"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> tuple[float, float]:
        """Give the two ends that the text stands for."""
        found = _SCALE.fullmatch(str(value))
        if not found:
            self.fail(f"{value!r} is not a range of factors, as in 1..10", param, ctx)
        start, stop = float(found[1]), float(found[2])
        if not 0 < start < stop <= _MOST:
            self.fail(f"{value!r} must rise, from more than 0 to at most {_MOST:,.0f}", param, ctx)
        return start, stop


@click.command()
@demand_argument
@click.option("--scale", type=_Scale(), default="1..10", show_default=True, help="From which factor to which.")
@click.option("--svg", "picture", type=click.Path(path_type=Path, dir_okay=False), help="A picture to write, too.")
@limits_option
@json_option
def whatif(
    demand_file: Path, scale: tuple[float, float], picture: Path | None, limits_file: Path | None, *, as_json: bool
) -> None:
    """Say which limits break while the demand of DEMAND is multiplied, each at its exact factor."""
    demand, limits = read(demand_file, limits_file)
    with progress("looking for what breaks"):
        found = sweep(demand, limits, *scale)
    if picture is not None:
        _write(picture, svg(found, f"What breaks at which factor: {demand_file.name}"))
    click.echo(json.dumps(_to_json(found), indent=2) if as_json else _render(found))


def _write(picture: Path, text: str) -> None:
    try:
        write_aside(picture, text)
    except OSError as error:
        message = f"{picture} cannot be written: {error.strerror or error}"
        raise Refused([Diagnostic(code=UNWRITABLE, message=message)]) from error


def _render(found: Sweep) -> str:
    if not found.breaks:
        return chart(found)
    first = found.breaks[0]
    broken = "is exceeded already" if first.factor < found.start else "breaks first"
    return "\n".join(
        [
            f"{first.name} {broken}, at {factor(first.factor)}; {found.holding} limits hold up to {factor(found.stop)}",
            "",
            table(HEADER, rows(found), right=RIGHT),
            "",
            chart(found),
        ]
    )


def _to_json(found: Sweep) -> dict[str, Any]:
    return {
        "start": found.start,
        "stop": found.stop,
        "holding": found.holding,
        "breaks": [_break_json(one) for one in found.breaks],
    }


def _break_json(one: Break) -> dict[str, Any]:
    capacity = one.measure.capacity
    return {
        "factor": round(one.factor, 6),
        "code": one.kind.code,
        "hop": one.kind.hop,
        "subject": one.subject or None,
        "case": one.case.value,
        "capacity": capacity if math.isfinite(capacity) else None,
        "unit": one.kind.unit,
        "limit": one.measure.limit.to_json(),
        "changes": list(one.changes),
    }

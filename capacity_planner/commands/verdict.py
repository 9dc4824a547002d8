"""`fig cidr verdict`: what each function may be given, as the document that a release plan reads."""

from datetime import UTC, date, datetime
from pathlib import Path

import click

from strangler_fig.diagnostics import Diagnostic, Refused

from ..files import write_aside
from ..verdict.document import document, render, summary
from .options import demand_argument, json_option, limits_option, read

UNWRITABLE = "VD100"


class _Date(click.ParamType[date]):
    """A day such as 2026-11-25."""

    name = "date"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> date:
        """Give the day that the text stands for."""
        try:
            return date.fromisoformat(str(value))
        except ValueError:
            self.fail(f"{value!r} is not a date, as in 2026-11-25", param, ctx)


@click.command()
@demand_argument
@click.option("-o", "--output", type=click.Path(path_type=Path, dir_okay=False), help="File to write: capacity.json.")
@limits_option
@click.option("--as-of", type=_Date(), help="The day of the verdict. Default: today.")
@json_option
def verdict(
    demand_file: Path, output: Path | None, limits_file: Path | None, *, as_of: date | None, as_json: bool
) -> None:
    """Write what each function of DEMAND may be given, and whether legacy can take everything back."""
    if output is None and not as_json:
        message = "give -o FILE, or --json"
        raise click.UsageError(message)
    demand, limits = read(demand_file, limits_file)
    values = document(demand, limits, as_of=as_of or datetime.now(tz=UTC).date())
    text = render(values)
    if output is not None:
        _write(output, text)
    click.echo(text.rstrip("\n") if as_json else f"{output}: {summary(values)}")


def _write(output: Path, text: str) -> None:
    try:
        write_aside(output, text)
    except OSError as error:
        message = f"{output} cannot be written: {error.strerror or error}"
        raise Refused([Diagnostic(code=UNWRITABLE, message=message)]) from error

"""What several commands share: the demand file and the limits that they read, findings and tables that they print."""

import contextlib
import gc
import os
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any, TypeVar

import click

from strangler_fig.diagnostics import Diagnostic

from ..demand.values import Demand
from ..limits.catalogue import load
from ..limits.values import Limits

Command = TypeVar("Command", bound=Callable[..., Any])


def demand_argument(command: Command) -> Command:
    """DEMAND, the demand file."""
    return click.argument("demand_file", metavar="DEMAND", type=click.Path(path_type=Path))(command)


def limits_option(command: Command) -> Command:
    """`--limits FILE`."""
    text = "A file with the account's own limits."
    return click.option("--limits", "limits_file", type=click.Path(path_type=Path), help=text)(command)


def json_option(command: Command) -> Command:
    """`--json`."""
    return click.option("--json", "as_json", is_flag=True, help="Print JSON, for scripts.")(command)


def read(demand_file: Path, limits_file: Path | None) -> tuple[Demand, Limits]:
    """The demand and the limits; warnings go to standard error. Raises `Refused` with all findings of the file."""
    from ..demand.load import load_demand_file  # noqa: PLC0415 - pydantic is imported when a file is read

    gc.disable()  # all that is read stays alive until this short process ends
    loaded = load_demand_file(demand_file, environment=os.environ)
    demand = loaded.demand_or_refused()
    print_findings(loaded.diagnostics)
    return demand, load(limits_file)


@contextlib.contextmanager
def progress(text: str) -> Iterator[None]:
    """Show on standard error that something goes on; only at a terminal."""
    if not sys.stderr.isatty():
        yield
        return
    from rich.console import Console  # noqa: PLC0415 - heavy, and for terminals only

    with Console(stderr=True, markup=False).status(text):
        yield


def print_findings(found: Iterable[Diagnostic]) -> None:
    """Print findings on standard error."""
    for finding in found:
        click.echo(str(finding), err=True)


def table(header: Sequence[str], rows: Iterable[Sequence[str]], *, right: Iterable[int] = ()) -> str:
    """Columns of text, aligned; those in `right` to the right."""
    lines = [header, *rows]
    widths = [max(len(line[index]) for line in lines) for index in range(len(header))]
    to_right = frozenset(right)
    return "\n".join(
        "  ".join(
            cell.rjust(width) if index in to_right else cell.ljust(width)
            for index, (cell, width) in enumerate(zip(line, widths, strict=True))
        ).rstrip()
        for line in lines
    )

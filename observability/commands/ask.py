"""`fig observe query | export | forward | login`: ask the process that runs."""

import sys
import time
from pathlib import Path
from typing import Any

import click

from strangler_fig.diagnostics import Diagnostic, Refused

from .options import Duration, client, json_option, observe_option, print_json

_PIPED_COLUMNS = 4_000
_NANOSECONDS = 1_000_000_000
_TABLES = (
    "otel_traces",
    "otel_logs",
    "otel_metrics_gauge",
    "otel_metrics_sum",
    "otel_metrics_histogram",
    "otel_metrics_exponential_histogram",
    "otel_metrics_summary",
    "route_minute",
)


@click.command()
@click.argument("sql")
@click.option("--limit", type=click.IntRange(1, 100_000), default=1_000, show_default=True, help="Rows at most.")
@observe_option
@json_option
def query(sql: str, limit: int, url: str | None, *, as_json: bool) -> None:
    """Run a SELECT over the tables: otel_traces, otel_logs, otel_metrics_*, route_minute."""
    with client(url) as asking:
        answer = asking.query(sql, limit)
    if as_json:
        print_json(answer)
        return
    _print_table(answer["columns"], answer["rows"])
    if answer["is_cut"]:
        click.echo(f"observe: there is more: these are the first {limit} rows (--limit)", err=True)


@click.command()
@click.option("--parquet", "folder", type=click.Path(path_type=Path, file_okay=False), required=True, help="Folder.")
@click.option("--table", "tables", multiple=True, type=click.Choice(_TABLES), help="Which; all when none is named.")
@click.option("--last", "seconds", type=Duration(), default="1d", show_default=True, help="How far back.")
@observe_option
@json_option
def export(folder: Path, tables: tuple[str, ...], seconds: float, url: str | None, *, as_json: bool) -> None:
    """Write tables as parquet files into a folder."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        message = f"the folder {folder} cannot be made: {error.strerror or error}"
        raise Refused([Diagnostic(code="OB102", message=message)]) from error
    end = time.time_ns() + _NANOSECONDS
    start = max(end - int(seconds * _NANOSECONDS), 0)
    written: dict[str, int] = {}
    with client(url) as asking:
        for table in tables or _TABLES:
            path = folder / f"{table}.parquet"
            written[str(path)] = asking.export(table, start, end, path)
            if not as_json:
                click.echo(f"{path}  {written[str(path)]} bytes")
    if as_json:
        print_json({"written": written})


@click.command()
@click.option("--to", "target", metavar="URL", help="The collector; /v1/traces and the others are added.")
@click.option("--stop", is_flag=True, help="Send on to nobody; what waits goes to the next --to.")
@click.option("--drop", is_flag=True, help="With --stop: throw away what waits.")
@observe_option
@json_option
def forward(target: str | None, url: str | None, *, stop: bool, drop: bool, as_json: bool) -> None:
    """Send on everything that comes in, masked, to the company's collector; without options, say how it goes."""
    if target and stop:
        raise Refused([Diagnostic(code="OB103", message="--to and --stop exclude each other")])
    if drop and not stop:
        raise Refused([Diagnostic(code="OB103", message="--drop goes with --stop")])
    with client(url) as asking:
        method = "DELETE" if stop else "POST" if target else "GET"
        told = asking.forward(method, target or "", drop=drop)
    if as_json:
        print_json(told)
        return
    click.echo(f"to {told['to']}" if told["to"] else "to nobody")
    click.echo(f"sent {told['sent']}, waiting {told['waiting']} ({told['waiting_bytes']} bytes)")
    if told["waiting"] and not told["to"]:
        click.echo("what waits goes to the next --to; --stop --drop throws it away")
    click.echo(f"dropped {told['dropped']}, rejected {told['rejected']}")
    if told["fault"]:
        click.echo(f"observe: {told['fault']}", err=True)


@click.command()
@click.option("--role", type=click.Choice(["viewer", "admin"]), default="viewer", show_default=True, help="For whom.")
@observe_option
@json_option
def login(role: str, url: str | None, *, as_json: bool) -> None:
    """Print an address that logs one browser in, once."""
    with client(url) as asking:
        address = asking.login(role)
    if as_json:
        print_json({"login": address, "role": role})
    else:
        click.echo(address)


def _print_table(columns: list[str], rows: list[list[Any]]) -> None:
    from rich import box  # noqa: PLC0415 - heavy, and for this command alone
    from rich.console import Console  # noqa: PLC0415
    from rich.table import Table  # noqa: PLC0415
    from rich.text import Text  # noqa: PLC0415

    table = Table(box=box.SIMPLE)
    for name in columns:
        table.add_column(Text(_printable(name)))
    for row in rows:
        table.add_row(*(Text(_printable("" if value is None else str(value))) for value in row))
    width = None if sys.stdout.isatty() else _PIPED_COLUMNS
    Console(markup=False, highlight=False, width=width).print(table)


def _printable(text: str) -> str:
    """The text without what a terminal would obey: it comes from telemetry."""
    return "".join(letter if letter.isprintable() or letter == "\n" else "\N{REPLACEMENT CHARACTER}" for letter in text)

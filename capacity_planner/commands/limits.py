"""`fig cidr limits`: every limit with its value, date and source; an account's own over them."""

import json
from collections.abc import Iterable
from pathlib import Path

import click

from strangler_fig.diagnostics import Diagnostic, Refused
from strangler_fig.documents import did_you_mean

from ..arithmetic import number
from ..limits.catalogue import load
from ..limits.values import Limit, Limits
from .options import json_option, limits_option, table

UNKNOWN = "LM105"
_HEADER = ("limit", "value", "unit", "for each", "raised to", "as of")


@click.command()
@click.argument("keys", nargs=-1)
@limits_option
@click.option("--assumptions", is_flag=True, help="Only what no source states.")
@json_option
def limits(keys: tuple[str, ...], limits_file: Path | None, *, assumptions: bool, as_json: bool) -> None:
    """List the limits, or those called KEYS, with their dates and sources."""
    known = load(limits_file)
    chosen = _chosen(keys, known)
    if assumptions:
        chosen = [one for one in chosen if one.is_assumption]
    if as_json:
        click.echo(json.dumps([one.to_json() for one in chosen], indent=2))
    elif keys:
        click.echo("\n\n".join(_in_full(one) for one in chosen))
    else:
        click.echo(_listed(chosen))


def _chosen(keys: Iterable[str], known: Limits) -> list[Limit]:
    missing = [key for key in keys if key not in known]
    if missing:
        raise Refused(
            Diagnostic(code=UNKNOWN, message=f"no limit is called {key!r}", hint=did_you_mean(key, known))
            for key in missing
        )
    return [known[key] for key in keys] or list(known.values())


def _listed(chosen: Iterable[Limit]) -> str:
    """A row for each, with its source below."""
    found = list(chosen)
    rows = [
        (one.key, number(one.value), one.unit, one.scope, one.adjustable_to or "-", f"{one.as_of}{_mark(one)}")
        for one in found
    ]
    lines = table(_HEADER, rows, right=(1,)).split("\n")
    sources = [f"    {one.source}" for one in found]
    return "\n".join([lines[0], *(part for pair in zip(lines[1:], sources, strict=True) for part in pair)])


def _mark(limit: Limit) -> str:
    if limit.overridden:
        return " own"
    return " assumed" if limit.is_assumption else ""


def _in_full(limit: Limit) -> str:
    raised = f"\n  raised to  {limit.adjustable_to}" if limit.adjustable_to else ""
    note = f"\n  note       {limit.note}" if limit.note else ""
    return (
        f"{limit.key}\n  value      {number(limit.value)} {limit.unit} for each {limit.scope}{raised}\n"
        f"  as of      {limit.as_of}{_mark(limit)}\n  source     {limit.source}{note}"
    )

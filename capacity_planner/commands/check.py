"""`fig cidr check`: what is wrong with a plan, a list of allocations, or live accounts."""

import json
from collections.abc import Iterable, Sequence
from pathlib import Path

import click

from strangler_fig.diagnostics import Diagnostic

from ..checks import text
from ..checks.check import check as judge
from ..inventory.load import load
from ..inventory.values import merged
from ..limits.catalogue import load as load_limits
from .looking import account_options, look

REFUSED = 4
WRONG_INPUT = 2


@click.command()
@click.argument("files", nargs=-1, type=click.Path(path_type=Path))
@click.option("--plan", "plans_only", is_flag=True, help="Refuse a file that is no plan.")
@click.option("--aws", "is_live", is_flag=True, help="Look at live accounts, too (extra: aws).")
@account_options
@click.option("--limits", "limits_file", type=click.Path(path_type=Path), help="A file with the account's own limits.")
@click.option("--limit", "pairs", type=click.IntRange(min=0), default=100, show_default=True, help="Pairs to name.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON, for scripts.")
def check(  # noqa: PLR0913 - a command's options
    files: tuple[Path, ...],
    *,
    plans_only: bool,
    is_live: bool,
    profiles: tuple[str, ...],
    regions: tuple[str, ...],
    limits_file: Path | None,
    pairs: int,
    as_json: bool,
) -> None:
    """Say what is wrong with FILES, judged together: plans, lists of allocations, what `aws ec2 describe-...` prints.

    Exit 0 also with warnings, 2 where a file is wrong, 4 where a rule or a limit refuses what it says.
    """
    if not files and not is_live:
        message = "name a file, or add --aws"
        raise click.UsageError(message)
    limits = load_limits(limits_file)
    inventory, found = load(files, plans_only=plans_only)
    if found:
        _refuse(found, as_json=as_json)
    if is_live:
        inventory = merged([inventory, look(profiles, regions, peaks=False)])
    report = judge(inventory, limits, pairs=pairs)
    if as_json:
        click.echo(json.dumps(text.to_json(report), indent=2))
    else:
        _print(report.findings)
        for line in text.lines(report, _what(files, is_live=is_live)):
            click.echo(line)
    if report.is_refused:
        raise SystemExit(REFUSED)


def _refuse(found: Sequence[Diagnostic], *, as_json: bool) -> None:
    """Say what is wrong with the files, and end."""
    if as_json:
        click.echo(json.dumps({"findings": [one.to_json() for one in found]}, indent=2))
    else:
        _print(found)
    raise SystemExit(WRONG_INPUT)


def _print(found: Iterable[Diagnostic]) -> None:
    for one in found:
        click.echo(str(one), err=True)


def _what(files: Sequence[Path], *, is_live: bool) -> str:
    names = [str(file) for file in files] if len(files) < 4 else [f"{len(files)} files"]  # noqa: PLR2004 - a line's worth
    return " and ".join([*names, *(["AWS"] if is_live else [])])

"""`fig cidr plan`: the layout of both VPCs, and what it changes of the plan before."""

import gc
import hashlib
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import click

from strangler_fig.diagnostics import Diagnostic, Refused, Severity, in_file_order
from strangler_fig.documents import Document

from ..allocations.values import Allocations, Kind
from ..demand.load import MOST_BYTES, UNREADABLE, load_demand
from ..demand.values import Spaces
from ..files import Unreadable, read_text
from ..interfaces import Model
from ..inventory.load import allocations as load_allocations
from ..layout import document
from ..layout.difference import Difference, difference
from ..layout.grounds import Shortfall
from ..layout.plan import Conflict, Existing, Outcome, Request, lay_out
from ..layout.values import Plan
from ..limits.catalogue import load as load_limits
from ..limits.values import Limits
from ..render.difference import render, summary_json
from .options import demand_argument, json_option, limits_option, print_findings
from .plan_files import read_plan, write

CONFLICT = "PN101"
SHORTFALL = "PN102"
KEPT = "PN103"
CHANGES = 3


@dataclass(frozen=True, kw_only=True)
class _Asked:
    """The options, as they were given."""

    demand_file: Path
    existing: tuple[Path, ...]
    previous: Path | None
    limits_file: Path | None
    output: Path | None
    model: str
    as_of: str | None
    anew: bool
    as_json: bool
    detailed_exit_code: bool

    def before(self) -> Plan | None:
        """The plan before: the one that was named, else the one that would be replaced."""
        if self.previous is not None:
            return read_plan(self.previous)
        there = self.output is not None and self.output.is_file() and self.output.stat().st_size > 0
        return read_plan(self.output) if self.output is not None and there and not self.anew else None


def _day(_ctx: click.Context, _param: click.Parameter, value: str | None) -> str | None:
    """The day that an option names, as it is written in the plan."""
    try:
        return None if value is None else date.fromisoformat(value).isoformat()
    except ValueError as error:
        message = f"{value!r} is not a date, as in 2026-11-25"
        raise click.BadParameter(message) from error


@click.command()
@demand_argument
@click.option(
    "--existing",
    multiple=True,
    type=click.Path(path_type=Path),
    help="What is in use already: a CSV, a list, an inventory, AWS's answers. May be given again.",
)
@click.option(
    "--previous", type=click.Path(path_type=Path), help="The plan before. Default: the file -o, if it is there."
)
@limits_option
@click.option("-o", "--output", type=click.Path(path_type=Path, dir_okay=False), help="The plan file to write.")
@click.option(
    "--model",
    type=click.Choice([one.value for one in Model]),
    default=Model.HYPERPLANE.value,
    show_default=True,
    help="Which ENIs need the addresses.",
)
@click.option("--as-of", callback=_day, help="The plan's date, as in 2026-11-25. Default: that of the limits.")
@click.option("--anew", is_flag=True, help="Replace the file -o without regard to the plan in it.")
@click.option("--detailed-exit-code", is_flag=True, help=f"Exit {CHANGES} when there are changes.")
@json_option
def plan(**options: Any) -> None:
    """Lay out the VPCs that DEMAND needs, and say what changes; a block that exists never moves or shrinks."""
    asked = _Asked(**options)
    with _without_collection():
        _plan(asked)


def _plan(asked: _Asked) -> None:
    text = _text(asked.demand_file)
    loaded = load_demand(text, file=str(asked.demand_file), environment=os.environ)
    demand = loaded.demand_or_refused()
    print_findings(loaded.diagnostics)
    used = load_allocations(asked.existing) if asked.existing else Allocations()
    limits = load_limits(asked.limits_file)
    before = asked.before()
    request = Request(
        demand=demand,
        limits=limits,
        as_of=asked.as_of or limits.as_of,
        existing=tuple(existing_of(used, demand.spaces)),
        model=Model(asked.model),
        previous=before,
        inputs=_inputs(text, used, limits),
    )
    found = lay_out(request)
    if found.plan is None:
        raise Refused(in_file_order(_against(found, used, loaded.document)))
    print_findings(Diagnostic(code=KEPT, message=one, severity=Severity.WARNING) for one in found.warnings)
    if asked.output is not None:
        write(asked.output, document.render(found.plan))
    changes = difference(before, found.plan, found.reasons)
    _print(asked, found.plan, changes)
    if asked.detailed_exit_code and changes.has_changes:
        raise SystemExit(CHANGES)


@contextmanager
def _without_collection() -> Iterator[None]:
    """Keep the garbage collector out: what is made here lives until the end, and to look at it often is dear."""
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()


def _text(path: Path) -> str:
    try:
        return read_text(path, most_bytes=MOST_BYTES)
    except Unreadable as error:
        raise Refused([Diagnostic(code=UNREADABLE, message=str(error))]) from error


def existing_of(used: Allocations, spaces: Spaces) -> Iterator[Existing]:
    """The rows of a list whose addresses are not to be had.

    Space that others are taken from may hold a plan too, and so may what on-premises advertises as a whole.
    """
    for row in range(len(used)):
        kind = used.kind(row)
        block = used.block(row)
        is_aggregate = kind is Kind.ON_PREMISES and any(block.holds(parent) for parent in spaces.hub)
        if kind not in (Kind.POOL, Kind.ROUTE) and not is_aggregate:
            yield Existing(block=block, row=row, name=used.names[row], vpc=used.vpcs[row])


def _inputs(text: str, used: Allocations, limits: Limits) -> dict[str, str]:
    """The digests of what the plan is made from; the plan before is none of it, or a plan would change itself."""
    rows = sorted(f"{row.block} {row.name} {row.vpc} {row.az} {row.purpose} {row.routable}" for row in used.rows())
    values = (f"{key} {limit.value} {limit.as_of}" for key, limit in sorted(limits.items()))
    return {
        "demand": _digest(text),
        **({"existing": _digest("\n".join(rows))} if rows else {}),
        "limits": _digest("\n".join(values)),
    }


def _digest(text: str) -> str:
    return "sha256:" + hashlib.sha256(text.encode()).hexdigest()


def _against(found: Outcome, used: Allocations, places: Document | None) -> Iterator[Diagnostic]:
    """Why there is no plan, with the places of what stands against it."""
    for conflict in found.conflicts:
        yield _conflict(conflict, used)
    for shortfall in found.shortfalls:
        yield _shortfall(shortfall, places, _around(shortfall, used))


def _conflict(conflict: Conflict, used: Allocations) -> Diagnostic:
    row = conflict.existing.row
    return Diagnostic(
        code=CONFLICT,
        message=f"{used.label(row)} overlaps {conflict.what}, which the plan has already",
        position=used.position(row),
        hint="blocks of a plan never move: if the row is the same thing, write it as the plan does; else one must go",
    )


def _around(shortfall: Shortfall, used: Allocations) -> str:
    """The first row that takes a whole parent, as the registers of some companies have one for each Region."""
    for row in range(len(used)):
        kind = used.kind(row)
        if kind in (Kind.BLOCK, Kind.SUBNET) and any(used.block(row).holds(parent) for parent in shortfall.parents):
            return f"{used.position(row)}: {used.label(row)}"
    return ""


def _shortfall(shortfall: Shortfall, places: Document | None, around: str) -> Diagnostic:
    kind = "hub" if shortfall.is_routable else "spoke"
    path: tuple[str, ...] = ("spaces", kind)
    hint = f"give spaces.{kind} a larger or a further parent"
    if shortfall.is_ipv6:
        path, hint = ("spaces", "ipv6_parent"), "give a larger parent, or leave it out: Amazon gives blocks, too"
    elif shortfall.function:
        path, hint = ("functions", shortfall.function), "split the function, or lower its concurrency or connections"
    elif around:
        hint = f"{around} takes all of it; where others are taken from, its purpose is pool"
    position = places.at(*path) if places else None
    return Diagnostic(code=SHORTFALL, message=shortfall.message, position=position, hint=hint)


def _print(asked: _Asked, made: Plan, changes: Difference) -> None:
    if asked.as_json:
        click.echo(json.dumps(summary_json(made, changes), indent=2, ensure_ascii=False))
        return
    click.echo(render(made, changes))
    if asked.output is None:
        click.echo("nothing was written: give -o plan.json", err=True)

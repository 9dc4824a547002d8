"""`fig cidr free`: free blocks among allocations, by first fit or by best fit."""

import json
from collections.abc import Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import Any

import click

from strangler_fig.diagnostics import Diagnostic, Refused

from ..addresses.block import Block
from ..addresses.free import first_fit
from ..addresses.key import holds, key_of
from ..addresses.meaning import Fault
from ..addresses.parse import parse_one
from ..addresses.pool import Pool
from ..allocations.values import Allocations, Kind, kind_of
from ..inventory.load import allocations

NO_ROOM = 4
_MOST = 100_000
_SPARE = (Kind.POOL, Kind.ROUTE)
_AROUND = (Kind.VPC, Kind.ON_PREMISES)
_BAD_PARENT = "FR101"
_BAD_LENGTH = "FR102"


@click.command()
@click.option("--in", "parents", required=True, multiple=True, metavar="BLOCK", help="Where to look; may be repeated.")
@click.option("--prefix", required=True, type=click.IntRange(0, 128), help="The length of the blocks, as in 24.")
@click.option(
    "--existing",
    multiple=True,
    type=click.Path(path_type=Path),
    help="What is taken: a list of allocations, a plan, or AWS's answer; may be repeated.",
)
@click.option("--count", type=click.IntRange(1, _MOST), default=1, show_default=True, help="How many blocks.")
@click.option("--best-fit", "is_best_fit", is_flag=True, help="From the smallest free space, not from the lowest.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON, for scripts.")
def free(  # noqa: PLR0913 - a command's options
    parents: tuple[str, ...], *, prefix: int, existing: tuple[Path, ...], count: int, is_best_fit: bool, as_json: bool
) -> None:
    """Find free blocks of one length.

    All rows of the lists count as taken, but for pools and routes, and for VPCs around the blocks that are looked in.
    Exit 2 where a list or a block is wrong, 4 where there is no room for all of them: the largest free block is told.
    """
    whole = _parents(parents, prefix)
    taken = _taken(allocations(existing), whole) if existing else []
    found = list(islice(_best(whole, taken, prefix) if is_best_fit else first_fit(whole, taken, prefix), count))
    is_short = len(found) < count
    pool = Pool.around(whole, taken) if as_json or is_short else None
    if as_json and pool:
        click.echo(json.dumps(_answer(found, pool, count), indent=2))
    else:
        for block in found:
            click.echo(str(block))
    if is_short and pool:
        click.echo(_no_room(found, pool, prefix, count), err=True)
        raise SystemExit(NO_ROOM)


def _parents(texts: Sequence[str], prefix: int) -> tuple[Block, ...]:
    """The parents as blocks. Raises `Refused` with everything that is wrong with them."""
    found: list[Diagnostic] = []
    blocks: list[Block] = []
    for text in texts:
        read = parse_one(text)
        if isinstance(read, Fault):
            found.append(Diagnostic(code=read.code, message=f"--in: {read.message}", hint=read.hint))
        else:
            blocks.append(read)
    if len({block.version for block in blocks}) > 1:
        found.append(
            Diagnostic(code=_BAD_PARENT, message="--in: blocks of IPv4 and of IPv6", hint="ask for each alone")
        )
    elif blocks and prefix > blocks[0].bits:
        message = f"--prefix {prefix}: a prefix of IPv{blocks[0].version} has at most {blocks[0].bits} bits"
        found.append(Diagnostic(code=_BAD_LENGTH, message=message))
    if found:
        raise Refused(found)
    return tuple(blocks)


def _taken(rows: Allocations, parents: Sequence[Block]) -> list[int]:
    """The keys of the rows that take addresses; who looks inside a VPC's block does not find that it takes them all."""
    inside = [key_of(parent) for parent in parents]
    kinds = {what: kind_of(*what) for what in set(zip(rows.purposes, rows.vpcs, strict=True))}
    taken = []
    for key, purpose, vpc in zip(rows.keys, rows.purposes, rows.vpcs, strict=True):
        kind = kinds[purpose, vpc]
        if kind in _SPARE or (kind in _AROUND and any(holds(key, parent) for parent in inside)):
            continue
        taken.append(key)
    return taken


def _best(parents: Sequence[Block], taken: Sequence[int], prefix: int) -> Iterator[Block]:
    pool = Pool.around(parents, taken)
    while block := pool.allocate(prefix):
        yield block


def _answer(found: Sequence[Block], pool: Pool, count: int) -> dict[str, Any]:
    """What was found, and what was free before it is taken."""
    return {
        "blocks": [str(block) for block in found],
        "asked": count,
        "free_addresses": pool.free_addresses,
        "largest_free": str(pool.largest) if pool.largest else None,
        "fragmentation": round(pool.fragmentation, 4),
    }


def _no_room(found: Sequence[Block], pool: Pool, prefix: int, count: int) -> str:
    """What to say where there are too few."""
    where = ", ".join(str(parent) for parent in pool.parents)
    first = f"fig cidr free: {len(found):,} of {count:,} blocks of /{prefix} are free in {where}"
    if pool.largest is None:
        return f"{first}; nothing is"
    if found:
        return first
    return f"{first}; the largest free block is {pool.largest}, {pool.free_addresses:,} addresses are free in all"

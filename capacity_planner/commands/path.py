"""`fig cidr path`: every hop to on-premises with its load and its limit, the binding one first."""

import json
from pathlib import Path

import click

from ..arithmetic import count, number
from ..path.judge import PathVerdict, judge
from ..path.report import HEADER, RIGHT, assumed, changes, headline, protections, rests_on, rows, sets, to_json
from ..whatif.sweep import holds_up_to
from .options import demand_argument, json_option, limits_option, read, table

EXCEEDED = 4
_RESTS_ON = ("rests on", "value", "unit", "as of", "source")


@click.command()
@demand_argument
@limits_option
@click.option("--horizon", is_flag=True, help="Judge the demand at the horizon of its growth, not today's.")
@json_option
def path(demand_file: Path, limits_file: Path | None, *, horizon: bool, as_json: bool) -> None:
    """Say how every hop of DEMAND stands, with all zones and with one lost, at the median and when all is slow.

    Exit 4 when a limit is exceeded.
    """
    demand, limits = read(demand_file, limits_file)
    verdict = judge(demand, limits, factor=demand.growth.factor if horizon else 1.0)
    breaks_at = holds_up_to(demand, limits, verdict.binding.kind, verdict.binding.subject)
    if as_json:
        click.echo(json.dumps(to_json(verdict, breaks_at), indent=2))
    else:
        click.echo(_render(demand_file, verdict, breaks_at))
    if verdict.exceeded:
        raise SystemExit(EXCEEDED)


def _render(demand_file: Path, verdict: PathVerdict, breaks_at: float | None) -> str:
    shown = [
        f"{demand_file}: {_described(verdict)}",
        *headline(verdict, breaks_at),
        *protections(verdict),
        *sets(verdict),
        "",
        table(HEADER, rows(verdict), right=RIGHT),
    ]
    if verdict.single_circuit:
        shown.append("one circuit only: nothing carries the traffic while it is lost")
    others = changes(verdict)
    if others:
        shown += ["", *others]
    limits = table(_RESTS_ON, rests_on(verdict), right=(1,))
    return "\n".join([*shown, "", limits, "", f"assumed, as no source states it: {assumed(verdict)}"])


def _proxies(many: int) -> str:
    return f"{many:,} prox{'y' if many == 1 else 'ies'}"


def _described(verdict: PathVerdict) -> str:
    demand, network = verdict.network.demand, verdict.network
    rate = sum(one.rate for one in demand.functions)
    parts = (
        f"{count(len(demand.functions), 'function')}, {number(rate)} requests/s",
        f"{count(len(demand.azs), 'zone')}, of which {demand.account.lost_azs} may be lost",
        f"{_proxies(network.proxies_per_az)} and {count(network.targets_per_az, 'NLB target')} in each zone",
    )
    return "; ".join(parts)

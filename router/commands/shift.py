"""`fig shift ROUTE WEIGHT`: move a route's weight, and wait until it is in force."""

from collections.abc import Mapping
from typing import Any

import click

from strangler_fig.diagnostics import Diagnostic, Refused
from strangler_fig.units import UnitError

from ..weight import LEGACY_ONLY, Weight
from .emergency import emergency_exit
from .options import actor_option, control_option, json_option, print_json, reason_option, wait_option


@click.command()
@click.argument("route")
@click.argument("weight")
@reason_option
@actor_option
@wait_option("5s")
@control_option
@json_option
def shift(  # noqa: PLR0913 - click hands over one argument for each option
    *, route: str, weight: str, reason: str, actor: str, wait_seconds: float, control: str | None, as_json: bool
) -> None:
    """Send WEIGHT (25%, 0.5%, 0) of ROUTE to Lambda, the rest to legacy.

    Returns when every live node has it in force; exit 1 names the nodes that lag.
    """
    try:
        wanted = Weight.parse(weight)
    except UnitError as error:
        raise Refused([Diagnostic(code="CT105", message=str(error))]) from error
    from ..client import ControlClient, find_control  # noqa: PLC0415 - heavy, and not needed to refuse a weight

    with emergency_exit(is_needed=wanted == LEGACY_ONLY), ControlClient(find_control(control)) as client:
        answer = client.shift(
            {"route": route, "weight": wanted.parts, "actor": actor, "reason": reason, "wait_seconds": wait_seconds}
        )
    if as_json:
        print_json(answer)
    else:
        _tell(answer)
    if answer["lagging"]:
        raise SystemExit(1)


def _tell(answer: Mapping[str, Any]) -> None:
    route, before, after = answer["route"], Weight(answer["from"]), Weight(answer["to"])
    moved = f"{route}: already at {after}" if before == after else f"{route}: {before} -> {after}"
    if answer.get("ends_a_ramp"):  # a control of an older release does not say
        moved += ", its release ended there"
    ready = [f"{node['name']} {node['ms']:.1f} ms" for node in answer["nodes"] if node["in_force"]]
    if answer["in_force"]:
        click.echo(f"{moved}, in force after {answer['in_force_ms']:.1f} ms ({', '.join(ready)})")
    else:
        click.echo(f"{moved}, recorded")
    if answer["lagging"]:
        click.echo(
            f"not in force yet on: {', '.join(answer['lagging'])} (fig status says more;"
            " on the host itself fig node rollback works without control)",
            err=True,
        )
    elif not answer["nodes"]:
        click.echo("warning: no node is live; it is in force when one connects", err=True)
    if not answer["recorded"]:
        click.echo("warning: the ledger could not take it yet; control tries again", err=True)

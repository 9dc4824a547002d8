"""`fig publish ESTATE`: show what a changed estate changes, and switch to it when it is right; `--back` undoes."""

import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import click

from .options import actor_option, control_option, json_option, print_json, progress, reason_option, wait_option

_CHANGES = 3
_COLOURS = {"+": "green", "~": "yellow", "-": "red"}


@click.command()
@click.argument("estate", required=False, type=click.Path(path_type=Path))
@click.option("--back", is_flag=True, help="Publish what was published before the present estate.")
@click.option("--dry-run", is_flag=True, help="Show what would change, and change nothing.")
@click.option("--yes", is_flag=True, help="Do not ask.")
@click.option("--detailed-exit-code", is_flag=True, help="Exit 3 when there are changes.")
@reason_option
@actor_option
@wait_option("30s")
@control_option
@json_option
def publish(  # noqa: PLR0913 - click hands over one argument for each option
    *,
    estate: Path | None,
    back: bool,
    dry_run: bool,
    yes: bool,
    detailed_exit_code: bool,
    reason: str,
    actor: str,
    wait_seconds: float,
    control: str | None,
    as_json: bool,
) -> None:
    """Check ESTATE, show what it changes, validate it with Envoy, and switch every node to it.

    Weights are kept; new routes start at 0. Asks first, at a terminal. A node that cannot run it makes control go back.
    """
    if (estate is None) is not back:
        raise click.UsageError(
            "name an estate file, or say --back" if estate is None else "--back takes no estate file"
        )
    from ..client import ControlClient, find_control  # noqa: PLC0415 - heavy imports only when the command runs

    body: dict[str, Any] = {"actor": actor, "reason": reason, "wait_seconds": wait_seconds}
    if estate is not None:
        body["estate"] = _normal(estate)
    with ControlClient(find_control(control)) as client:
        send = client.publish_back if back else client.publish
        plan = send({**body, "dry_run": True})
        if not as_json:
            _show(plan)
        if not dry_run and plan["changes"] and not (yes or as_json) and sys.stdin.isatty():
            click.confirm("Publish this?", abort=True, err=True)
        with progress("compiling, asking Envoy, waiting for the nodes"):
            answer = plan if dry_run else send({**body, "base": plan["base"]})
    if as_json:
        print_json(answer)
    elif not dry_run:
        tell_published(answer)
    if answer["rejected"] or answer["lagging"]:
        raise SystemExit(1)
    if detailed_exit_code and plan["changes"]:
        raise SystemExit(_CHANGES)


def _normal(path: Path) -> dict[str, Any]:
    """The normalised estate in the file. Raises `Refused` with everything that is wrong with it."""
    from ..client import estate_environment  # noqa: PLC0415
    from ..source.load import load_estate_file  # noqa: PLC0415
    from ..source.normal import estate_json  # noqa: PLC0415

    loaded = load_estate_file(path, environment=estate_environment())
    estate = loaded.estate_or_refused()
    for warning in loaded.diagnostics:
        click.echo(str(warning), err=True)
    return estate_json(estate)


def _show(plan: Mapping[str, Any]) -> None:
    if not plan["changes"]:
        click.echo("no changes")
    for change in plan["changes"]:
        sign = click.style(change["sign"], fg=_COLOURS[change["sign"]])
        what = change["kind"] if change["kind"] == change["name"] else f"{change['kind']} {change['name']}"
        click.echo(f"{sign} {what}" + (f"  {change['detail']}" if change["detail"] else ""))


def tell_published(answer: Mapping[str, Any]) -> None:
    """Say what became of a publish: in force where, rejected by whom, or not there yet."""
    snapshot = answer["snapshot"][:12]
    for warning in answer["warnings"]:
        click.echo(f"warning: {warning}", err=True)
    for rejected in answer["rejected"]:
        click.echo(f"{rejected['node']} cannot run snapshot {snapshot}: {rejected['reason']}", err=True)
    if answer["rejected"]:
        click.echo("control went back to the previous snapshot by itself; nothing has changed", err=True)
    elif answer["in_force"] and answer["snapshot"] == answer["previous"]:
        click.echo(f"nothing is published: snapshot {snapshot} is in force already")
    elif answer["in_force"]:
        names = ", ".join(node["name"] for node in answer["nodes"])
        click.echo(f"snapshot {snapshot} is in force after {answer['in_force_ms'] / 1000:.2f} s ({names})")
    elif answer["lagging"]:
        click.echo(
            f"snapshot {snapshot} is published, but not in force yet on: {', '.join(answer['lagging'])}", err=True
        )
    else:
        click.echo(
            f"warning: snapshot {snapshot} is published, but no node is live: it is in force when one connects",
            err=True,
        )

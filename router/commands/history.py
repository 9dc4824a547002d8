"""`fig history`: who moved what, when and why, and whether that is still what was written."""

import re
from typing import TYPE_CHECKING

import click

from strangler_fig.diagnostics import Diagnostic, Refused
from strangler_fig.documents import did_you_mean

from .options import control_option, json_option, name_argument, print_json, print_view

if TYPE_CHECKING:  # the HTTP client costs start-up time that --help should not pay
    from ..client import ControlClient

NOTHING_KNOWN = "HI101"
_HEAD = re.compile(r"[0-9a-f]{64}")


def _digest(_context: click.Context, _parameter: click.Parameter, text: str | None) -> str | None:
    """A head as the check prints it: a slip of the pen is no tampering."""
    if text is None:
        return None
    head = text.strip().lower()
    if not _HEAD.fullmatch(head):
        message = f"{text!r} is not a head: 64 hexadecimal digits, as fig history --verify prints them"
        raise click.BadParameter(message)
    return head


@click.command()
@click.option("--route", callback=name_argument, help="Of this route only.")
@click.option("--release", callback=name_argument, help="Of this release only.")
@click.option("--limit", type=click.IntRange(1, 1000), default=30, show_default=True, help="How many entries.")
@click.option(
    "--verify", is_flag=True, help="Check the entries, and that weights, releases and triggers are as they say."
)
@click.option(
    "--head", callback=_digest, help="With --verify: a head that was noted earlier and must be among the entries."
)
@control_option
@json_option
def history(  # noqa: PLR0913 - click hands over one argument for each option
    *,
    route: str | None,
    release: str | None,
    limit: int,
    verify: bool,
    head: str | None,
    control: str | None,
    as_json: bool,
) -> None:
    """Show who moved what, when and why; newest first.

    With --verify the whole history is checked, and the present against it; exit 1 when they are not what was written.
    Exit 2 when nothing is known of the route or the release.
    """
    if head and not verify:
        message = "--head is for --verify"
        raise click.UsageError(message)
    if verify and (route or release):
        message = "--verify checks the whole history: leave --route and --release out"
        raise click.UsageError(message)
    from ..client import ControlClient, find_control  # noqa: PLC0415 - heavy imports only when the command runs
    from .tables import history_view  # noqa: PLC0415

    with ControlClient(find_control(control)) as client:
        if verify:
            _tell(client.check_history(head), as_json=as_json)
            return
        entries = client.history(route=route, release=release, limit=limit)
        if not entries:
            _known(client, route, release)
    if as_json:
        print_json({"entries": entries})
    elif entries:
        print_view(history_view(entries))
    else:
        click.echo(_nothing(route, release))


def _nothing(route: str | None, release: str | None) -> str:
    """What to say of what is known and has no entries."""
    if route and release:
        return f"release {release} did not move {route}"
    return f"{route or release} has not been moved yet" if route or release else "nothing has been moved yet"


def _known(client: "ControlClient", route: str | None, release: str | None) -> None:
    """Raise `Refused` where neither the history nor the present knows what was asked for."""
    if route is not None and not client.history(route=route, limit=1):
        routes = [one["route"] for one in client.status()["routes"]]
        if route not in routes:
            raise Refused([_unknown("route", route, routes)])
    if release is not None and not client.history(release=release, limit=1):
        told = client.releases()
        names = {one["release"] for one in (*told["releases"], *told["ended"])}
        raise Refused([_unknown("release", release, sorted(names))])


def _unknown(what: str, name: str, names: list[str]) -> Diagnostic:
    message = f"nothing is known of a {what} {name!r}: it is neither in the history nor there now"
    return Diagnostic(code=NOTHING_KNOWN, message=message, hint=did_you_mean(name, names))


def _tell(found: dict[str, object], *, as_json: bool) -> None:
    faults = found["faults"]
    if as_json:
        print_json(found)
    elif not faults:
        click.echo(f"{found['entries']} entries are as they were written, and the present is as they say")
        click.echo(f"the head is {found['head']}")
    elif isinstance(faults, list):
        for fault in faults:
            click.echo(f"! {fault}", err=True)
    if faults:
        raise SystemExit(1)

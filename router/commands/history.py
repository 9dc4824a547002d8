"""`fig history`: who moved what, when and why, and whether that is still what was written."""

import click

from .options import control_option, json_option, print_json, print_view


@click.command()
@click.option("--route", help="Of this route only.")
@click.option("--release", help="Of this release only.")
@click.option("--limit", type=click.IntRange(1, 1000), default=30, show_default=True, help="How many entries.")
@click.option("--verify", is_flag=True, help="Check that no entry was changed, removed, moved or put in.")
@click.option("--head", help="With --verify: a head that was noted earlier and must be among the entries.")
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

    With --verify the whole history is checked; exit 1 when it is not what was written.
    """
    if head and not verify:
        message = "--head is for --verify"
        raise click.UsageError(message)
    from ..client import ControlClient, find_control  # noqa: PLC0415 - heavy imports only when the command runs
    from .tables import history_view  # noqa: PLC0415

    with ControlClient(find_control(control)) as client:
        if verify:
            _tell(client.check_history(head), as_json=as_json)
            return
        entries = client.history(route=route, release=release, limit=limit)
    if as_json:
        print_json({"entries": entries})
    elif entries:
        print_view(history_view(entries))
    else:
        click.echo("nothing has been moved yet")


def _tell(found: dict[str, object], *, as_json: bool) -> None:
    faults = found["faults"]
    if as_json:
        print_json(found)
    elif not faults:
        click.echo(f"{found['entries']} entries are as they were written; the head is {found['head']}")
    elif isinstance(faults, list):
        for fault in faults:
            click.echo(f"! {fault}", err=True)
    if faults:
        raise SystemExit(1)

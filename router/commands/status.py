"""`fig status` and `fig history`: what is in force, and who moved what."""

import contextlib
import time
from typing import TYPE_CHECKING

import click

from .options import control_option, json_option, print_json

if TYPE_CHECKING:
    from ..client import ControlClient


@click.command()
@click.option("--watch", is_flag=True, help="Show it again each second, until Ctrl-C.")
@control_option
@json_option
def status(*, watch: bool, control: str | None, as_json: bool) -> None:
    """Show routes with weights and traffic, and what is in force on which node."""
    from ..client import ControlClient, find_control  # noqa: PLC0415 - heavy imports only when the command runs
    from .status_view import status_view  # noqa: PLC0415

    with ControlClient(find_control(control)) as client:
        if watch:
            with contextlib.suppress(KeyboardInterrupt):
                _watch(client, as_json=as_json)
        elif as_json:
            print_json(client.status())
        else:
            _print(status_view(client.status()))


@click.command()
@click.option("--route", help="Of this route only.")
@click.option("--limit", type=click.IntRange(1, 1000), default=30, show_default=True, help="How many entries.")
@control_option
@json_option
def history(*, route: str | None, limit: int, control: str | None, as_json: bool) -> None:
    """Show who moved what, when and why; newest first."""
    from ..client import ControlClient, find_control  # noqa: PLC0415 - heavy imports only when the command runs
    from .tables import history_view  # noqa: PLC0415

    with ControlClient(find_control(control)) as client:
        entries = client.history(route=route, limit=limit)
    if as_json:
        print_json({"entries": entries})
    elif entries:
        _print(history_view(entries))
    else:
        click.echo("nothing has been moved yet")


def _print(view: object) -> None:
    from rich.console import Console  # noqa: PLC0415

    console = Console(markup=False, highlight=False, emoji=False)
    if not console.is_terminal:
        console.width = 200  # a pipe has no width: long lines are better than cut ones
    console.print(view)


def _watch(client: "ControlClient", *, as_json: bool) -> None:
    from rich.console import Console  # noqa: PLC0415
    from rich.live import Live  # noqa: PLC0415
    from rich.text import Text  # noqa: PLC0415

    from ..errors import ControlUnreachable  # noqa: PLC0415
    from .status_view import status_view  # noqa: PLC0415

    if as_json:
        while True:
            print_json(client.status())
            time.sleep(1)
    console = Console(markup=False, highlight=False, emoji=False)
    with Live(status_view(client.status()), console=console, auto_refresh=False) as live:
        while True:
            time.sleep(1)
            try:
                live.update(status_view(client.status()), refresh=True)
            except ControlUnreachable as error:  # it may be restarting: requests go on meanwhile
                live.update(Text(str(error)), refresh=True)

"""`fig status`: what is in force, which releases run, and how far they are."""

import contextlib
import sys
import time
from typing import TYPE_CHECKING

import click

from .options import control_option, json_option, print_json, print_view

if TYPE_CHECKING:
    from ..client import ControlClient


@click.command()
@click.option("--watch", is_flag=True, help="Show it again each second, until Ctrl-C.")
@control_option
@json_option
def status(*, watch: bool, control: str | None, as_json: bool) -> None:
    """Show releases, routes with weights and traffic, and what is in force on which node."""
    from ..client import ControlClient, find_control  # noqa: PLC0415 - heavy imports only when the command runs
    from .status_view import status_view  # noqa: PLC0415

    with ControlClient(find_control(control)) as client:
        if watch:
            with contextlib.suppress(KeyboardInterrupt):
                _watch(client, as_json=as_json)
        elif as_json:
            print_json(client.status())
        else:
            print_view(status_view(client.status()))


def _watch(client: "ControlClient", *, as_json: bool) -> None:
    from rich.console import Console  # noqa: PLC0415
    from rich.live import Live  # noqa: PLC0415
    from rich.text import Text  # noqa: PLC0415

    from ..errors import ControlUnreachable  # noqa: PLC0415
    from .status_view import Cut, status_view  # noqa: PLC0415

    if as_json:
        while True:
            print_json(client.status())
            time.sleep(1)
    console = Console(markup=False, highlight=False, emoji=False)
    if not console.is_terminal:  # a pipe or a file gets one view after the other
        while True:
            try:
                print_view(status_view(client.status()))
            except ControlUnreachable as error:
                click.echo(str(error))
            sys.stdout.flush()
            time.sleep(1)
    with Live(Cut(status_view(client.status())), console=console, auto_refresh=False) as live:
        while True:
            time.sleep(1)
            try:
                live.update(Cut(status_view(client.status())), refresh=True)
            except ControlUnreachable as error:  # it may be restarting: requests go on meanwhile
                live.update(Text(str(error)), refresh=True)

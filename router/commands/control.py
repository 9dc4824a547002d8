"""`fig control`: run the control process in the foreground."""

import contextlib
import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from .options import Duration

if TYPE_CHECKING:
    from collections.abc import Callable

    from ..ledger.store import Ledger
    from ..run_file import RunFile


@click.command()
@click.option("--state", type=click.Path(path_type=Path, file_okay=False), required=True, help="Ledger and snapshots.")
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
@click.option("--port", type=click.IntRange(0, 65535), default=8901, show_default=True, help="0: the system chooses.")
@click.option("--ledger", metavar="URL", envvar="FIG_LEDGER", help="Keep it on a MySQL server: mysql://USER@HOST/NAME.")
@click.option("--ledger-password-file", type=click.Path(path_type=Path), help="Its password; or FIG_LEDGER_PASSWORD.")
@click.option("--ledger-ca", type=click.Path(path_type=Path), help="The CA of its certificate. Default: the system's.")
@click.option("--token-file", type=click.Path(path_type=Path), help="The token that callers must send.")
@click.option("--envoy", type=click.Path(path_type=Path), help="Envoy's binary, which judges what is published.")
@click.option(
    "--grace",
    type=Duration(),
    default="60s",
    show_default=True,
    help="How long the shares of a node that fell silent are kept for it: it may still serve.",
)
@click.option("--run-file", type=click.Path(path_type=Path), help="Where to write run.json, instead of .fig here.")
@click.option("--no-run-file", is_flag=True, help="Write no run.json.")
@click.option("--json", "as_json", is_flag=True, help="Print the ready line as JSON.")
def control(  # noqa: PLR0913 - click hands over one argument for each option
    *,
    state: Path,
    host: str,
    port: int,
    ledger: str | None,
    ledger_password_file: Path | None,
    ledger_ca: Path | None,
    token_file: Path | None,
    envoy: Path | None,
    grace: float,
    run_file: Path | None,
    no_run_file: bool,
    as_json: bool,
) -> None:
    """Run the control process: the ledger, the weights, and the snapshots that nodes pull.

    Prints `ready URL` when it listens. Ends with SIGTERM or Ctrl-C; nodes then go on with what they have.
    """
    from .. import run_file as run_files  # noqa: PLC0415 - heavy imports only when the command runs
    from ..control.app import Clocks, make_control  # noqa: PLC0415
    from ..control.server import listen, serve, url_of  # noqa: PLC0415
    from ..control.stages import find_envoy, real_stages  # noqa: PLC0415
    from ..control.state_directory import StateDirectory  # noqa: PLC0415

    directory = StateDirectory(state)
    open_ledger = _ledger(directory.ledger, ledger, ledger_password_file, ledger_ca)
    judge = find_envoy(envoy)
    if judge is None:
        click.echo("control: no Envoy here: estates are judged by the nodes only", err=True)
    with directory.held(), contextlib.ExitStack() as at_end:
        token = directory.token(token_file)
        listener = at_end.enter_context(listen(host, port))
        kept = open_ledger()
        at_end.callback(kept.close)
        parts = make_control(kept, real_stages(judge), directory.snapshots, token, Clocks(grace_seconds=grace))
        run = run_files.RunFile(control=url_of(listener), token=token)
        path = None if no_run_file else (run_file or Path.cwd() / run_files.NAME)
        if path is not None:
            at_end.callback(run_files.remove_own, path, run)
        serve(parts, listener, lambda: _announce(run, path, as_json=as_json))


def _ledger(file: Path, url: str | None, password_file: Path | None, ca: Path | None) -> "Callable[[], Ledger]":
    """Opens the ledger in control's folder, or on the server that the URL names. Raises `Refused`."""
    from ..ledger.server import server  # noqa: PLC0415 - heavy imports only when the command runs
    from ..ledger.store import Ledger  # noqa: PLC0415

    if url is None:
        if password_file is not None or ca is not None:
            message = "--ledger-password-file and --ledger-ca are for a ledger on a server: name it with --ledger URL"
            raise click.UsageError(message)
        return lambda: Ledger.open(file)
    engine = server(url, ca=ca, password_file=password_file).engine()
    return lambda: Ledger.over(engine)


def _announce(run: "RunFile", path: Path | None, *, as_json: bool) -> None:
    from .. import run_file as run_files  # noqa: PLC0415

    if path is not None:
        try:
            run_files.write(path, run)
        except OSError as error:
            click.echo(f"control: {path} could not be written: {error}", err=True)
    click.echo(json.dumps({"ready": run.control}) if as_json else f"ready {run.control}")
    sys.stdout.flush()

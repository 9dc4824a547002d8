"""`fig observe`: run the receiver and the pages in the foreground; its subcommands ask the process that runs."""

import contextlib
import json
import os
import secrets
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from urllib.parse import urlsplit

import click

from .ask import export, forward, login, query
from .options import Duration, Size, proxy_login

_LOOPBACK = ("127.0.0.1", "localhost", "[::1]")


@click.group(invoke_without_command=True)
@click.option(
    "--data",
    type=click.Path(path_type=Path, dir_okay=False),
    default=Path(".fig/observe.duckdb"),
    show_default=True,
    help="The store's file.",
)
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
@click.option("--otlp-port", type=click.IntRange(0, 65535), default=4318, show_default=True, help="0: any free one.")
@click.option("--port", type=click.IntRange(0, 65535), default=8317, show_default=True, help="Of pages and API.")
@click.option("--otlp-token-file", type=click.Path(path_type=Path, exists=True), help="The token senders must send.")
@click.option("--allow-host", multiple=True, metavar="NAME[:PORT]", help="What browsers may call the pages, too.")
@click.option("--login-header", metavar="NAME", help="The header in which your proxy names who is logged in.")
@click.option(
    "--login-from", multiple=True, metavar="CIDR", help="The proxy's network: from it alone the header counts."
)
@click.option("--login-admin", multiple=True, metavar="USER", help="Who is an admin; the others are viewers.")
@click.option("--login-role-header", metavar="NAME", help="The header in which your proxy says viewer or admin.")
@click.option("--keep", type=Duration(), default="7d", show_default=True, help="How long spans and records are kept.")
@click.option("--keep-minutes", type=Duration(), default="90d", show_default=True, help="The same for the numbers.")
@click.option("--max-size", type=Size(), default="20GB", show_default=True, help="The oldest go when it is more.")
@click.option("--memory", type=Size(), default="400MB", show_default=True, help="The store's share of memory.")
@click.option(
    "--run-file", type=click.Path(path_type=Path), help="Where to write it, instead of .fig/observe.json here."
)
@click.option("--no-run-file", is_flag=True, help="Write no .fig/observe.json here.")
@click.option("--json", "as_json", is_flag=True, help="Print the ready line as JSON.")
@click.pass_context
def observe(ctx: click.Context, /, **options: object) -> None:
    """Receive the telemetry of both worlds by OTLP/HTTP, keep it, and answer questions about it.

    Prints `ready`, where senders send to, and the address of a first login. Ends with SIGTERM or Ctrl-C.
    """
    if ctx.invoked_subcommand is None:
        _run(**options)  # type: ignore[arg-type]  # click made them what the options say


def _run(  # noqa: PLR0913 - click hands over one argument for each option
    *,
    data: Path,
    host: str,
    otlp_port: int,
    port: int,
    otlp_token_file: Path | None,
    allow_host: tuple[str, ...],
    login_header: str | None,
    login_from: tuple[str, ...],
    login_admin: tuple[str, ...],
    login_role_header: str | None,
    keep: float,
    keep_minutes: float,
    max_size: int,
    memory: int,
    run_file: Path | None,
    no_run_file: bool,
    as_json: bool,
) -> None:
    from .. import run_file as run_files  # noqa: PLC0415 - heavy imports only when the command runs
    from ..api.sessions import Role  # noqa: PLC0415
    from ..app import Access, make_observe  # noqa: PLC0415
    from ..server import listen, serve, url_of  # noqa: PLC0415
    from ..store.database import Place  # noqa: PLC0415
    from ..store.upkeep import Keep  # noqa: PLC0415

    os.umask(0o077)  # whatever DuckDB and the forwarder make is for this user alone
    if not otlp_token_file and host not in _LOOPBACK:
        click.echo("observe: whoever reaches the OTLP port may send; --otlp-token-file bars strangers", err=True)
    proxy = proxy_login(login_header, login_from, login_admin, login_role_header)
    token = secrets.token_urlsafe(32)
    otlp_token = otlp_token_file.read_text().strip() if otlp_token_file else ""
    with contextlib.ExitStack() as at_end:
        receiver = at_end.enter_context(listen(host, otlp_port, "--otlp-port"))
        pages = at_end.enter_context(listen(host, port, "--port"))
        parts = make_observe(
            Place(file=data, memory_bytes=memory),
            Keep(raw=int(keep * 1e9), minutes=int(keep_minutes * 1e9), max_bytes=max_size),
            Access(
                token=token,
                otlp_token=otlp_token,
                is_ours=_hosts(host, [one.getsockname()[1] for one in (pages, receiver)], allow_host),
                proxy=proxy,
                listening=receiver.getsockname()[:2],
            ),
        )
        at_end.callback(parts.close)
        run = run_files.RunFile(pages=url_of(pages), otlp=url_of(receiver), token=token)
        path = None if no_run_file else (run_file or Path.cwd() / run_files.NAME)
        if path is not None:
            at_end.callback(run_files.remove_own, path, run)

        def ready() -> None:
            if path is not None:
                _write(path, run)
            login_url = f"{run.pages}/login?token={parts.sessions.mint(Role.ADMIN)}"
            said = {"ready": run.pages, "otlp": run.otlp, "login": login_url}
            click.echo(
                json.dumps(said) if as_json else f"ready {run.pages}\n  OTLP/HTTP {run.otlp}\n  open {login_url}"
            )
            sys.stdout.flush()

        serve([(parts.receiver, receiver), (parts.pages, pages)], ready, parts.live.close)


def _write(path: Path, run: object) -> None:
    from .. import run_file  # noqa: PLC0415 - as above

    assert isinstance(run, run_file.RunFile)  # noqa: S101 - its only caller
    try:
        run_file.write(path, run)
    except OSError as error:
        click.echo(f"observe: {path} could not be written: {error}", err=True)


def _hosts(host: str, ports: Sequence[int], allowed: tuple[str, ...]) -> Callable[[str], bool]:
    """Whether a browser's `Host` is one of ours: another name may be an attacker's that was made to lead here."""
    bound = f"[{host}]" if ":" in host else host
    known = {f"{name}:{port}" for name in (*_LOOPBACK, bound) for port in ports} | {name.lower() for name in allowed}

    def is_ours(said: str) -> bool:
        try:
            return said.lower() in known or (urlsplit(f"//{said}").hostname or "") in known
        except ValueError:  # half an IPv6 address
            return False

    return is_ours


for _command in (query, export, forward, login):
    observe.add_command(_command)

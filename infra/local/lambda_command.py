"""The command `fig lambda`: run the functions of one file until a signal comes."""

import asyncio
import gc
import importlib.util
import json
import os
import signal
from pathlib import Path

import click

from strangler_fig.diagnostics import Diagnostic, Refused, has_errors

from .functions.app import LocalLambda
from .functions.functions_file import load_functions
from .functions.settings import Settings


@click.command("lambda")
@click.argument("functions", type=click.Path(path_type=Path))
@click.option("--host", default="127.0.0.1", show_default=True, help="The address to listen on.")
@click.option("--port", default=9002, show_default=True, type=click.IntRange(0, 65535), help="0: the system chooses.")
@click.option("--json", "as_json", is_flag=True, help="Say that it is ready as JSON.")
def lambda_(functions: Path, host: str, port: int, *, as_json: bool) -> None:
    """Run the Lambda functions of the file FUNCTIONS on this machine, behind the Invoke API."""
    if importlib.util.find_spec("awslambdaric") is None:
        message = "fig lambda needs the package awslambdaric: pip install 'strangler-fig[local]'"
        raise Refused([Diagnostic(code="LF201", message=message)])
    settings = _read(functions)
    asyncio.run(_serve(settings, host, port, as_json=as_json))


def _read(file: Path) -> Settings:
    try:
        text = file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise Refused([Diagnostic(code="LF202", message=f"{file} cannot be read: {error}")]) from error
    loaded = load_functions(text, file=str(file), folder=file.resolve().parent, environment=os.environ)
    if loaded.settings is None or has_errors(loaded.diagnostics):
        raise Refused(loaded.diagnostics)
    for found in loaded.diagnostics:
        click.echo(str(found), err=True)
    return loaded.settings


async def _serve(settings: Settings, host: str, port: int, *, as_json: bool) -> None:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        loop.add_signal_handler(number, stop.set)
    local = LocalLambda(settings, host=host, port=port)
    try:
        await local.__aenter__()
    except OSError as error:
        reason = os.strerror(error.errno) if error.errno and error.errno > 0 else str(error)
        hint = "choose another with --port, or --port 0 for any that is free"
        message = f"cannot listen on {host}:{port}: {reason}"
        raise Refused([Diagnostic(code="LF203", message=message, hint=hint)]) from error
    gc.freeze()  # what start-up made stays: collections need not walk it again (a tenth of an invocation's cost)
    try:
        click.echo(json.dumps({"ready": local.url}) if as_json else f"ready {local.url}")
        await stop.wait()
    finally:
        await local.__aexit__()

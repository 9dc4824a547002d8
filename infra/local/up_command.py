"""`fig up`: a whole estate on this machine, in the foreground.

Parse, then do, then say: `preflight` refuses what can be refused before anything starts, `stages` lists what to start,
`Run` starts, watches and ends it.
"""

import asyncio
import contextlib
import json
import os
import signal
import sys
import threading
from pathlib import Path

import click

from .estate_run import preflight, run_file, stages
from .estate_run.errors import EstateRunFailed
from .estate_run.output import Output, for_terminal
from .estate_run.run import Run, Stopped
from .estate_run.stages import Plan

READY_SECONDS = 30.0
"""How long the processes may take to become ready; they start in about two seconds on two cores."""


@click.command()
@click.argument("estate", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option(
    "--state",
    type=click.Path(file_okay=False, path_type=Path),
    default=Path(".fig"),
    show_default=True,
    help="Where the ledger, the node's files and run.json are kept.",
)
@click.option("--json", "as_json", is_flag=True, help="Print the addresses as one line of JSON once all is ready.")
@click.option("--no-observe", is_flag=True, help="Start no fig observe: nobody is told of requests.")
@click.option("--until-eof", is_flag=True, help="For scripts: end when standard input is closed.")
def up(*, estate: Path, state: Path, as_json: bool, no_observe: bool, until_eof: bool) -> None:
    """Run the ESTATE on this machine, in the foreground: control, router, local Lambda, its own commands, fig observe.

    The commands and the functions are listed in local.yaml beside the estate. Ctrl-C ends everything.
    """
    output = for_terminal()
    try:
        plan, warnings = preflight.plan(estate, state, os.environ, observe=not no_observe)
    except preflight.CheckFailed as failed:
        click.echo(failed.findings, err=True)
        sys.exit(failed.exit_code)
    if warnings:
        click.echo(warnings.rstrip(), err=True)
    for note in plan.notes:
        output.say(note)
    with preflight.hold(plan.state):
        preflight.remember_ports(plan)
        sys.exit(asyncio.run(_up(plan, output, as_json=as_json, until_eof=until_eof)))


async def _up(plan: Plan, output: Output, *, as_json: bool, until_eof: bool) -> int:
    """Run the plan until somebody stops it; returns the exit code."""
    run = Run(output)
    _listen(run, until_eof=until_eof)
    try:
        await _start(plan, run, as_json=as_json)
        output.say("ready; Ctrl-C ends it. In another terminal, in this folder: fig status")
        await run.until_stopped()
    except Stopped:
        return 0  # stopped before it was ready: as good an end as any
    except EstateRunFailed as failed:
        output.say(f"!! {failed}")
        return failed.exit_code
    else:
        return 0
    finally:
        output.say("stopping")
        await run.end_all()
        run_file.remove(plan.run_file)


async def _start(plan: Plan, run: Run, *, as_json: bool) -> None:
    run_file.remove(plan.run_file)  # left there by a run that was killed
    started = {spec.name: await run.start(spec) for spec in stages.first(plan)}
    await run.ready([started["control"]], deadline_seconds=READY_SECONDS)
    address = run_file.read_control(plan.run_file)
    node = await run.start(stages.node(plan, address))
    await run.ready([*started.values(), node], deadline_seconds=READY_SECONDS)
    await run.step(stages.publish(plan, address))
    addresses = plan.addresses(address)
    run_file.complete(plan.run_file, address, environment=plan.chosen, addresses=addresses)
    login = started[stages.OBSERVE].told["login"] if plan.is_observed else None
    _announce(plan, addresses, login, as_json=as_json)


def _announce(plan: Plan, addresses: dict[str, str], login: str | None, *, as_json: bool) -> None:
    if as_json:
        values = {"ready": True, "pid": os.getpid(), "addresses": addresses, "login": login}
        click.echo(json.dumps({**values, "environment": dict(plan.chosen), "run_file": str(plan.run_file)}))
        return
    for name, address in addresses.items():
        click.echo(f"{name:<8} {address}")
    if login:
        click.echo(f"watch it {login}")


def _listen(run: Run, *, until_eof: bool) -> None:
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        if number is signal.SIGHUP and signal.getsignal(number) is signal.SIG_IGN:
            continue  # under nohup: the terminal may go
        loop.add_signal_handler(number, run.ask_to_stop)

    def read_to_the_end() -> None:
        while os.read(sys.stdin.fileno(), 1024):
            pass  # whatever is typed means nothing; only the end does
        with contextlib.suppress(RuntimeError):  # the run has ended, and its loop with it
            loop.call_soon_threadsafe(run.ask_to_stop)

    if until_eof:  # a thread, since standard input may be a file, which an event loop cannot wait for
        threading.Thread(target=read_to_the_end, daemon=True).start()

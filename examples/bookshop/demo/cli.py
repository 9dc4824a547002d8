"""The demo's command line, and what its exit code says.

0: the story held (nothing failed, nobody bounced, the shares were right, legacy stood in for Lambda). 1: it did not.
"""

import asyncio
import os
import signal
import sys
import tempfile
from contextlib import ExitStack
from pathlib import Path

import click
from rich.console import Console

from .estate import EstateFailed, LocalEstate
from .story import Pace, Story
from .summary import Summary
from .table import display_for

INTERRUPTED = 130
"""What a shell says of a command that Ctrl-C ended."""


@click.command()
@click.option("--keep", is_flag=True, envvar="KEEP", help="Leave everything running at the end, and say where.")
@click.option("--no-observe", is_flag=True, help="Without fig observe: nobody can watch in a browser.")
@click.option(
    "--report", type=click.Path(dir_okay=False, path_type=Path), help="Also write the summary there, as JSON."
)
@click.option(
    "--seconds-per-step",
    type=click.FloatRange(min=0.2, max=600),
    default=4.5,
    show_default=True,
    envvar="FIG_DEMO_SECONDS_PER_STEP",
    help="How long each weight is held.",
)
def main(*, keep: bool, no_observe: bool, report: Path | None, seconds_per_step: float) -> None:
    """Move a route of the bookshop to Lambda and back while 400 users read, then break Lambda."""
    console = Console(highlight=False)
    with ExitStack() as open_until_the_end:
        if keep:
            state = Path(".fig")  # so that `fig status` in this folder finds it
        else:
            state = Path(open_until_the_end.enter_context(tempfile.TemporaryDirectory(prefix="fig-demo-")))
        estate = LocalEstate(state, keep=keep, observe=not no_observe)
        try:
            summary = asyncio.run(_tell(console, estate, Pace.of(seconds_per_step)))
        except EstateFailed as failed:
            console.print(f"The demo could not go on: {failed}", style="bold red", markup=False)
            sys.exit(1)
        if summary is None:
            console.print("Interrupted; everything has been ended.")
            sys.exit(INTERRUPTED)
    if report:
        report.write_text(summary.to_json(), encoding="utf-8")
    summary.show(console)
    sys.exit(0 if summary.story_held else 1)


async def _tell(console: Console, estate: LocalEstate, pace: Pace) -> Summary | None:
    """The story's summary; None when somebody stopped it."""
    loop = asyncio.get_running_loop()
    stop = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        if signal.getsignal(number) is signal.SIG_IGN:
            continue  # under nohup
        loop.add_signal_handler(number, stop.set)
    telling = asyncio.create_task(_tell_all(console, estate, pace))
    stopping = asyncio.create_task(stop.wait())
    await asyncio.wait({telling, stopping}, return_when=asyncio.FIRST_COMPLETED)
    stopping.cancel()
    if telling.done():
        return await telling
    telling.cancel()
    await asyncio.wait({telling})
    return None


async def _tell_all(console: Console, estate: LocalEstate, pace: Pace) -> Summary:
    kept = False
    try:
        console.print("Starting the bookshop, a local Lambda, Envoy and control:")
        console.print("$ fig up examples/bookshop/estate.yaml", style="bold")
        await estate.start()
        if estate.login:
            console.print(f"Watch it live, in a browser: {estate.login}", markup=False, soft_wrap=True)
        with display_for(console) as display:
            summary = await Story(estate, display, pace).tell()
        kept = estate.keep
        if kept:
            _say_where(console, estate)
        return summary
    finally:
        if not kept:
            await estate.end()


def _say_where(console: Console, estate: LocalEstate) -> None:
    console.print("\n[bold]Left running[/]")
    for name, address in estate.addresses.items():
        console.print(f"  {name:<8} {address}", markup=False)
    console.print(f"  log      {estate.log}", markup=False)
    console.print("Look at it:  fig status", markup=False)
    console.print(f"Ask it:      curl -i -H 'X-User: alice' {estate.addresses['entry']}/books/7", markup=False)
    console.print(f"Stop it:     kill {estate.pid}   (this process: {os.getpid()}, ends now)", markup=False)

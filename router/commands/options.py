"""Options that several commands share: where control is, who acts, how long to wait, and JSON instead of words."""

import contextlib
import getpass
import json
import os
import re
import shutil
import sys
from collections.abc import Callable, Iterator
from typing import Any, TypeVar

import click

from strangler_fig.units import UnitError, seconds, size_bytes

_RATE = re.compile(r"([0-9]{1,9}(?:\.[0-9]{1,6})?)\s?(rps|rpm|/s|/min)")

Command = TypeVar("Command", bound=Callable[..., Any])


class Duration(click.ParamType[float]):
    """A duration such as `5s` or `500ms`, as seconds."""

    name = "duration"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        """Give the seconds that the text stands for."""
        if isinstance(value, float):
            return value
        try:
            return seconds(str(value))
        except UnitError as error:
            self.fail(str(error), param, ctx)


class Size(click.ParamType[int]):
    """A size such as `500MB` or `4GiB`, as bytes."""

    name = "size"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int:
        """Give the bytes that the text stands for."""
        if isinstance(value, int):
            return value
        try:
            return size_bytes(str(value))
        except UnitError as error:
            self.fail(str(error), param, ctx)


class Rate(click.ParamType[float]):
    """Requests a second, as in `50rps` or `30rpm`."""

    name = "rate"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        """Give the requests a second that the text stands for."""
        if isinstance(value, float):
            return value
        found = _RATE.fullmatch(str(value))
        if not found:
            self.fail(f"{value!r} is not a rate: write 50rps, or 30rpm for so many a minute", param, ctx)
        rate = float(found[1]) / (60 if found[2] in {"rpm", "/min"} else 1)
        if not rate:
            self.fail("without a request no gate ever decides: write how many come, as in 50rps or 30rpm", param, ctx)
        return rate


_LONGEST_NAME = 255
_LONGEST_REASON = 4_000
"""What control takes; said here with the option's name."""


def name_argument(_context: click.Context, _parameter: click.Parameter, text: str | None) -> str | None:
    """A name that something can have."""
    return None if text is None else _bounded(text, _LONGEST_NAME)


def _bounded(text: str, most: int) -> str:
    if len(text) > most:
        message = f"it has {len(text):,} characters, and at most {most:,} are taken"
        raise click.BadParameter(message)
    return text


def control_option(command: Command) -> Command:
    """`--control URL`."""
    return click.option("--control", metavar="URL", help="Control's address; else FIG_CONTROL, else .fig/run.json.")(
        command
    )


def json_option(command: Command) -> Command:
    """`--json`."""
    return click.option("--json", "as_json", is_flag=True, help="Print JSON, for scripts.")(command)


def actor_option(command: Command) -> Command:
    """`--actor NAME`."""
    text = "Who does this, for the history."
    return click.option("--actor", default=_user, callback=name_argument, help=text, show_default="you")(command)


def reason_option(command: Command) -> Command:
    """`--reason TEXT`."""
    return click.option("--reason", default="", callback=_why, help="Why, for the history.")(command)


def why_option(command: Command) -> Command:
    """`--reason TEXT`, which must be given."""
    return click.option("--reason", required=True, callback=_said, help="Why, for the history.")(command)


def _why(_context: click.Context, _parameter: click.Parameter, text: str) -> str:
    return _bounded(text, _LONGEST_REASON)


def _said(_context: click.Context, _parameter: click.Parameter, text: str) -> str:
    if not text.strip():
        message = "it is empty: the history keeps why"
        raise click.BadParameter(message)
    return _bounded(text, _LONGEST_REASON)


def wait_option(default: str) -> Callable[[Command], Command]:
    """`--wait DURATION`."""
    text = "How long to wait until it is in force."
    return click.option("--wait", "wait_seconds", type=Duration(), default=default, show_default=True, help=text)


def print_json(values: Any) -> None:
    """Print one line of JSON on standard output."""
    click.echo(json.dumps(values))


def terminal_width() -> int | None:
    """How many columns standard output has; None where it is no terminal."""
    return shutil.get_terminal_size().columns if sys.stdout.isatty() else None


def print_view(view: object) -> None:
    """Print a table or text on standard output, as wide as the terminal is."""
    from rich.console import Console  # noqa: PLC0415 - heavy, and not needed for JSON

    console = Console(markup=False, highlight=False, emoji=False)
    if console.is_terminal:
        console.print(view)
        return
    console.width = 200  # a pipe has no width: long lines are better than cut ones
    with console.capture() as captured:
        console.print(view)
    for line in captured.get().splitlines():
        click.echo(line.rstrip())  # nor are they filled up with blanks


@contextlib.contextmanager
def progress(text: str) -> Iterator[None]:
    """Show on standard error that something goes on; only at a terminal."""
    if not sys.stderr.isatty():
        yield
        return
    from rich.console import Console  # noqa: PLC0415 - heavy, and for terminals only

    with Console(stderr=True, markup=False).status(text):
        yield


def _user() -> str:
    name = os.environ.get("USER", "")
    if name:
        return name
    try:
        return getpass.getuser()
    except (OSError, KeyError):  # no such user in this container
        return f"uid {os.getuid()}"

"""What the processes print, each line under its process's name, and what `fig up` itself says.

Everything goes to standard error; standard output is for the addresses. The name is always written out; colour, on a
terminal only, comes on top of it.
"""

import os
import sys

import click

_COLOURS = ("cyan", "magenta", "yellow", "blue", "green", "bright_cyan", "bright_magenta")
OWN_NAME = "fig up"


class Output:
    """Writes lines under names; a name keeps its colour. Narrow enough for a fake: one method."""

    def __init__(self, *, colour: bool) -> None:
        self._colour = colour
        self._colours: dict[str, str] = {}

    def line(self, name: str, text: str) -> None:
        """Write one line of the process `name`."""
        prefix = f"{name:<8}|"
        if self._colour:
            shade = self._colours.setdefault(name, _COLOURS[len(self._colours) % len(_COLOURS)])
            prefix = click.style(prefix, fg=shade, bold=name == OWN_NAME)
        try:
            click.echo(f"{prefix} {text}", err=True, color=self._colour)
        except OSError:
            # the terminal or the pipe is gone; ending the processes still matters, and nobody is left to read
            return

    def say(self, text: str) -> None:
        """Write one line of fig up's own."""
        self.line(OWN_NAME, text)


def for_terminal() -> Output:
    """The output for this process's standard error: colour only on a terminal, and not where NO_COLOR is set."""
    return Output(colour=sys.stderr.isatty() and not os.environ.get("NO_COLOR"))

"""The command line in this process: what `fig` would print and exit with, without the time that a process takes."""

import io
import sys
from contextlib import chdir, redirect_stderr, redirect_stdout
from dataclasses import dataclass
from pathlib import Path

import pytest

import fig as command_line


@dataclass(frozen=True, slots=True)
class Done:
    """What a command came to."""

    code: int
    stdout: str
    stderr: str


def fig(folder: Path, *arguments: str) -> Done:
    """Run `fig cidr` in a folder, through the entry point that the installed command has."""
    out, err = io.StringIO(), io.StringIO()
    with pytest.MonkeyPatch.context() as patch, chdir(folder), redirect_stdout(out), redirect_stderr(err):
        patch.setattr(sys, "argv", ["fig", "cidr", *arguments])
        try:
            command_line.main()
        except SystemExit as end:
            return Done(end.code if isinstance(end.code, int) else 0, out.getvalue(), err.getvalue())
    return Done(0, out.getvalue(), err.getvalue())

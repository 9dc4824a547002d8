"""`fig` as a user calls it, in this process: what it prints, and the code that it ends with."""

import contextlib
import io
import sys
from dataclasses import dataclass

import pytest

import fig


@dataclass(frozen=True, slots=True)
class Done:
    """What a call gave."""

    code: int
    out: str
    err: str


def run(monkeypatch: pytest.MonkeyPatch, *arguments: object) -> Done:
    """Call `fig cidr` with arguments. An exception that `fig` lets through is let through here, too."""
    monkeypatch.setattr(sys, "argv", ["fig", "cidr", *map(str, arguments)])
    out, err = io.StringIO(), io.StringIO()
    code = 0
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        try:
            fig.main()
        except SystemExit as ended:
            code = ended.code if isinstance(ended.code, int) else 1
    return Done(code, out.getvalue(), err.getvalue())

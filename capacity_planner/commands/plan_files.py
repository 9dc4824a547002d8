"""Plan files as commands meet them: read strictly, and replaced as a whole or not at all."""

from pathlib import Path

from strangler_fig.diagnostics import Diagnostic, Failed, Refused

from ..files import Unreadable, read_text, write_aside
from ..layout import reading
from ..layout.values import Plan

UNREADABLE = "PL100"
_MOST_BYTES = 64 * 2**20


def read_plan(path: Path) -> Plan:
    """The plan in a file. Raises `Refused` where it is not sound."""
    try:
        text = read_text(path, most_bytes=_MOST_BYTES)
    except Unreadable as error:
        raise Refused([Diagnostic(code=UNREADABLE, message=str(error))]) from error
    return reading.read(text, file=str(path))


def write(path: Path, text: str) -> None:
    """Replace a file by a text, whole or not at all. Raises `Failed`."""
    try:
        write_aside(path, text)
    except OSError as error:
        message = f"{path} cannot be written: {error.strerror or error}; what stood there stands there still"
        raise Failed(message) from error

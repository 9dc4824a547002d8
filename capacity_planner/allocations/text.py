"""Bytes to text: what a spreadsheet, a router or a Windows editor may have left in a file, named with its place."""

import codecs
import re
from bisect import bisect_right
from pathlib import Path

from strangler_fig.diagnostics import Diagnostic, Position

UNREADABLE = "AL101"
ENCODING = "AL102"
NUL = "AL103"
MOST_BYTES = 256 * 2**20

_LINE_END = re.compile(r"\r\n|\n|\r")
_UTF16 = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)

_Read = tuple[str | None, tuple[Diagnostic, ...]]


class Lines:
    """Where the lines of a text begin, found when somebody asks for a place."""

    def __init__(self, file: str, text: str) -> None:
        self._file = file
        self._text = text
        self._starts: list[int] | None = None

    def start_of(self, line: int) -> int:
        """The offset at which a line (counted from 1) begins."""
        return self._all()[line - 1]

    def at(self, offset: int) -> Position:
        """The place of an offset."""
        starts = self._all()
        line = bisect_right(starts, offset)
        return Position(self._file, line, offset - starts[line - 1] + 1)

    def _all(self) -> list[int]:
        if self._starts is None:
            self._starts = [0, *(found.end() for found in _LINE_END.finditer(self._text))]
        return self._starts


def read(path: Path) -> _Read:
    """The text of a file without its byte order mark, or what is wrong with it."""
    try:
        with path.open("rb") as file:
            data = file.read(MOST_BYTES + 1)  # not a byte more: the path may be a device without an end
    except OSError as error:
        message = f"{path} cannot be read: {error.strerror or error}"
        return None, (Diagnostic(code=UNREADABLE, message=message),)
    if len(data) > MOST_BYTES:
        return None, (Diagnostic(code=UNREADABLE, message=f"{path} is larger than {MOST_BYTES // 2**20} MiB"),)
    return decode(data, file=str(path))


def decode(data: bytes, *, file: str) -> _Read:
    """The text of UTF-8 bytes without its byte order mark, or what is wrong with it."""
    if data.startswith(_UTF16):
        found = Diagnostic(
            code=ENCODING,
            message="the file is UTF-16",
            position=Position(file, 1, 1),
            hint="save it as UTF-8 (in a spreadsheet: CSV UTF-8)",
        )
        return None, (found,)
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        before = data[: error.start].decode("utf-8-sig")
        found = Diagnostic(
            code=ENCODING,
            message=f"the byte 0x{data[error.start]:02x} is not UTF-8",
            position=Lines(file, before).at(len(before)),
            hint="save the file as UTF-8; it may be Windows-1252 or Latin-1",
        )
        return None, (found,)
    if "\0" in text:
        count = text.count("\0")
        found = Diagnostic(
            code=NUL,
            message=f"{count:,} NUL character{'s' if count > 1 else ''}: this is not a text file, or a damaged one",
            position=Lines(file, text).at(text.index("\0")),
        )
        return None, (found,)
    return text, ()

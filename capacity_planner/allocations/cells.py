"""Where the cells of a CSV record stand: the record is cut again, by offset, when somebody asks for a place."""

import re
from collections.abc import Iterator
from itertools import islice

QUOTED = re.compile(r'"[^"]*+(?:""[^"]*+)*+"')
"""A whole quoted cell."""

_CLOSING = re.compile(r'[^"]*+(?:""[^"]*+)*+"')


class BadQuoteError(ValueError):
    """A quote that is never closed, or text after a closing one; `offset` is where."""

    def __init__(self, offset: int, message: str) -> None:
        super().__init__(message)
        self.offset = offset


def cells(text: str, start: int, separator: str) -> Iterator[int]:
    """The offsets of the cells of the record that begins at `start`. Raises `BadQuoteError`."""
    cell_end = re.compile(f"[{separator}\r\n]")
    at = start
    while True:
        yield at
        if text.startswith('"', at):
            closing = _CLOSING.match(text, at + 1)
            if not closing:
                raise BadQuoteError(at, "this quote is never closed")
            at = closing.end()
            if text[at : at + 1] not in ("", separator, "\r", "\n"):
                raise BadQuoteError(at, "text after the closing quote of a cell")
        else:
            found = cell_end.search(text, at)
            at = found.start() if found else len(text)
        if text[at : at + 1] != separator:
            return
        at += 1


def nth_cell(text: str, start: int, separator: str, place: int) -> int:
    """The offset of a record's cell, after the spaces before its text; the record's, where it has no such cell."""
    offset = next(islice(cells(text, start, separator), place, None), start)
    while text[offset : offset + 1] == " ":
        offset += 1
    return offset

"""CSV as columns whose every cell has a place in the file.

Only the columns that somebody wants are kept, and places are found when somebody asks. The separator is the header's
(comma, semicolon or tab); a row that has another one is a fault, never a guess. A lot of lines without quotes is cut at
once, joined by a mark that would show if one line had a cell too many or too few; only then is it cut line by line.
"""

import csv
import io
import re
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass

from strangler_fig.diagnostics import Diagnostic, Position

from .cells import QUOTED, BadQuoteError, cells, nth_cell
from .text import Lines

EMPTY = "AL104"
COLUMNS = "AL105"
SEPARATOR = "AL106"
CELLS = "AL107"
QUOTES = "AL108"

_NAMES = {",": "commas", ";": "semicolons", "\t": "tabs"}
_LOT_CHARACTERS = 2**20

_Record = tuple[int, list[str]]  # its first line, its cells


@dataclass(frozen=True, slots=True, kw_only=True)
class Sheet:
    """The wanted columns of a CSV that it has, by name; `header` is every name as it stands."""

    header: tuple[str, ...]
    header_line: int
    columns: dict[str, list[str]]
    rows: int
    separator: str
    text: str
    lines: Lines
    row_lines: Sequence[int]

    def at(self, row: int, column: str | None = None) -> Position:
        """The place of a cell, or of its row."""
        start = self.lines.start_of(self.row_lines[row])
        if column is None:
            return self.lines.at(start)
        place = [plain(name) for name in self.header].index(column)
        return self.lines.at(nth_cell(self.text, start, self.separator, place))

    def is_blank(self, row: int) -> bool:
        """Whether a row has nothing in any cell, as those that spreadsheets leave below a table."""
        line = re.compile(r"[^\r\n]*").match(self.text, self.lines.start_of(self.row_lines[row]))
        return line is None or not line[0].replace(self.separator, "").strip()


def read_sheet(text: str, *, file: str, wanted: Collection[str]) -> tuple[Sheet | None, tuple[Diagnostic, ...]]:
    """The sheet of a CSV text, and everything that is wrong with its form; None where its header cannot be read.

    Names of columns are compared without case and without the spaces around them.
    """
    reading = _Reading(text, file, wanted)
    sheet = reading.sheet()
    return sheet, tuple(reading.found)


def plain(name: str) -> str:
    """A column's name as it is compared."""
    return name.strip().lower()


class _Table:
    """The wanted columns while they are filled."""

    def __init__(self, header: list[str], line: int, wanted: Collection[str]) -> None:
        names = [plain(name) for name in header]
        self.header = header
        self.line = line
        self.places = {name: names.index(name) for name in names if name in wanted}
        self.columns: dict[str, list[str]] = {name: [] for name in self.places}
        self.row_lines: list[int] = []
        self._shared: dict[str, dict[str, str]] = {name: {} for name in self.places}

    def add(self, column: Callable[[int], Iterable[str]], lines: Iterable[int]) -> None:
        """Add rows: the cells of the column at a place in the header, and the line of each row."""
        self.row_lines += lines
        for name, place in self.places.items():
            values = list(map(str.strip, column(place)))
            seen = self._shared[name]
            if 2 * len(seen) <= len(self.columns[name]):  # cells repeat: one string for all that are equal
                values = list(map(seen.setdefault, values, values))
            self.columns[name] += values


class _Reading:
    """One text on its way to a sheet; findings are collected."""

    def __init__(self, text: str, file: str, wanted: Collection[str]) -> None:
        self.text = text
        self.wanted = wanted
        self.lines = Lines(file, text)
        self.found: list[Diagnostic] = []
        self.separator = ","

    def sheet(self) -> Sheet | None:
        """The sheet, or None."""
        if not self._find_separator():
            return None
        lots = self._lots()
        header = self._records(*next(lots))
        if not header:
            return None
        table = self._table(header[0][1], header[0][0])
        for lot, begin in lots:
            self._add(table, lot, begin)
        return Sheet(
            header=tuple(table.header),
            header_line=table.line,
            columns=table.columns,
            rows=len(table.row_lines),
            separator=self.separator,
            text=self.text,
            lines=self.lines,
            row_lines=table.row_lines,
        )

    def _find_separator(self) -> bool:
        """Whether the header has one separator, which is taken from now on; a header of one column has none."""
        first = re.search(r"\S[^\r\n]*", self.text)
        if not first:
            self._fault(EMPTY, "the file is empty", 0)
            return False
        bare = QUOTED.sub(lambda found: "x" * len(found[0]), first[0])
        present = sorted((one for one in _NAMES if one in bare), key=bare.count, reverse=True)
        if len(present) > 1:
            message = f"the header has {_NAMES[present[0]]} and {_NAMES[present[1]]} between its columns"
            self._fault(SEPARATOR, message, first.start() + bare.index(present[1]), "use one separator in all rows")
            return False
        self.separator = present[0] if present else ","
        return True

    def _lots(self) -> Iterator[tuple[str, int]]:
        """The text in lots of whole records, each with the number of its first line: the header, then the rest.

        A line ends outside of quotes where the quotes before it are even in number.
        """
        text = self.text.replace("\r\n", "\n").replace("\r", "\n").rstrip("\n")
        at = text.rfind("\n", 0, len(text) - len(text.lstrip())) + 1
        line = text.count("\n", 0, at) + 1
        size = 0
        while at <= len(text):
            end = _line_end(text, at + size)
            quotes = text.count('"', at, end)
            while quotes % 2 and end < len(text):
                following = _line_end(text, end + 1)
                quotes += text.count('"', end, following)
                end = following
            yield text[at:end], line
            line += text.count("\n", at, end) + 1
            at, size = end + 1, _LOT_CHARACTERS

    def _add(self, table: _Table, lot: str, begin: int) -> None:
        """Add lines to the table: cut all at once, or one by one where one has a quote or another width."""
        step = len(table.header) + 1
        count = lot.count("\n") + 1
        if '"' not in lot:
            found = lot.replace("\n", f"{self.separator}\n{self.separator}").split(self.separator)
            marks = found[step - 1 :: step]
            if len(found) == count * step - 1 and marks.count("\n") == len(marks) == count - 1:
                table.add(lambda place: found[place::step], range(begin, begin + count))
                return
        sound = []
        for line, record in self._records(lot, begin):
            if len(record) == step - 1:
                sound.append((line, record))
            elif any(map(str.strip, record)):
                self._miscut(record, line, step - 1)
        table.add(lambda place: [record[place] for _line, record in sound], [line for line, _record in sound])

    def _records(self, lot: str, begin: int) -> list[_Record]:
        """The records of a lot; of one in which quotes make no sense, those before."""
        if '"' not in lot:
            return [(begin + at, line.split(self.separator)) for at, line in enumerate(lot.split("\n"))]
        reader = csv.reader(io.StringIO(lot, newline=""), delimiter=self.separator, strict=True)
        records: list[_Record] = []
        line = begin
        try:
            for record in reader:
                records.append((line, record))
                line = begin + reader.line_num
        except csv.Error as error:
            self._malformed(line, error)
        return records

    def _table(self, header: list[str], line: int) -> _Table:
        """The table to fill, after a look at its header."""
        names = [plain(name) for name in header]
        for place, name in enumerate(names):
            if name in self.wanted and name in names[:place]:
                offset = nth_cell(self.text, self.lines.start_of(line), self.separator, place)
                self._fault(COLUMNS, f"a second column {name!r}", offset)
        return _Table(header, line, self.wanted)

    def _miscut(self, record: list[str], line: int, width: int) -> None:
        """A record with more or fewer cells than the header."""
        start = self.lines.start_of(line)
        whole = self.separator.join(record)
        for other, name in _NAMES.items():
            if other != self.separator and width > 1 and whole.count(other) == width - 1:
                message = f"this row has {name} between its cells, and the header has {_NAMES[self.separator]}"
                self._fault(SEPARATOR, message, self.text.index(other, start), "use one separator in all rows")
                return
        message = f"{_count(len(record), 'cell')}, and the header has {width}"
        if len(record) > width:
            hint = f'put a cell that has {_NAMES[self.separator]} in it into quotes: "a{self.separator} b"'
            self._fault(CELLS, message, nth_cell(self.text, start, self.separator, width), hint)
        else:
            self._fault(CELLS, message, start, f"an empty cell still needs its {_NAMES[self.separator][:-1]}")

    def _malformed(self, line: int, error: csv.Error) -> None:
        """Where the reader gave up."""
        start = self.lines.start_of(line)
        try:
            for _cell in cells(self.text, start, self.separator):
                pass
        except BadQuoteError as bad:
            self._fault(QUOTES, str(bad), bad.offset, 'a quote inside a quoted cell is written twice: "a ""b"" c"')
        else:
            self._fault(QUOTES, f"not readable as CSV: {error}", start)

    def _fault(self, code: str, message: str, offset: int, hint: str | None = None) -> None:
        self.found.append(Diagnostic(code=code, message=message, position=self.lines.at(offset), hint=hint))


def _line_end(text: str, at: int) -> int:
    """The offset of the first line end from `at` on, or of the text's end."""
    end = text.find("\n", at)
    return len(text) if end < 0 else end


def _count(number: int, noun: str) -> str:
    return f"{number:,} {noun}{'' if number == 1 else 's'}"

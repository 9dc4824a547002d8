import csv
import io

from hypothesis import example, given
from hypothesis import strategies as st

from capacity_planner.allocations.sheet import read_sheet
from capacity_planner.allocations.text import decode

cell = st.text(alphabet='ab ,;\t"\n\u2028é', max_size=6)
line_end = st.sampled_from(["\n", "\r\n"])  # after a lone \r the standard library does not quote \n


@st.composite
def tables(draw: st.DrawFn) -> tuple[list[list[str]], str]:
    """Rows of three cells, and the CSV that the standard library writes of them."""
    rows = draw(st.lists(st.lists(cell, min_size=3, max_size=3), max_size=8))
    quote_all = draw(st.booleans())
    out = io.StringIO()
    end = draw(line_end)
    out.write(f"cidr,name,other{end}")
    csv.writer(out, quoting=csv.QUOTE_ALL if quote_all else csv.QUOTE_MINIMAL, lineterminator=end).writerows(rows)
    return rows, out.getvalue()


@given(tables())
@example(([["a", '5"', "b"], ["c\nd", "e", "f"]], 'cidr,name,other\na,"5""",b\n"c\nd",e,f\n'))
@example(([["a", '5"', "b"], ["c", 'd"', "f"]], 'cidr,name,other\na,5",b\nc,d",f\n'))
def test_what_the_standard_library_writes_is_read_back_with_places(table: tuple[list[list[str]], str]) -> None:
    """Any cells, in any quotes and line ends, are read as they were written, and a place is where its cell begins."""
    rows, text = table
    sheet, found = read_sheet(text, file="list.csv", wanted=("cidr", "name"))
    assert found == ()
    assert sheet is not None
    # a row of nothing but spaces looks like what a spreadsheet leaves below a table, on one line or on several
    written = [[each.strip() for each in row[:2]] for row in rows]
    read = [list(row) for row in zip(sheet.columns["cidr"], sheet.columns["name"], strict=True)]
    assert read == written
    for number, row in enumerate(rows):
        for name, value in zip(("cidr", "name"), row[:2], strict=True):
            place = sheet.at(number, name)
            lines = text.replace("\r\n", "\n").replace("\r", "\n").split("\n")
            begin = lines[place.line - 1][place.column - 1 :]
            first = value.replace("\r\n", "\n").replace("\r", "\n").split("\n")[0]
            expected = ('"' + first.replace('"', '""'), first.replace('"', '""').lstrip(" "), first.lstrip(" "))
            assert begin.startswith(expected), (place, value)


@given(st.text(alphabet='cidr,name;\t"\n\r10./ \x00', max_size=60))
def test_no_text_makes_the_reader_fail(text: str) -> None:
    """Whatever is in a file, it is a sheet or it is findings with places inside the file."""
    decoded, found = decode(text.encode(), file="list.csv")
    if decoded is not None:
        _sheet, found = read_sheet(decoded, file="list.csv", wanted=("cidr", "name"))
        lines = text.replace("\r\n", "\n").replace("\r", "\n").split("\n")
        for one in found:
            assert one.position is not None
            assert 1 <= one.position.line <= len(lines)
            assert 1 <= one.position.column <= len(lines[one.position.line - 1]) + 1


def test_a_lot_of_lines_with_one_quote_in_the_middle_is_read_as_one_without() -> None:
    """Where a large file is cut into lots, quotes over line ends are never cut."""
    rows = [[f"10.{number >> 8}.{number & 255}.0/24", "x" * 60] for number in range(60_000)]
    rows[30_000][1] = "quoted,\nover\nlines"
    rows[45_000][1] = 'a "b"'
    out = io.StringIO()
    csv.writer(out, lineterminator="\n").writerows([["cidr", "name"], *rows])
    sheet, found = read_sheet(out.getvalue(), file="list.csv", wanted=("cidr", "name"))
    assert found == ()
    assert sheet is not None
    assert sheet.columns["cidr"] == [row[0] for row in rows]
    assert sheet.columns["name"] == [row[1] for row in rows]
    assert sheet.at(30_000).line == 30_002
    assert sheet.at(59_999).line == 60_003

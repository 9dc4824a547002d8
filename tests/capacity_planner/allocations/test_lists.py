"""What lists of allocations say, or what is wrong with them, case by case."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from capacity_planner.inventory.load import load
from tests.golden.cases import cases


@pytest.mark.parametrize("case", cases("allocations"), ids=lambda case: case.stem)
def test_lists(
    case: Path,
    golden: Callable[[Path, Callable[[str], str]], None],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A file gives exactly the rows, or exactly the findings, of its golden case."""
    monkeypatch.chdir(tmp_path)

    def outcome(text: str) -> str:
        name = Path(case.stem.partition("_")[0])
        Path(name).write_bytes(text.encode("utf-8"))
        inventory, found = load([name])
        if found:
            return "".join(f"{one}\n" for one in found)
        rows = inventory.allocations
        return "".join(f"{rows.position(row)} {rows.label(row)} {rows.kind(row).value}\n" for row in range(len(rows)))

    golden(case, outcome)


BYTES = {
    "windows.csv": (b"\xef\xbb\xbfcidr;name\r\n10.0.0.0/24;a\r\n\r\n10.0.1.0/24;b\r\n", ["10.0.0.0/24", "10.0.1.0/24"]),
    "old-mac.csv": (b"cidr,name\r10.0.0.0/24,a\r", ["10.0.0.0/24"]),
    "tabs.csv": (b"cidr\tname\n10.0.0.0/24\ta,b;c\n", ["10.0.0.0/24"]),
    "windows.json": (b'\xef\xbb\xbf[\r\n{"cidr": "10.0.0.0/24"}\r\n]', ["10.0.0.0/24"]),
    "rows-of-separators.csv": (b"cidr,name,vpc\n10.0.0.0/24,a,\n,,\n , , \n", ["10.0.0.0/24"]),
    "only-a-header.csv": (b"cidr,name\n", []),
    "case-and-order.csv": (b"Name, CIDR \na,10.0.0.0/24\n", ["10.0.0.0/24"]),
    "quotes.csv": (b'cidr,name\n"10.0.0.0/24","a ""b"", c\nd"\n10.0.1.0/24,e\n', ["10.0.0.0/24", "10.0.1.0/24"]),
    "query.json": (b'[{"SubnetId": "s", "VpcId": "v", "CidrBlock": "10.0.0.0/24"}]', ["10.0.0.0/24"]),
    "six.csv": (b"cidr\n2001:db8::/56\n10.0.0.0/24\n", ["2001:db8::/56", "10.0.0.0/24"]),
}


@pytest.mark.parametrize("name", BYTES)
def test_what_other_programs_leave_in_a_file_is_read(name: str, tmp_path: Path) -> None:
    """Byte order marks, any line ends, any one separator, quotes over lines, empty rows: the blocks are the same."""
    content, blocks = BYTES[name]
    path = tmp_path / name
    path.write_bytes(content)
    inventory, found = load([path])
    assert found == ()
    assert [str(row.block) for row in inventory.allocations.rows()] == blocks


REFUSED = {
    "latin.csv": (b"cidr,name\n10.0.0.0/24,caf\xe9\n", "latin.csv:2:16: AL102 error: the byte 0xe9 is not UTF-8"),
    "utf16.csv": ("cidr\n".encode("utf-16"), "utf16.csv:1:1: AL102 error: the file is UTF-16"),
    "nul.csv": (b"cidr\n10.0.0.0/24\n\0\0", "nul.csv:3:1: AL103 error: 2 NUL characters"),
    "lone.json": (b'[{"cidr": "10.0.0.0/24", "name": "\\ud800"}]', "lone.json:1:35: AL110 error: half of a surrogate"),
    "deep.json": (b"[" * 100_000, "deep.json:1:1: AL110 error: not readable as JSON: too many levels"),
    "digits.json": (b'[{"cidr": ' + b"9" * 5000 + b"}]", "digits.json:1:1: AL110 error: not readable as JSON: Exceeds"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_is_no_text_is_refused_with_its_place(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Bytes that are no text, and JSON that no parser should meet, are findings as any other."""
    content, finding = REFUSED[name]
    monkeypatch.chdir(tmp_path)
    Path(name).write_bytes(content)
    _inventory, found = load([Path(name)])
    assert len(found) == 1
    assert str(found[0]).startswith(finding)


def test_every_fault_of_every_file_is_told_at_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """One wrong file hides nothing of another."""
    monkeypatch.chdir(tmp_path)
    Path("a.csv").write_text("cidr\n10.0.0.0/33\n10.0.0.1/24\n", encoding="utf-8")
    Path("b.json").write_text('[{"cidr": "x"}, {"name": "y"}]', encoding="utf-8")
    _inventory, found = load([Path("a.csv"), Path("b.json"), Path("missing.csv")])
    assert [(str(one.position), one.code) for one in found] == [
        ("None", "AL101"),
        ("a.csv:2:1", "AD103"),
        ("a.csv:3:1", "AD102"),
        ("b.json:1:11", "AD101"),
        ("b.json:1:17", "AL111"),
    ]


def test_ten_megabytes_of_faults_are_told_in_one_pass(tmp_path: Path) -> None:
    """A large file in which every row is wrong gives as many findings, each with its place."""
    path = tmp_path / "large.csv"
    path.write_text("cidr,name\n" + "10.0.0.1/24,some-name-of-a-subnet\n" * 20_000, encoding="utf-8")
    _inventory, found = load([path])
    assert len(found) == 20_000
    assert found[-1].position is not None
    assert found[-1].position.line == 20_001


def test_a_json_place_is_found_in_a_long_list(tmp_path: Path) -> None:
    """The last of many objects knows its line."""
    path = tmp_path / "list.json"
    rows = [{"cidr": f"10.{number >> 8}.{number & 255}.0/24"} for number in range(5_000)] + [{"cidr": "nothing"}]
    path.write_text(json.dumps(rows, indent=1), encoding="utf-8")
    _inventory, found = load([path])
    assert [(one.position.line, one.position.column) for one in found if one.position] == [(3 * 5000 + 3, 11)]

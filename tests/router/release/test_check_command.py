"""`fig check` and `fig schema` on release files."""

import json
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from router.commands.files import check, schema
from router.release.load import load_release

from .texts import ESTATE_TEXT, WHOLE, books


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "estate.yaml").write_text(ESTATE_TEXT)
    (tmp_path / "r.yaml").write_text(WHOLE)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def checked(*arguments: str) -> Result:
    return CliRunner().invoke(check, arguments)


def test_a_sound_release_is_counted(folder: Path) -> None:
    """Its name, its routes, and what was found about estate and release."""
    done = checked("r.yaml", "--estate", "estate.yaml")
    assert done.exit_code == 0, (done.output, folder)
    assert "r.yaml: release 2026.11.2, 3 routes; 0 errors" in done.stdout


def test_without_an_estate_it_says_what_it_did_not_see(folder: Path) -> None:
    """A warning names the option; exit code 0."""
    done = checked("r.yaml")
    assert done.exit_code == 0, folder
    assert "RS219 warning: without an estate the routes that releases name are not looked up" in done.stderr


def test_estates_and_releases_may_be_mixed(folder: Path) -> None:
    """Each is checked as what it is."""
    (folder / "wrong.yaml").write_text(books("lambda: 5%", "lambda: 2%"))
    done = checked("estate.yaml", "wrong.yaml", "--json")
    assert done.exit_code == 2
    assert "RS203" in [finding["code"] for finding in json.loads(done.stdout)]


def test_two_releases_on_one_route_are_refused(folder: Path) -> None:
    """Files that are checked together may not ramp the same route."""
    (folder / "other.yaml").write_text(books("lambda: 5%"))
    done = checked("r.yaml", "other.yaml", "--estate", "estate.yaml")
    assert done.exit_code == 2
    assert "other.yaml:5:3: RS218 error: route books is ramped by r.yaml too" in done.stderr
    (folder / "group.yaml").write_text(GROUP)
    grouped = checked("r.yaml", "group.yaml", "--estate", "estate.yaml")
    assert "group.yaml:6:14: RS218 error: route search is ramped by r.yaml too" in grouped.stderr, grouped.stderr


GROUP = """\
version: 1
release: r2
ticket: T-2
groups:
  checkout:
    routes: [search, cart]
    steps: [{lambda: 5% for 1h}]
"""


def test_a_file_that_is_not_there_is_a_finding(folder: Path) -> None:
    """It says what the system says."""
    done = checked(str(folder / "none.yaml"))
    assert done.exit_code == 2
    assert "none.yaml cannot be read: No such file or directory" in done.stderr


@pytest.mark.parametrize("kind", ["release", "estate"])
@pytest.mark.parametrize(
    ("make", "said"),
    [
        (lambda text: text.replace("\n", "\nticket: Zürich\n", 1).encode("latin-1"), ":2:10: DOC109 error: not a text"),
        (lambda text: text.encode("utf-16"), ":1:1: DOC109 error: not a text file: it is UTF-16"),
        (lambda text: text.encode("utf-16-le"), ":1:2: DOC109 error: not a text file: the character U+0000"),
        (
            lambda text: text.encode() + b"a: \x00\x01",
            "DOC109 error: not a text file: the character U+0000 is in no text",
        ),
        (lambda _text: b"\x7fELF\x02\x01\xff", ":1:7: DOC109 error: not a text file: the byte 0xff is not UTF-8"),
    ],
)
def test_what_is_no_text_says_where(folder: Path, kind: str, make: Callable[[str], bytes], said: str) -> None:
    """Latin-1, UTF-16 and binary files have one code, whatever they were to be, and the first wrong byte's place."""
    text = (folder / ("r.yaml" if kind == "release" else "estate.yaml")).read_text()
    (folder / "bad.yaml").write_bytes(make(text))
    done = checked("bad.yaml", "--estate", "estate.yaml")
    assert (done.exit_code, done.stderr.count("error:")) == (2, 1), done.stderr
    assert "bad.yaml:" in done.stderr
    assert said in done.stderr, done.stderr


def test_a_window_whose_dates_are_past_is_a_warning(folder: Path) -> None:
    """It was sound when it was written; fig plan refuses it. A day that comes, or comes each week, is none."""
    window = "windows: {{time_zone: UTC, open: [{{days: [{}], from: 08:00, until: 09:00}}]}}\n"
    for days, warns in (("2020-05-05", True), ("2020-05-05, 2190-05-05", False), ("2020-05-05, mon", False)):
        (folder / "r.yaml").write_text(books("lambda: 5% for 1h", head=window.format(days)))
        done = checked("r.yaml", "--estate", "estate.yaml")
        assert (done.exit_code, "r.yaml:4:27: RS220 warning" in done.stderr) == (0, warns), done.stderr


def test_whether_a_window_is_over_depends_on_the_day_that_is_given() -> None:
    """The clock comes in as an argument; without one nothing is said."""
    text = books("lambda: 5% for 1h", head=PAST)
    for at, codes in (
        (datetime(2026, 5, 5, 8, 59, tzinfo=UTC), []),
        (datetime(2026, 5, 5, 9, 0, tzinfo=UTC), ["RS220"]),
    ):
        found = load_release(text, file="r.yaml", estate=None, now=at)
        assert [one.code for one in found.diagnostics] == codes
    assert load_release(text, file="r.yaml", estate=None).diagnostics == ()


@pytest.mark.parametrize("days", ["days: [mon, 2026-05-05]", ""])
def test_freezes_over_every_time_to_come_are_a_warning(days: str) -> None:
    """Also where it opens after them: nobody looks ahead so far. One that ends within 400 days is none."""
    hours = f" open: [{{{days}, from: 08:00, until: 09:00}}]," if days else ""
    for until, codes in (("2190-01-01", ["RS220"]), ("2026-05-20", [])):
        freeze = f"[{{from: 2026-05-01, until: {until}, reason: x}}]"
        text = books("lambda: 5% for 1h", head=f"windows: {{time_zone: UTC,{hours} freezes: {freeze}}}\n")
        found = load_release(text, file="r.yaml", estate=None, now=datetime(2026, 5, 5, tzinfo=UTC)).diagnostics
        assert [one.code for one in found] == codes
        assert all("freezes cover every time" in one.message for one in found if one.code == "RS220")


PAST = "windows: {time_zone: UTC, open: [{days: 2026-05-05, from: 08:00, until: 09:00}]}\n"


def test_both_schemas_are_printed() -> None:
    """`fig schema` is the estate's, `fig schema release` the release's."""
    assert json.loads(CliRunner().invoke(schema, []).stdout)["title"] == "Estate file"
    assert json.loads(CliRunner().invoke(schema, ["release"]).stdout)["title"] == "Release file"

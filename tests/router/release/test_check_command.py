"""`fig check` and `fig schema` on release files."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from router.commands.files import check, schema

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
    assert "RS218 error: other.yaml: route books is ramped by r.yaml too" in done.stderr


def test_a_file_that_cannot_be_read_is_a_finding(folder: Path) -> None:
    """A release that is not UTF-8 says so, and so does a file that is not there."""
    (folder / "bad.yaml").write_bytes(b"release: \xff\n")
    done = checked("bad.yaml", "none.yaml")
    assert done.exit_code == 2
    assert "RS100 error: bad.yaml cannot be read: it is not UTF-8" in done.stderr
    assert "ES100 error: none.yaml cannot be read" in done.stderr


def test_both_schemas_are_printed() -> None:
    """`fig schema` is the estate's, `fig schema release` the release's."""
    assert json.loads(CliRunner().invoke(schema, []).stdout)["title"] == "Estate file"
    assert json.loads(CliRunner().invoke(schema, ["release"]).stdout)["title"] == "Release file"

"""`fig plan`, without a control process."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from router.commands.files import check
from router.commands.plan import plan
from router.plan.document import read_plan
from strangler_fig.diagnostics import Refused
from tests.router.release.texts import ESTATE_TEXT, books


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "estate.yaml").write_text(ESTATE_TEXT)
    (tmp_path / "r.yaml").write_text(books("lambda: 5% for 30m", "lambda: 25% for 1h"))
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("FIG_CONTROL", raising=False)
    return tmp_path


def made(*arguments: str) -> Result:
    return CliRunner().invoke(plan, arguments, catch_exceptions=False)


def test_a_release_is_planned_without_control(folder: Path) -> None:
    """It says what it could not see, and writes a plan that can be read back."""
    done = made("r.yaml", "--estate", "estate.yaml", "-o", "release.plan")
    assert done.exit_code == 0, done.output
    assert "not seen: weights, running releases, traffic" in done.stdout
    assert done.stdout.splitlines()[-1] == "written to release.plan: apply it with fig apply release.plan"
    found = read_plan((folder / "release.plan").read_text(), "release.plan")
    assert (found.name, found.basis) == ("r1", None)
    assert set(found.files) == {"r.yaml", "estate.yaml"}


def test_a_pipeline_can_tell_by_the_exit_code(folder: Path) -> None:
    """3 with changes when that is asked for, 2 when the release is wrong."""
    assert made("r.yaml", "--estate", "estate.yaml", "--detailed-exit-code").exit_code == 3
    (folder / "r.yaml").write_text(books("lambda: 5%", "lambda: 1%"))
    with pytest.raises(Refused, match="RS203"):
        made("r.yaml", "--estate", "estate.yaml")


def test_a_release_that_is_not_there_has_one_code(folder: Path) -> None:
    """Beside an estate a file is a release, also one that cannot be looked into; checked and planned alike."""
    assert not (folder / "gone.yaml").exists()
    with pytest.raises(Refused, match="RS100"):
        made("gone.yaml", "--estate", "estate.yaml")
    with pytest.raises(Refused, match="ES100"):
        made("gone.yaml")
    checked = CliRunner().invoke(check, ["gone.yaml", "--estate", "estate.yaml"])
    assert "RS100" in checked.output


def test_json_is_the_plan_file(folder: Path) -> None:
    """The same document on standard output."""
    done = made("r.yaml", "--estate", "estate.yaml", "--json", "-o", "release.plan")
    written = json.loads((folder / "release.plan").read_text())
    assert json.loads(done.stdout)["ramps"] == written["ramps"]


def test_an_estate_is_planned_by_the_same_command(folder: Path) -> None:
    """Without control it says that it does not know what is published."""
    done = made("estate.yaml", "-o", "estate.plan")
    assert done.exit_code == 0
    assert "not seen: what is published" in done.stdout
    assert read_plan((folder / "estate.plan").read_text(), "estate.plan").kind == "estate"


def test_a_release_needs_an_estate(folder: Path) -> None:
    """The option is named."""
    with pytest.raises(Refused, match="--estate"):
        made("r.yaml")
    with pytest.raises(Refused, match="not a capacity verdict"):
        made("r.yaml", "--estate", "estate.yaml", "--capacity", "r.yaml")
    assert not (folder / "release.plan").exists()

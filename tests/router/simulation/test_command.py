"""`fig simulate`."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from router.commands.simulate import simulate
from strangler_fig.diagnostics import Refused
from tests.router.release.texts import ESTATE_TEXT, books

_ASSUMED = ("--traffic", "50rps", "--users", "2000")


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "estate.yaml").write_text(ESTATE_TEXT)
    (tmp_path / "r.yaml").write_text(books("lambda: 5% for 30m", "lambda: 25% for 1h"))
    monkeypatch.chdir(tmp_path)
    return tmp_path


def simulated(*arguments: str) -> Result:
    return CliRunner().invoke(simulate, ["r.yaml", *_ASSUMED, *arguments], catch_exceptions=False)


def test_it_says_what_happens_when(folder: Path) -> None:
    """Each step with its time, and how it ended."""
    done = simulated("--estate", "estate.yaml")
    assert done.exit_code == 0, folder
    assert done.stdout.startswith("route books: completed after 1h 30m")
    assert "step 1 (lambda 5%) is done; next is lambda 25%" in done.stdout


def test_a_groups_course_is_told_once(folder: Path) -> None:
    """The routes of a group move together: one course, with the verdict on all of them."""
    steps = "    steps: [lambda: 5% for 30m, lambda: 25% for 1h]\n"
    head = "version: 1\nrelease: r\nticket: T\n"
    (folder / "r.yaml").write_text(f"{head}groups:\n  checkout:\n    routes: [search, cart]\n{steps}")
    text = simulated().stdout
    assert text.startswith("group checkout (search, cart): completed after ")
    assert text.count("step 1 (lambda 5%) is done") == 1
    assert "pass: each of 2 routes: all 13 limits are kept, against" in text


def test_how_it_ended_is_said_once(folder: Path) -> None:
    """The last moment has the verdict; the line below counts the looks, and repeats nothing."""
    done = simulated("--lambda-errors", "50%")
    assert done.stdout.count("failed on Lambda") == 1, (folder, done.stdout)
    assert done.stdout.rstrip().endswith("looks of the gate")


def test_more_requests_than_ever_come_are_said(folder: Path) -> None:
    """A gate that can never decide at this traffic is a warning, where the step stands; the release is held."""
    (folder / "r.yaml").write_text(books("lambda: 5% for 30m", head="gate: {minimum_requests: 1000000000}\n"))
    done = simulated()
    assert "r.yaml:8:9: SM102 warning: books: step 1 (lambda 5%): the gate can never decide" in done.stderr
    assert done.stdout.startswith("route books: held"), done.stdout


def test_json_has_the_outcome_by_route(folder: Path) -> None:
    """`outcome`, `minutes`, `highest_weight` in parts per 10,000 and `reason`, under `routes`."""
    done = simulated("--lambda-errors", "50%", "--json", "--seed", "7")
    found = json.loads(done.stdout)
    assert found["seed"] == 7, folder
    route = found["routes"]["books"]
    assert (route["outcome"], route["highest_weight"]) == ("rolled back", 500)
    assert 0 < route["minutes"] < 5
    assert "failed on Lambda" in route["reason"]


def test_a_pipeline_can_tell_by_the_exit_code(folder: Path) -> None:
    """4 where a route does not reach its last step."""
    assert simulated("--lambda-errors", "50%", "--detailed-exit-code").exit_code == 4, folder
    assert simulated("--detailed-exit-code").exit_code == 0


def test_a_picture_is_written(folder: Path) -> None:
    """One SVG file; where it cannot be written that is said."""
    assert simulated("--svg", "run.svg").exit_code == 0
    assert (folder / "run.svg").read_text().startswith("<svg")
    with pytest.raises(Refused, match="cannot be written"):
        simulated("--svg", "none/run.svg")


def test_an_estate_is_no_release(folder: Path) -> None:
    """It is said once, not key by key."""
    with pytest.raises(Refused) as refused:
        CliRunner().invoke(simulate, ["estate.yaml", *_ASSUMED], catch_exceptions=False)
    assert [str(one.position) for one in refused.value.diagnostics] == ["estate.yaml:1:1"], folder
    assert "it is an estate, not a release" in str(refused.value)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--traffic", "50"), "is not a rate: write 50rps"),
        (("--lambda-errors", "0.4"), "did you mean 0.4%?"),
        (("--users", "0"), "is not in the range"),
        (("--traffic", "0rps"), "without a request no gate ever decides: write how many come, as in 50rps"),
        (("--approve-after", "1h", "--nobody-approves"), "exclude each other"),
    ],
)
def test_what_is_no_assumption_is_refused(folder: Path, arguments: tuple[str, ...], message: str) -> None:
    """Usage errors name what would do."""
    done = simulated(*arguments)
    assert done.exit_code == 2, folder
    assert message in done.stderr

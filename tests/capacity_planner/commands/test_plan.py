"""`fig cidr plan` and `fig cidr show` as they are called, with their exit codes."""

import json
import shutil
import stat
from pathlib import Path

import pytest

from tests.capacity_planner.command_line import Done, fig

ROOT = Path(__file__).parents[3]
DEMAND = (ROOT / "examples/bookshop/demand.yaml").read_text()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with the bookshop's demand and a short list of what is in use."""
    (tmp_path / "demand.yaml").write_text(DEMAND)
    (tmp_path / "used.csv").write_text("cidr,name,vpc,az,purpose,routable\n10.20.0.0/24,team-1,,,,true\n")
    return tmp_path


def planned(folder: Path, *more: str) -> Done:
    done = fig(folder, "plan", "demand.yaml", "--existing", "used.csv", "-o", "plan.json", *more)
    assert done.code == 0, done.stderr
    return done


def change(folder: Path, before: str, after: str) -> None:
    text = (folder / "demand.yaml").read_text()
    assert before in text
    (folder / "demand.yaml").write_text(text.replace(before, after))


def test_a_plan_is_written_and_said(folder: Path) -> None:
    """The first plan adds everything, around what is in use; standard error stays empty."""
    done = planned(folder)
    assert done.stdout.splitlines()[2].startswith("+  hub ")
    assert "Plan: 17 added, 0 changed in place, 0 kept; nothing moves or shrinks." in done.stdout
    assert done.stderr == ""
    hub = json.loads((folder / "plan.json").read_text())["vpcs"][0]
    assert hub["cidrs"] == ["10.20.4.0/23"]


def test_the_same_input_gives_the_same_bytes(folder: Path) -> None:
    """Twice from nothing, and once from itself: one and the same file."""
    planned(folder)
    first = (folder / "plan.json").read_bytes()
    done = planned(folder, "--previous", "plan.json", "--detailed-exit-code")
    assert "No changes: 17 VPCs and segments stay as they are." in done.stdout
    assert (folder / "plan.json").read_bytes() == first
    (folder / "plan.json").unlink()
    planned(folder)
    assert (folder / "plan.json").read_bytes() == first


def test_a_plan_that_is_there_is_the_plan_before(folder: Path) -> None:
    """Whoever forgets --previous does not renumber a network: only --anew plans from nothing."""
    planned(folder)
    (folder / "used.csv").write_text("cidr\n10.30.0.0/24\n")
    assert "No changes" in planned(folder).stdout
    assert "+  hub " in planned(folder, "--anew").stdout
    assert json.loads((folder / "plan.json").read_text())["vpcs"][0]["cidrs"] == ["10.20.0.0/23"]


def test_changes_have_an_exit_code_of_their_own(folder: Path) -> None:
    """With --detailed-exit-code 3 says that something would have to be deployed."""
    planned(folder)
    change(folder, "per_az: 2", "per_az: 9")
    done = fig(folder, "plan", "demand.yaml", "--existing", "used.csv", "-o", "plan.json", "--detailed-exit-code")
    assert done.code == 3
    assert "grew in place by the subnet" in done.stdout


def test_json_says_each_change(folder: Path) -> None:
    """A script gets signs, blocks, reasons and figures."""
    planned(folder)
    change(folder, "per_az: 2", "per_az: 9")
    said = json.loads(planned(folder, "--json").stdout)
    assert (said["added"], said["changed"], said["kept"], said["has_changes"]) == (0, 3, 14, True)
    grown = [one for one in said["blocks"] if one["sign"] == "~"]
    assert {one["what"] for one in grown} == {f"hub/proxies/eu-west-1{az}" for az in "abc"}
    assert said["digest"] == json.loads((folder / "plan.json").read_text())["digest"]


def test_without_an_output_nothing_is_written(folder: Path) -> None:
    """The difference alone is a preview."""
    done = fig(folder, "plan", "demand.yaml")
    assert done.code == 0
    assert "nothing was written" in done.stderr
    assert sorted(path.name for path in folder.iterdir()) == ["demand.yaml", "used.csv"]


def test_the_date_is_an_argument(folder: Path) -> None:
    """The plan's date is what was given, else the limits' date: never today's."""
    planned(folder, "--as-of", "2026-11-25")
    assert json.loads((folder / "plan.json").read_text())["as_of"] == "2026-11-25"
    assert fig(folder, "plan", "demand.yaml", "--as-of", "tomorrow").code == 2


def test_limits_of_the_account_count(folder: Path) -> None:
    """A file with the account's own limits changes the plan, and the plan says which value it rests on."""
    (folder / "limits.yaml").write_text("version: 1\nlimits:\n  turnover_headroom: 11\n")
    planned(folder, "--limits", "limits.yaml")
    made = json.loads((folder / "plan.json").read_text())
    assert made["limits"]["turnover_headroom"]["value"] == 11
    functions = [one for one in made["vpcs"][1]["segments"] if one["purpose"] == "functions"]
    assert [one["needed"] for one in functions] == [12, 12, 12]


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        (
            "hub: [10.20.0.0/16]",
            "hub: [10.20.0.0/25]",
            "PN102 error: hub needs a /23 (512 addresses) from 10.20.0.0/25",
        ),
        (
            "rate: 60/s",
            "rate: 900000000/h\n    azs: [eu-west-1a]",
            "PN102 error: books alone needs more than a VPC has",
        ),
    ],
)
def test_what_cannot_be_planned_is_refused_with_its_place(folder: Path, before: str, after: str, expected: str) -> None:
    """Exit 2, the place in the demand file, by how much, and the plan that is there is not touched."""
    planned(folder)
    kept = (folder / "plan.json").read_bytes()
    change(folder, before, after)
    if "900000000" in after:
        change(folder, "connections: 2", "connections: 1000")
    done = fig(folder, "plan", "demand.yaml", "-o", "plan.json", "--anew")
    assert done.code == 2
    assert done.stderr.startswith("demand.yaml:")
    assert expected in done.stderr
    assert "Traceback" not in done.stderr
    assert (folder / "plan.json").read_bytes() == kept


def test_a_conflict_names_the_row(folder: Path) -> None:
    """Somebody else's block over a block of the plan: the row, both blocks, exit 2."""
    planned(folder)
    with (folder / "used.csv").open("a") as file:
        file.write("10.20.4.64/28,team-2,,,,true\n")
    done = fig(folder, "plan", "demand.yaml", "--existing", "used.csv", "-o", "plan.json")
    assert done.code == 2
    assert done.stderr.startswith("used.csv:3:1: PN101 error: 10.20.4.64/28 ('team-2') overlaps 10.20.4.64/27 of hub/")


def test_a_row_that_takes_the_whole_parent_is_named(folder: Path) -> None:
    """A register with a row for a whole Region leaves nothing: the row is named; as a pool it does not matter."""
    rows = "cidr,name,vpc,az,purpose,routable\n10.16.0.0/12,eu-west-1,,,{},true\n"
    (folder / "used.csv").write_text(rows.format("cloud"))
    done = fig(folder, "plan", "demand.yaml", "--existing", "used.csv", "-o", "plan.json")
    assert done.code == 2
    assert "10.20.0.0/16: nothing is free, 512 addresses too few" in done.stderr
    assert "hint: used.csv:2:1: 10.16.0.0/12 ('eu-west-1') takes all of it" in done.stderr
    (folder / "used.csv").write_text(rows.format("pool"))
    planned(folder)


@pytest.mark.parametrize("damage", ["truncated", "newer", "by hand", "empty object"])
def test_a_damaged_plan_is_never_replaced(folder: Path, damage: str) -> None:
    """A plan that cannot be believed is refused, whether it is named or only stands where the new one would."""
    planned(folder)
    text = (folder / "plan.json").read_text()
    broken = {
        "truncated": text[: len(text) // 2],
        "newer": text.replace('"version": 1', '"version": 2'),
        "by hand": text.replace("10.20.4.0/27", "10.20.4.32/27"),
        "empty object": "{}",
    }[damage]
    (folder / "plan.json").write_text(broken)
    for more in ((), ("--previous", "plan.json")):
        done = fig(folder, "plan", "demand.yaml", "-o", "plan.json", *more)
        assert done.code == 2
        assert done.stderr.startswith("plan.json:")
        assert "Traceback" not in done.stderr
        assert (folder / "plan.json").read_text() == broken
    assert fig(folder, "show", "plan.json").code == 2


@pytest.mark.parametrize("name", ["demand.yaml", "used.csv", "limits.yaml", "plan-before.json"])
def test_a_file_that_is_not_there_is_named(folder: Path, name: str) -> None:
    """Each file that cannot be read is a finding, exit 2."""
    shutil.copy(folder / "demand.yaml", folder / "other.yaml")
    arguments = {
        "demand.yaml": ("plan", "missing.yaml"),
        "used.csv": ("plan", "demand.yaml", "--existing", "missing.csv"),
        "limits.yaml": ("plan", "demand.yaml", "--limits", "missing.yaml"),
        "plan-before.json": ("plan", "demand.yaml", "--previous", "missing.json"),
    }[name]
    done = fig(folder, *arguments)
    assert done.code == 2
    assert "missing" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_plan_that_cannot_be_written_leaves_nothing(folder: Path) -> None:
    """The world failed: exit 1, and no half-written file beside."""
    done = fig(folder, "plan", "demand.yaml", "-o", "missing/plan.json")
    assert done.code == 1
    assert "missing/plan.json cannot be written" in done.stderr
    assert done.stdout == ""
    assert not list(folder.glob("**/.plan.json*"))


def test_a_plan_keeps_its_mode_and_its_link(folder: Path) -> None:
    """A plan behind a link is replaced where it is, with the mode that it has."""
    planned(folder)
    (folder / "store").mkdir()
    (folder / "plan.json").rename(folder / "store/plan.json")
    (folder / "store/plan.json").chmod(0o640)
    (folder / "plan.json").symlink_to("store/plan.json")
    change(folder, "per_az: 2", "per_az: 9")
    planned(folder)
    assert (folder / "plan.json").is_symlink()
    assert stat.S_IMODE((folder / "store/plan.json").stat().st_mode) == 0o640
    assert [path.name for path in (folder / "store").iterdir()] == ["plan.json"]


@pytest.mark.parametrize("form", ["table", "json", "csv", "markdown", "tfvars", "cfn", "svg"])
def test_every_format_is_shown_and_written(folder: Path, form: str) -> None:
    """Standard output and -o get the same text."""
    planned(folder)
    shown = fig(folder, "show", "plan.json", "--format", form)
    assert shown.code == 0, shown.stderr
    assert fig(folder, "show", "plan.json", "--format", form, "-o", "out").stdout == ""
    assert (folder / "out").read_text() == shown.stdout
    if form == "json":
        assert shown.stdout == (folder / "plan.json").read_text()


def test_one_vpc_alone(folder: Path) -> None:
    """A VPC by its name; a wrong name gets the right one; a part of a plan is no plan file."""
    planned(folder)
    shown = fig(folder, "show", "plan.json", "--format", "cfn", "--vpc", "hub")
    names = json.loads(shown.stdout)["Parameters"]
    assert names["PlanDigest"] == json.loads((folder / "plan.json").read_text())["digest"]
    assert not any(name.startswith("Spoke") for name in names)
    wrong = fig(folder, "show", "plan.json", "--vpc", "spoke1")
    assert wrong.code == 2
    assert "did you mean spoke-1?" in wrong.stderr
    assert fig(folder, "show", "plan.json", "--vpc", "hub", "--format", "json").code == 2


def test_the_plan_and_its_csv_pass_the_check(folder: Path) -> None:
    """What the planner planned, the planner's check finds nothing wrong with, in both forms and beside what is used."""
    planned(folder)
    fig(folder, "show", "plan.json", "--format", "csv", "-o", "plan.csv")
    for files in (["plan.json"], ["plan.csv"], ["plan.json", "used.csv"]):
        done = fig(folder, "check", *files)
        assert done.code == 0, done.stdout + done.stderr
        assert "0 errors, 0 warnings" in done.stdout

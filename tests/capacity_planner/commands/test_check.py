import json
from pathlib import Path

import pytest

from tests.capacity_planner.command_line import fig

SOUND = (
    "cidr,name,vpc,az,purpose,routable\n10.0.0.0/20,hub,hub,,vpc,true\n10.0.0.0/24,web,hub,eu-west-1a,proxies,true\n"
)


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of one's own with a sound list."""
    monkeypatch.chdir(tmp_path)
    Path("list.csv").write_text(SOUND, encoding="utf-8")
    return tmp_path


def test_a_sound_list_is_summed_up_and_ends_with_0(here: Path) -> None:
    """Each limit that was judged is a row with its value, date and source; findings would be on the other stream."""
    done = fig(here, "check", "list.csv")
    assert (done.code, done.stderr) == (0, "")
    lines = done.stdout.splitlines()
    assert lines[0].split() == ["used", "limit", "of", "scope", "as", "of", "source"]
    assert lines[1].startswith("kept")
    assert "https://docs.aws.amazon.com/" in lines[1]
    assert lines[-1] == "list.csv: 2 blocks; 0 overlaps; 0 errors, 0 warnings"


def test_what_is_refused_ends_with_4_and_a_wrong_file_with_2(here: Path) -> None:
    """A gate or a limit refuses with 4; text that cannot be read is 2, and nothing else is judged then."""
    Path("twice.csv").write_text(SOUND + "10.0.0.0/24,db,hub,eu-west-1a,proxies,true\n", encoding="utf-8")
    done = fig(here, "check", "twice.csv")
    assert done.code == 4
    assert done.stderr.startswith("twice.csv:4:1: CK102 error: 10.0.0.0/24 ('db') of hub is also 10.0.0.0/24 ('web')")
    assert "twice.csv:3:1" in done.stderr
    Path("wrong.csv").write_text(SOUND + "10.0.0.5/24,db,hub,eu-west-1a,proxies,true\n", encoding="utf-8")
    done = fig(here, "check", "list.csv", "wrong.csv", "missing.csv")
    assert done.code == 2
    assert "missing.csv cannot be read" in done.stderr
    assert "wrong.csv:4:1: AD102 error" in done.stderr
    assert done.stdout == ""


def test_a_warning_refuses_nothing(here: Path) -> None:
    """172.17.0.0/16 is told, and the end is 0."""
    Path("docker.csv").write_text("cidr,name,purpose\n172.17.0.0/16,hub,vpc\n", encoding="utf-8")
    done = fig(here, "check", "docker.csv")
    assert done.code == 0
    assert "CK131 warning" in done.stderr


def test_several_files_are_judged_together(here: Path) -> None:
    """Two teams' lists are sound each for itself, and clash together; both places are named."""
    Path("other.csv").write_text("cidr,name\n10.0.8.0/21,office\n", encoding="utf-8")
    assert fig(here, "check", "other.csv").code == 0
    done = fig(here, "check", "list.csv", "other.csv")
    assert done.code == 4
    assert done.stderr.startswith("other.csv:2:1: CK101 error: 10.0.8.0/21 ('office') overlaps 10.0.0.0/20 ('hub')")
    assert "at list.csv:2:1" in done.stderr
    assert "list.csv and other.csv: 3 blocks; 1 overlap;" in done.stdout


def test_as_many_pairs_are_named_as_were_asked_for_and_all_are_counted(here: Path) -> None:
    """The exact number stands in the summary, whatever is named."""
    Path("many.csv").write_text("cidr\n" + "10.0.0.0/24\n" * 50, encoding="utf-8")
    done = fig(here, "check", "many.csv", "--limit", "2")
    assert done.stderr.count("CK102") == 2
    assert "1,225 overlaps (1,225 duplicates), 2 of them named (--limit)" in done.stdout
    assert fig(here, "check", "many.csv", "--limit", "0").code == 4


def test_json_has_all_of_it(here: Path) -> None:
    """Findings, every limit with value, date and source, and what was not judged; faults of the input, too."""
    Path("twice.csv").write_text(SOUND + "10.0.0.0/24,db,hub,eu-west-1a,proxies,true\n", encoding="utf-8")
    done = fig(here, "check", "twice.csv", "--json")
    assert (done.code, done.stderr) == (4, "")
    report = json.loads(done.stdout)
    assert report["overlaps"] == {"count": 1, "duplicates": 1}
    assert report["refused"] is True
    (finding,) = report["findings"]
    assert (finding["code"], finding["line"], finding["column"]) == ("CK102", 4, 1)
    assert {"limit", "value", "as_of", "source", "used"} <= report["limits"][0].keys()
    assert "eni_per_vpc" in report["not_judged"]
    Path("wrong.csv").write_text("cidr\n10.0.0.5/24\n", encoding="utf-8")
    done = fig(here, "check", "wrong.csv", "--json")
    assert done.code == 2
    assert [one["code"] for one in json.loads(done.stdout)["findings"]] == ["AD102"]


def test_limits_of_the_accounts_own_are_taken(here: Path) -> None:
    """With a quota of one block, the second is refused, and the verdict names the user's file."""
    Path("limits.yaml").write_text("version: 1\nlimits:\n  cidrs_per_vpc: 1\n", encoding="utf-8")
    Path("two.csv").write_text(SOUND + "10.2.0.0/20,hub,hub,,vpc,true\n", encoding="utf-8")
    assert fig(here, "check", "two.csv").code == 0
    done = fig(here, "check", "two.csv", "--limits", "limits.yaml")
    assert done.code == 4
    assert "limits.yaml:3:18" in done.stderr


def test_usage_is_told(here: Path) -> None:
    """No file and no account; a list where only plans may be."""
    assert fig(here, "check").code == 2
    done = fig(here, "check", "--plan", "list.csv")
    assert done.code == 2
    assert "AL115 error: this is not a plan" in done.stderr

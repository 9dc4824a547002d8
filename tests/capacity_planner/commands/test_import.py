import csv
import io
import json
import sys
from pathlib import Path

import pytest

from capacity_planner.inventory.load import allocations
from tests.capacity_planner.command_line import fig
from tests.capacity_planner.live.conftest import REGION, account  # noqa: F401 - a fixture
from tests.capacity_planner.live.test_netbox import serving

ROUTER = (
    "Network;Netmask;Description;Site;Role;Cost\r\n"
    "10.0.0.0;255.255.255.0;web;fra1;proxies;7\r\n"
    "10.0.1.0;24;db;fra1;data;9\r\n"
    "10.0.2.0/24;;old;;;\r\n"
    "10.0.3.0-10.0.3.255;;range;;;\r\n"
)


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of one's own."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


def rows(text: str) -> list[list[str]]:
    return list(csv.reader(io.StringIO(text)))


def test_somebody_elses_csv_becomes_ours(here: Path) -> None:
    """Usual names of columns, semicolons, netmasks, ranges: what can mean but one block is that, with a warning."""
    Path("router.csv").write_text(ROUTER, encoding="utf-8", newline="")
    done = fig(here, "import", "csv", "router.csv")
    assert done.code == 0
    assert rows(done.stdout) == [
        ["cidr", "name", "vpc", "az", "purpose", "routable"],
        ["10.0.0.0/24", "web", "", "fra1", "proxies", ""],
        ["10.0.1.0/24", "db", "", "fra1", "data", ""],
        ["10.0.2.0/24", "old", "", "", "", ""],
        ["10.0.3.0/24", "range", "", "", "", ""],
    ]
    assert [line.partition(" warning")[0] for line in done.stderr.splitlines()] == [
        "router.csv:2:1: AL120",
        "router.csv:5:1: AL120",
    ]


def test_columns_can_be_named_and_host_bits_are_never_guessed(here: Path) -> None:
    """10.0.0.5/24 may be a block or an address: only who says that blocks are meant gets the block."""
    Path("own.csv").write_text("where,what\n10.0.0.5/24,web\n", encoding="utf-8")
    done = fig(here, "import", "csv", "own.csv")
    assert done.code == 2
    assert "none of the columns looks like blocks" in done.stderr
    asked = ("import", "csv", "own.csv", "--column", "cidr=where", "--column", "name=What")
    done = fig(here, *asked)
    assert done.code == 2
    assert "own.csv:2:1: AD102 error" in done.stderr
    assert "--blocks takes the block" in done.stderr
    done = fig(here, *asked, "--blocks", "--json")
    assert (done.code, json.loads(done.stdout)) == (0, [{"cidr": "10.0.0.0/24", "name": "web"}])
    assert fig(here, "import", "csv", "own.csv", "--column", "cidr=nothing").code == 2
    assert fig(here, "import", "csv", "own.csv", "--column", "nonsense").code == 2


def test_a_file_is_replaced_as_a_whole_or_not_at_all(here: Path) -> None:
    """A list that cannot be made leaves what stood there; one that can be replaces it."""
    Path("router.csv").write_text(ROUTER, encoding="utf-8", newline="")
    Path("ours.csv").write_text("what stood there", encoding="utf-8")
    Path("wrong.csv").write_text("cidr\n10.0.0.0/33\n", encoding="utf-8")
    assert fig(here, "import", "csv", "wrong.csv", "-o", "ours.csv").code == 2
    assert Path("ours.csv").read_text(encoding="utf-8") == "what stood there"
    assert fig(here, "import", "csv", "router.csv", "-o", "ours.csv").code == 0
    assert len(allocations([Path("ours.csv")])) == 4
    assert sorted(path.name for path in Path().iterdir()) == ["ours.csv", "router.csv", "wrong.csv"]
    done = fig(here, "import", "csv", "router.csv", "-o", "no/such/folder.csv")
    assert done.code == 1
    assert "cannot be written" in done.stderr


EXPORT = (
    "prefix,vrf,tenant,site,status,role,description,id\n"
    '10.0.0.0/8,,,,Container,,"all, of it",1\n'
    "10.0.0.0/24,,,fra1,Active,web,frontends,2\n"
)


def test_netboxs_export_becomes_ours(here: Path) -> None:
    """From the CSV of its page and from its API's answer, file or not; a further VRF is asked for."""
    Path("export.csv").write_text(EXPORT, encoding="utf-8")
    done = fig(here, "import", "netbox", "export.csv")
    assert rows(done.stdout)[1:] == [
        ["10.0.0.0/8", "all, of it", "", "", "pool", ""],
        ["10.0.0.0/24", "frontends", "", "fra1", "web", ""],
    ]
    Path("answer.json").write_text('{"count": 1, "results": [\n {"prefix": "10.0.0.1/24"}]}', encoding="utf-8")
    done = fig(here, "import", "netbox", "answer.json")
    assert done.code == 2
    assert "answer.json:2:13: AD102 error" in done.stderr
    Path("two.csv").write_text(EXPORT + "10.0.0.0/24,guests,,,Active,,,3\n", encoding="utf-8")
    assert "take one of them: --vrf NAME" in fig(here, "import", "netbox", "two.csv").stderr
    assert len(rows(fig(here, "import", "netbox", "two.csv", "--vrf", "guests").stdout)) == 2


def test_netbox_is_asked_with_the_token_of_the_environment(here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The token is read from a variable, never from the command line, and is printed nowhere."""
    monkeypatch.setenv("OUR_TOKEN", "0123456789abcdef")
    with serving() as server:
        done = fig(here, "import", "netbox", server.url, "--token-env", "OUR_TOKEN", "-o", "list.csv")
    assert done.code == 0
    assert server.asked[0][1]["Authorization"] == "Token 0123456789abcdef"
    assert "0123456789abcdef" not in done.stdout + done.stderr + Path("list.csv").read_text(encoding="utf-8")
    assert len(allocations([Path("list.csv")])) == 6
    done = fig(here, "import", "netbox", server.url)
    assert done.code == 1
    assert "NetBox does not answer" in done.stderr
    assert fig(here, "import", "netbox", server.url, "--token-env", "NOBODY").code == 2


def test_an_account_becomes_a_list_an_inventory_and_limits(
    here: Path,
    account: dict[str, str],  # noqa: F811 - the fixture
) -> None:
    """The three files are what the other commands read: `--existing`, `check`, `--limits`."""
    asked = ("import", "aws", "--region", REGION)
    done = fig(here, *asked, "-o", "list.csv", "--limits-output", "limits.yaml")
    assert done.code == 0, done.stderr
    assert "eu-west-1: 3 Vpcs" in done.stderr
    assert len(allocations([Path("list.csv")])) == 8
    done = fig(here, *asked, "--format", "json", "-o", "inventory.json")
    assert done.code == 0
    done = fig(here, "check", "inventory.json", "--limits", "limits.yaml", "--json")
    report = json.loads(done.stdout)
    assert done.code == 0
    verdict = next(one for one in report["limits"] if one["limit"] == "cidrs_per_vpc")
    assert (verdict["overridden"], verdict["value"]) == (True, 5)
    assert report["rows"] == 8
    free = fig(here, "free", "--in", "10.20.0.0/23", "--prefix", "24", "--existing", "inventory.json", "--count", "2")
    assert (free.code, free.stdout) == (4, "10.20.1.0/24\n")
    live = fig(here, "check", "--aws", "--region", REGION, "--json")
    assert json.loads(live.stdout)["rows"] == 8
    assert account["hub"] in Path("list.csv").read_text(encoding="utf-8")


def test_without_its_library_the_extra_is_named(here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever reads files needs no boto3; whoever asks an account is told what to install."""
    monkeypatch.setitem(sys.modules, "boto3", None)
    done = fig(here, "import", "aws", "--region", REGION)
    assert done.code == 2
    assert "pip install 'strangler-fig[planner,aws]'" in done.stderr

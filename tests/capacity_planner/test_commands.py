"""The commands that read a demand file, as somebody at a terminal or a pipeline meets them."""

import json
import os
import subprocess
import sys
from pathlib import Path

import click
import jsonschema
import pytest
from click.testing import CliRunner, Result

from capacity_planner.commands.cidr import cidr
from strangler_fig.diagnostics import Refused

from .test_verdict import SCHEMA

ROOT = Path(__file__).parents[2]
BOOKSHOP = ROOT / "examples" / "bookshop" / "demand.yaml"
FIG = Path(sys.executable).with_name("fig")


def run(*arguments: object) -> Result:
    return CliRunner().invoke(cidr, [str(one) for one in arguments])


@pytest.fixture(scope="module")
def bank(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The bank's demand file, as its generator writes it."""
    folder = tmp_path_factory.mktemp("bank")
    command = [sys.executable, str(ROOT / "examples" / "bank" / "generate.py"), str(folder)]
    subprocess.run(command, timeout=60, check=True)
    return folder / "demand.yaml"


def test_path_names_the_binding_limit_first() -> None:
    """The bookshop's database binds: the answer begins with it, and says when it breaks and what lifts it."""
    done = run("path", BOOKSHOP)
    assert (done.exit_code, done.stderr) == (0, "")
    _summary, binding, *rest = done.stdout.splitlines()
    assert binding == "binding limit: database's sessions (stock), ok: 24 of 70 sessions (34%), tail"
    said = "\n".join(rest)
    assert "breaks at 2.91 times this demand, in 4.1 years at 30% a year" in said
    assert "reserve 70 for books" in said
    assert "dns_packets_per_eni" in said
    assert "2026-09-26" in said
    assert "assumed, as no source states it: turnover_headroom 1" in said


def test_path_as_json() -> None:
    """Every hop has its load, capacity, utilisation and verdict in all four cases, its limit and its source."""
    found = json.loads(run("path", BOOKSHOP, "--json").stdout)
    assert found["binding_limit"]["code"] == "database-sessions"
    assert found["binding_limit"]["breaks_at"] == pytest.approx(70 / 24, rel=1e-3)
    assert {hop["code"] for hop in found["hops"]} >= {
        "account-concurrency",
        "function-scaling",
        "eni-ports",
        "dns-packets",
        "endpoint-bandwidth",
        "nlb-connections",
        "proxy-ports",
        "proxy-memory",
        "transit-gateway-bandwidth",
        "direct-connect-bandwidth",
        "direct-connect-prefixes-in",
        "lambda-endpoint-bandwidth",
        "resolver-queries",
    }
    for hop in found["hops"]:
        assert set(hop["cases"]) == {"p50", "p50, one lost", "tail", "tail, one lost"}
        assert hop["limit"]["source"]


def test_the_bank_exceeds_its_ledger(bank: Path) -> None:
    """When all is slow the ledger's sessions do not suffice: exit 4, the ledger first."""
    done = run("path", bank)
    assert done.exit_code == 4
    assert done.stdout.splitlines()[1].startswith(
        "binding limit: database's sessions (ledger), EXCEEDED: 2,174 of 1,350"
    )


def test_the_horizon_is_judged_when_asked() -> None:
    """At 2.197 times today's demand 53 sessions are held instead of 24."""
    found = json.loads(run("path", BOOKSHOP, "--horizon", "--json").stdout)
    assert found["binding_limit"]["cases"]["tail"]["load"] == 53


def test_an_accounts_own_limits_are_used_and_printed(tmp_path: Path) -> None:
    """A limit of 2 packets a second is exceeded, and its source is the file that says so."""
    own = tmp_path / "limits.yaml"
    own.write_text("version: 1\nlimits:\n  dns_packets_per_eni: 2\n")
    done = run("path", BOOKSHOP, "--limits", own)
    assert done.exit_code == 4
    assert f"dns_packets_per_eni 2 packets/s, as of 2026-09-26: {own}:3:24" in done.stdout


def test_whatif_shows_table_chart_and_picture(tmp_path: Path) -> None:
    """The first limit to break is named; the picture is written as a whole."""
    picture = tmp_path / "whatif.svg"
    done = run("whatif", BOOKSHOP, "--scale", "1..500", "--svg", picture)
    assert done.exit_code == 0
    assert done.stdout.startswith("database's sessions (stock) breaks first, at x2.91;")
    assert "account's concurrency        |====!!!" in done.stdout
    assert picture.read_text().startswith("<svg")
    assert os.listdir(tmp_path) == ["whatif.svg"]  # noqa: PTH208 - hidden files count


def test_whatif_as_json() -> None:
    """Each break has its factor, its limit and its remedies."""
    found = json.loads(run("whatif", BOOKSHOP, "--scale", "1..10", "--json").stdout)
    assert [one["code"] for one in found["breaks"]] == ["database-sessions"]
    assert found["breaks"][0]["factor"] == pytest.approx(70 / 24, rel=1e-3)
    assert found["holding"] > 20


@pytest.mark.parametrize("scale", ["10", "10..1", "0..5", "1..99999", "a..b", "-1..3"])
def test_a_scale_that_is_none(scale: str) -> None:
    """Wrong usage is exit 2."""
    assert run("whatif", BOOKSHOP, "--scale", scale).exit_code == 2


def test_verdict_writes_the_document(tmp_path: Path) -> None:
    """The file has the contract's schema; what is printed sums it up."""
    output = tmp_path / "capacity.json"
    done = run("verdict", BOOKSHOP, "-o", output, "--as-of", "2026-11-25")
    assert done.exit_code == 0
    assert done.stdout == (
        f"{output}: 1 function; within every limit, database-sessions binds; legacy can take everything back\n"
    )
    document = json.loads(output.read_text())
    jsonschema.validate(document, SCHEMA)
    assert document["functions"]["books"]["reserved_concurrency"] == 70
    assert json.loads(run("verdict", BOOKSHOP, "--json", "--as-of", "2026-11-25").stdout) == document


def test_a_verdict_that_cannot_be_written_damages_nothing(tmp_path: Path) -> None:
    """The former file stays when the demand is wrong; a folder that is not there is named."""
    output = tmp_path / "capacity.json"
    output.write_text("former")
    wrong = tmp_path / "demand.yaml"
    wrong.write_text(BOOKSHOP.read_text().replace("60/s", "60"))
    done = run("verdict", wrong, "-o", output)
    assert isinstance(done.exception, Refused)
    assert output.read_text() == "former"
    missing = run("verdict", BOOKSHOP, "-o", tmp_path / "missing" / "capacity.json")
    assert isinstance(missing.exception, Refused)
    assert "cannot be written: No such file or directory" in str(missing.exception)


def test_a_verdict_goes_somewhere() -> None:
    """Neither a file nor --json is wrong usage."""
    assert run("verdict", BOOKSHOP).exit_code == 2
    assert run("verdict", BOOKSHOP, "--json", "--as-of", "yesterday").exit_code == 2


def test_a_verdicts_mode_and_links_stay(tmp_path: Path) -> None:
    """A file that is there keeps its mode, and a link still points to it."""
    output, link = tmp_path / "capacity.json", tmp_path / "link.json"
    output.write_text("former")
    output.chmod(0o640)
    link.symlink_to(output)
    assert run("verdict", BOOKSHOP, "-o", link).exit_code == 0
    assert link.is_symlink()
    assert output.stat().st_mode & 0o777 == 0o640
    assert json.loads(output.read_text())["version"] == 1


def test_limits_are_listed_with_their_sources() -> None:
    """Every limit has a row with value, unit, date, and its source below."""
    done = run("limits")
    assert done.exit_code == 0
    assert "eni_per_vpc " in done.stdout
    assert "thousands" in done.stdout
    assert "    https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html\n" in done.stdout
    shown = run("limits", "eni_new_connections").stdout
    assert "917 connections/s for each Hyperplane ENI" in shown
    assert "assumed" in shown
    assert {one["kind"] for one in json.loads(run("limits", "--assumptions", "--json").stdout)} == {"assumption"}


def test_an_unknown_limit_gets_a_hint() -> None:
    """A misspelt key is refused with what was meant."""
    done = run("limits", "eni_per_vcp")
    assert isinstance(done.exception, Refused)
    assert done.exception.diagnostics[0].hint == "did you mean eni_per_vpc?"


def test_the_schema_is_printed() -> None:
    """Editors get JSON Schema 2020-12."""
    schema = json.loads(run("schema").stdout)
    jsonschema.Draft202012Validator.check_schema(schema)
    assert schema["title"] == "Demand file"


def test_help_lists_commands_in_the_order_of_a_plans_life() -> None:
    """`fig cidr --help` imports none of them."""
    with click.Context(cidr) as context:
        listed = cidr.list_commands(context)
    assert listed[0] == "size"
    assert {"path", "whatif", "verdict", "limits", "schema"} <= set(listed)


def test_findings_are_printed_without_a_traceback(tmp_path: Path) -> None:
    """A wrong file ends with exit 2, every finding on standard error, nothing on standard output."""
    wrong = tmp_path / "demand.yaml"
    wrong.write_text(BOOKSHOP.read_text().replace("60/s", "60").replace("p50: 40ms", "p50: 40"))
    command = [str(FIG), "cidr", "path", str(wrong)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.count("DM11") == 2
    assert "Traceback" not in done.stderr

import json
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from router.commands.explain import explain
from router.commands.files import check, compile_, schema
from router.side import slot
from strangler_fig.diagnostics import Refused

from .estates import BOOKSHOP


@pytest.fixture
def file(tmp_path: Path) -> Path:
    estate = tmp_path / "estate.yaml"
    estate.write_text(BOOKSHOP)
    return estate


def test_check_sums_up(file: Path) -> None:
    """`fig check` says in one line what a sound estate holds, and exits 0."""
    done = CliRunner().invoke(check, [str(file)])
    assert (done.exit_code, done.stderr) == (0, "")
    assert done.stdout == f"{file}: 7 routes, 2 legacy services, 3 lambdas; 0 errors, 0 warnings\n"


def test_check_with_warnings_only(file: Path) -> None:
    """Warnings are printed on stderr and leave exit code 0."""
    file.write_text(BOOKSHOP.replace(":books:live", ":books"))
    done = CliRunner().invoke(check, [str(file)])
    assert done.exit_code == 0
    assert f"{file}:25:10: ES214 warning" in done.stderr
    assert "0 errors, 1 warning" in done.stdout


def test_check_with_errors(file: Path) -> None:
    """Errors of all files are printed with their places, and the exit code is 2."""
    file.write_text(BOOKSHOP.replace("lambda: remote", "lambda: remot"))
    done = CliRunner().invoke(check, [str(file), str(file.parent / "missing.yaml")])
    assert done.exit_code == 2
    assert (
        f"{file}:65:13: ES202 error: route by-cookie: there is no lambda 'remot'\n  hint: did you mean remote?"
        in done.stderr
    )
    assert "missing.yaml cannot be read" in done.stderr
    assert "2 files: 2 errors, 1 warning" in done.stdout


def test_check_as_json(file: Path) -> None:
    """With --json standard output is a list of findings, and nothing else is said."""
    file.write_text(BOOKSHOP.replace("lambda: remote", "lambda: remot"))
    done = CliRunner().invoke(check, [str(file), "--json"])
    assert done.exit_code == 2
    assert done.stderr == ""
    found = json.loads(done.stdout)
    assert [(one["code"], one["severity"], one["line"]) for one in found] == [
        ("ES203", "warning", 29),
        ("ES202", "error", 65),
    ]


def test_compile_writes_a_snapshot(file: Path, tmp_path: Path) -> None:
    """`fig compile` writes the snapshot under its digest, prints that, and writes the same again without complaint."""
    output = tmp_path / "out"
    first = CliRunner().invoke(compile_, [str(file), "-o", str(output)])
    again = CliRunner().invoke(compile_, [str(file), "-o", str(output), "--json"])
    digest = first.stdout.strip()
    assert (first.exit_code, again.exit_code, len(digest)) == (0, 0, 64)
    assert json.loads(again.stdout) == {"snapshot": digest, "folder": str(output / digest)}
    assert (output / digest / "routes.json").is_file()
    done = CliRunner().invoke(check, [str(output / digest / "estate.json")])
    assert done.exit_code == 0


def test_compile_leaves_foreign_folders_alone(file: Path, tmp_path: Path) -> None:
    """A folder that is not empty and holds no snapshot is refused, and nothing is written into it."""
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "letters").write_text("mine")
    done = CliRunner().invoke(compile_, [str(file), "-o", str(tmp_path / "out")])
    assert isinstance(done.exception, Refused)
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["letters"]


def test_compile_refuses_a_wrong_estate(file: Path, tmp_path: Path) -> None:
    """An estate with errors is refused with all findings, and no folder appears."""
    file.write_text(BOOKSHOP.replace("default: bookshop", "default: none"))
    done = CliRunner().invoke(compile_, [str(file), "-o", str(tmp_path / "out")])
    assert isinstance(done.exception, Refused)
    assert [one.code for one in done.exception.diagnostics] == ["ES201"]
    assert not (tmp_path / "out").exists()


def test_schema_is_json() -> None:
    """`fig schema` prints the JSON Schema."""
    done = CliRunner().invoke(schema)
    assert json.loads(done.stdout)["$schema"] == "https://json-schema.org/draft/2020-12/schema"


def test_explain_says_where_a_user_is(file: Path) -> None:
    """`fig explain` names the route, the user's slot, the side now, and the weight from which it is Lambda."""
    place = slot("books-read", "alice")
    done = CliRunner().invoke(explain, ["GET", "/books/7", "--header", "X-User: alice", "--estate", str(file)])
    assert done.exit_code == 0
    assert "takes   route books-read" in done.stdout
    assert f"header x-user = alice, slot {place} of 0 to 9999" in done.stdout
    assert "chat" in done.stdout
    assert "path /books/7 is not below /chat" in done.stdout


def test_explain_as_json(file: Path) -> None:
    """With --json the same is there as values."""
    arguments = ["GET", "/address", "--client", "2001:DB8::1", "--estate", str(file), "--json"]
    found = json.loads(CliRunner().invoke(explain, arguments).stdout)
    place = slot("by-address", "2001:db8::1")
    assert (found["route"], found["side"], found["weight"]) == ("by-address", "legacy", 0)
    assert (found["key"], found["slot"], found["lambda_from"]) == ("2001:db8::1", place, place + 1)


def test_explain_says_what_a_route_asks(file: Path) -> None:
    """`fig explain` says whom a route lets pass: the identity, all of the scopes, one of the roles."""
    guarded = (
        BOOKSHOP
        + """
identities:
  staff: {jwt: {issuer: a, audiences: [b], jwks: {file: j}}, claims: {key: {secret_env: KEY}}}
"""
    )
    asked = "    authorize: {identity: staff, scopes: [read, all], roles: [teller, clerk]}\n"
    file.write_text(guarded.replace("  books-read:\n", "  books-read:\n" + asked))
    arguments = ["GET", "/books/7", "--estate", str(file)]
    done = CliRunner().invoke(explain, arguments)
    words = "  asks    who the user is, as identity staff says; scope all and read; role clerk or teller"
    assert words in done.stdout.splitlines()
    found = json.loads(CliRunner().invoke(explain, [*arguments, "--json"]).stdout)
    assert found["authorize"] == {"identity": "staff", "scopes": ["all", "read"], "roles": ["clerk", "teller"]}


@pytest.mark.parametrize(
    "arguments",
    [
        ["GE T", "/"],
        ["GET", "books"],
        ["GET", "/", "--header", "X-User"],
        ["GET", "/", "--client", "localhost"],
        ["GET", "/\udcff"],
    ],
)
def test_explain_refuses_what_is_no_request(file: Path, arguments: list[str]) -> None:
    """A method, path, header or client that is none is refused before anything is read."""
    done = CliRunner().invoke(explain, [*arguments, "--estate", str(file)])
    assert isinstance(done.exception, Refused)


@pytest.mark.parametrize(("text", "code"), [(BOOKSHOP, 0), ("version: [", 2)])
def test_the_whole_command(file: Path, text: str, code: int) -> None:
    """As a process `fig check` ends with the exit code of its findings and no traceback."""
    file.write_text(text)
    command = [str(Path(sys.executable).parent / "fig"), "check", str(file)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=file.parent)
    assert done.returncode == code
    assert "Traceback" not in done.stderr

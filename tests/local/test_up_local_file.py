"""`local.yaml`: what is read from it, and what is said about mistakes in it."""

import json
import random
import socket
import string
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from infra.local.estate_run import local_file, preflight
from infra.local.estate_run.ports import choose, why_not_bindable
from strangler_fig.diagnostics import Refused

GOOD = """\
version: 1
ports:
  - LEGACY_PORT
commands:
  legacy:
    run: [python, legacy.py, 7]
    ready: http://127.0.0.1:${LEGACY_PORT}/health
lambda:
  functions: lambda.yaml
  port: ${LAMBDA_PORT:-9002}
"""


def found(text: str, folder: Path = Path("/nowhere")) -> list[str]:
    """What is said about the file, one line each, hints apart."""
    _, faults = local_file.parse(text, file="local.yaml", folder=folder, environment={})
    return [str(one).splitlines()[0] for one in faults]


def test_reads(tmp_path: Path) -> None:
    """A file gives its commands, with ports filled in, `python` as this interpreter, and numbers as text."""
    (tmp_path / "lambda.yaml").touch()
    parsed, faults = local_file.parse(GOOD, file="local.yaml", folder=tmp_path, environment={"LEGACY_PORT": "8123"})
    assert faults == ()
    assert parsed is not None
    assert parsed.commands == (
        local_file.Command(
            name="legacy", argv=(sys.executable, "legacy.py", "7"), ready_url="http://127.0.0.1:8123/health"
        ),
    )
    assert parsed.local_lambda == local_file.LocalLambda(functions=tmp_path / "lambda.yaml", port=9002)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("version: 1\ncomands: {}\n", "local.yaml:2:1: SH101 error: unknown key 'comands'"),
        ("version: 2\n", "local.yaml:1:10: SH104 error: version: input should be 1 (found 2)"),
        (
            "version: 1\ncommands:\n  a:\n    run: []\n",
            "local.yaml:4:10: SH104 error: commands.a.run: at least 1 item is needed",
        ),
        (
            "version: 1\ncommands:\n  node:\n    run: [python]\n",
            "local.yaml:3:3: UP104 error: node is one of fig's own processes",
        ),
        ("version: 1\ncommands:\n  A b:\n    run: [python]\n", "local.yaml:3:3: UP103 error: 'A b' is not a name"),
        (
            "version: 1\ncommands:\n  a:\n    run:\n      - no-such-thing\n",
            "local.yaml:5:9: UP105 error: no command 'no-such-thing'",
        ),
        (
            "version: 1\ncommands:\n  a:\n    run: [python]\n    ready: 127.0.0.1:80\n",
            "local.yaml:5:12: UP106 error: '127.0.0.1:80' is not an http URL",
        ),
        (
            "version: 1\nlambda:\n  functions: nowhere.yaml\n  port: 9002\n",
            "local.yaml:3:14: UP107 error: no file nowhere.yaml in this folder",
        ),
        (
            "version: 1\nlambda:\n  functions: a.yaml\n  port: 99999\n",
            "local.yaml:4:9: SH104 error: lambda.port: input should be",
        ),
        (
            "version: 1\ncommands:\n  a:\n    run: [python]\n    ready: http://h:${PORT}/\n",
            "local.yaml:5:12: DOC107 error: ${PORT} is not set",
        ),
    ],
)
def test_mistakes_have_places(text: str, said: str) -> None:
    """A mistake is said with its place."""
    assert any(line.startswith(said) for line in found(text)), found(text)


def test_all_mistakes_at_once() -> None:
    """All mistakes of a kind come together, in the file's order."""
    text = "version: 1\ncommands:\n  node:\n    run: [no-such-thing]\n    ready: x\n"
    assert [line.split()[1] for line in found(text)] == ["UP104", "UP105", "UP106"]


def test_bad_port_names() -> None:
    """A name under `ports` that is no environment name, or comes twice, is said with its place."""
    _, faults = local_file.port_names("version: 1\nports: [LEGACY_PORT, legacy, LEGACY_PORT]\n", file="local.yaml")
    assert [f"{one.position} {one.code}" for one in faults] == ["local.yaml:2:22 UP101", "local.yaml:2:30 UP102"]


@given(st.text(alphabet=string.printable, max_size=200))
def test_no_text_breaks_the_reader(text: str) -> None:
    """Whatever the file holds, the answer is diagnostics or a value."""
    local_file.port_names(text, file="local.yaml")
    parsed, faults = local_file.parse(text, file="local.yaml", folder=Path("/nowhere"), environment={})
    assert parsed is not None or faults


def test_ports_are_free_and_distinct() -> None:
    """Each name gets a port of its own that can be bound; a port that the environment sets is kept."""
    names = [f"PORT_{number}" for number in range(20)]
    chosen = choose(names, {}, random.Random(7))  # noqa: S311
    assert len({chosen[name] for name in names}) == 20
    assert all(why_not_bindable("127.0.0.1", int(chosen[name])) is None for name in names)
    kept = choose(["PORT_1"], {"PORT_1": chosen["PORT_1"]}, random.Random(8))  # noqa: S311
    assert kept == {"PORT_1": chosen["PORT_1"]}


def test_ports_stay(tmp_path: Path) -> None:
    """An estate keeps its ports from run to run, but for one that somebody else has by now."""
    (tmp_path / "local.yaml").write_text("version: 1\nports: [A_PORT, B_PORT]\n")
    with socket.create_server(("127.0.0.1", 0)) as taken:
        last_time = {"A_PORT": str(free_port()), "B_PORT": str(taken.getsockname()[1])}
        (tmp_path / "ports.json").write_text(json.dumps(last_time))
        _, chosen = preflight.read_local(tmp_path / "estate.yaml", tmp_path, {})
    assert chosen["A_PORT"] == last_time["A_PORT"]
    assert chosen["B_PORT"] != last_time["B_PORT"]


def free_port() -> int:
    """A port that is free now."""
    return int(choose(["PORT"], {}, random.Random(3))["PORT"])  # noqa: S311


@pytest.mark.parametrize("value", ["", "http", "0", "70000", "-1"])
def test_environment_port_is_none(value: str) -> None:
    """A port from the environment that is none is refused by name."""
    with pytest.raises(Refused, match="UP111 error: LEGACY_PORT="):
        choose(["LEGACY_PORT"], {"LEGACY_PORT": value}, random.Random(1))  # noqa: S311


def test_environment_port_in_use() -> None:
    """A port from the environment that somebody listens on is refused, so that nobody mistakes that one for ours."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = str(listener.getsockname()[1])
        with pytest.raises(Refused, match=f"UP112 error: LEGACY_PORT={port} .* Address already in use"):
            choose(["LEGACY_PORT"], {"LEGACY_PORT": port}, random.Random(1))  # noqa: S311


def test_entry_in_use(tmp_path: Path) -> None:
    """An entry address that somebody listens on is refused at its place in the estate file."""
    estate = tmp_path / "estate.yaml"
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        estate.write_text(f"version: 1\nentry:\n  address: 127.0.0.1:{port}\n  default: shop\n")
        with pytest.raises(Refused, match=r"estate.yaml:3:12: UP122 error: entry.address 127.0.0.1:\d+ cannot be used"):
            preflight.entry_address(preflight.read_estate(estate, {}))
    assert preflight.entry_address(preflight.read_estate(estate, {})) == f"127.0.0.1:{port}"


def test_no_local_file(tmp_path: Path) -> None:
    """An estate without a local.yaml beside it needs no commands and no ports."""
    local, chosen = preflight.read_local(tmp_path / "estate.yaml", tmp_path, {})
    assert (local.commands, local.local_lambda, chosen) == ((), None, {})
    assert preflight.read_local(tmp_path / "estate.yaml", tmp_path, {}, ("OTLP_PORT",))[1].keys() == {"OTLP_PORT"}


def test_one_run_at_a_time(tmp_path: Path) -> None:
    """A second run on the same state directory is refused, and says which process holds it."""
    with preflight.hold(tmp_path / "state"), pytest.raises(Refused, match=r"UP124 error: an estate already runs on"):
        preflight.hold(tmp_path / "state")
    preflight.hold(tmp_path / "state").close()

"""The package costs little to import, and works in a function that has a folder `adapters` of its own."""

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import adapters
import strangler_fig

# -I -S: nothing but the standard library and the folder given is importable.
_PYTHON = (sys.executable, "-I", "-S", "-c")


def run(code: str, folder: Path) -> str:
    program = f"import sys; sys.path.insert(0, {str(folder)!r})\n{code}"
    return subprocess.run([*_PYTHON, program], check=True, capture_output=True, text=True, timeout=60).stdout


def source(package: object) -> Path:
    return Path(str(getattr(package, "__file__", ""))).parent


def test_the_folder_works_under_another_name(tmp_path: Path) -> None:
    """Copied as `fig_adapters`, with the leaf beside it, it imports and works while `adapters` is the user's."""
    shutil.copytree(source(adapters), tmp_path / "fig_adapters")
    shutil.copytree(source(strangler_fig), tmp_path / "strangler_fig")
    (tmp_path / "adapters").mkdir()
    (tmp_path / "adapters" / "__init__.py").write_text("mine = True\n")
    code = """
import adapters, json
from fig_adapters.events import gateway_handler
assert adapters.mine and not any(name.startswith("adapters.") for name in sys.modules)
print(json.dumps(gateway_handler(lambda event, context: event["rawPath"])({"raw_path": "/x", "method": "GET"}, None)))
"""
    assert json.loads(run(code, tmp_path))["body"] == "/x"


def test_handler_needs_nothing_for_events(tmp_path: Path) -> None:
    """A function that calls nothing on-premises runs under `handler` with the standard library alone."""
    for package in (adapters, strangler_fig):
        shutil.copytree(source(package), tmp_path / source(package).name)
    code = """
import adapters, json
function = adapters.handler(lambda event, context: event["rawPath"])
print(json.dumps(function({"raw_path": "/x", "method": "GET", "headers": {"traceparent": "00-1-1-01"}}, None)))
"""
    assert json.loads(run(code, tmp_path))["body"] == "/x"


@pytest.mark.parametrize("code", ["import adapters", "import adapters.events", "from adapters import handler"])
def test_importing_needs_no_heavy_module(code: str) -> None:
    """A cold start pays for the standard library's small modules only: no dataclasses, asyncio, HTTP or YAML."""
    loaded = set(run(f"{code}; print(*sys.modules)", source(adapters).parent).split())
    assert not loaded & {"dataclasses", "inspect", "asyncio", "http.client", "ssl", "yaml", "click", "pydantic"}


@pytest.mark.parametrize(
    ("code", "unwanted"),
    [
        ("from adapters import HttpService", {"boto3", "botocore", "sqlalchemy", "pymysql", "aws_lambda_powertools"}),
        ("from adapters import Database", {"boto3", "botocore", "urllib3", "aws_lambda_powertools"}),
        ("from adapters.events import EnvoyResolver", {"boto3", "sqlalchemy", "urllib3"}),
        ("import adapters.testing", {"boto3", "aws_lambda_powertools"}),
        ("from adapters import Database, HttpService, handler; import adapters.breaker", {"boto3", "python_socks"}),
    ],
)
def test_each_part_loads_what_it_needs(code: str, unwanted: set[str]) -> None:
    """A function pays at its start for what it uses; AWS's clients are loaded when they are first needed."""
    command = [sys.executable, "-c", f"{code}; import sys; print(*sys.modules)"]
    done = subprocess.run(command, check=True, capture_output=True, text=True, timeout=60, cwd=source(adapters).parent)
    assert not set(done.stdout.split()) & unwanted

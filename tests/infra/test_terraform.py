"""The Terraform module, as far as it can be judged without providers: it parses, and takes the planner's file."""

import functools
import json
import os
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import hcl2
import pytest

from tests.infra.topology import Topology, fig

MODULE = Path(__file__).parents[2] / "infra" / "terraform" / "network"
FILES = sorted(MODULE.glob("*.tf"))
_OPTIONS = hcl2.SerializationOptions(strip_string_quotes=True)


@functools.cache
def _read(path: Path) -> dict[str, Any]:
    read: dict[str, Any] = hcl2.loads(path.read_text(encoding="utf-8"), serialization_options=_OPTIONS)
    return read


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.name)
def test_a_file_of_the_module_parses(file: Path) -> None:
    """python-hcl2 reads every file."""
    assert _read(file)


def _misformatted(text: str) -> list[int]:
    """The lines that `terraform fmt` would indent otherwise, or whose `=` it would align with the line above.

    What a line opens counts once, however many brackets it is, and ends with the line that closes as many. Arguments of
    one line each that follow one another are aligned. What fmt does beyond that, it does where Terraform is installed.
    """
    found: list[int] = []
    groups: list[int] = []
    before = (-1, -1)
    for number, line in enumerate(text.splitlines(), start=1):
        code = re.sub(r'"(?:[^"\\]|\\.)*"', lambda quoted: "s" * len(quoted[0]), line).split("#")[0]
        opened = sum(code.count(one) for one in "([{") - sum(code.count(one) for one in ")]}")
        while opened < 0 and groups:
            closed = min(-opened, groups[-1])
            opened, groups[-1] = opened + closed, groups[-1] - closed
            groups = groups if groups[-1] else groups[:-1]
        indented = len(line) - len(line.lstrip())
        argument = re.match(r"\s*[\w\"-]+(\s+)=\s", code) if code.rstrip()[-1:] not in ("(", "[", "{") else None
        here = (indented, argument.end(1)) if argument else (-1, -1)
        if line.strip() and (indented != 2 * len(groups) or (here[0] == before[0] >= 0 and here[1] != before[1])):
            found.append(number)
        if opened > 0:
            groups.append(opened)
        before = here
    return found


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.name)
def test_a_file_of_the_module_is_formatted(file: Path) -> None:
    """Indentation and alignment are Terraform's, by rules of our own, and by itself where it is installed."""
    text = file.read_text(encoding="utf-8")
    assert _misformatted(text) == []
    program = shutil.which("terraform")
    if program is not None:
        done = subprocess.run([program, "fmt", "-"], input=text, capture_output=True, text=True, check=True, timeout=60)
        assert done.stdout == text


def test_the_formatter_sees_what_is_wrong() -> None:
    """A line that is indented too far and an argument that is not aligned are found."""
    assert _misformatted('a "b" {\n    c = 1\n}\n') == [2]
    assert _misformatted("a {\n  long = 1\n  b = [\n    2,\n  ]\n  c = 3\n  cd = 4\n}\n") == [7]


@pytest.mark.skipif(shutil.which("terraform") is None, reason="Terraform is in no registry that tests may install from")
def test_terraform_takes_the_planners_file(made: Topology, tmp_path: Path) -> None:
    """Terraform itself reads the planner's variables and computes what the module loops over; no provider is asked."""
    for name in ("variables.tf", "locals.tf"):
        (tmp_path / name).write_bytes((MODULE / name).read_bytes())
    (tmp_path / "all.tf").write_text('output "all" {\n  value = [local.sets, local.fleets, local.endpoints]\n}\n')
    variables = fig("cidr", "show", str(made.plan), "--format", "tfvars").stdout
    (tmp_path / "plan.auto.tfvars").write_text(variables, encoding="utf-8")
    _terraform(tmp_path, "init", "-input=false")
    _terraform(tmp_path, "apply", "-input=false", "-auto-approve", "-var", "egress_service_name=vpce-svc-1")
    sets, fleets, endpoints = json.loads(_terraform(tmp_path, "output", "-json", "all"))
    assert sets["spoke-1/shop/1"] == {"vpc": "spoke-1", "zone": "shop", "number": 1}
    assert fleets["spoke-1/egress"] == {"vpc": "spoke-1", "name": "egress"}
    assert set(endpoints) >= {"hub/lambda", "hub/monitoring", "spoke-1/secretsmanager"}


def _terraform(folder: Path, *arguments: str) -> str:
    settings = {**os.environ, "TF_CLI_CONFIG_FILE": os.devnull, "CHECKPOINT_DISABLE": "1"}
    command = ["terraform", *arguments]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False, timeout=120, env=settings)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_the_planners_variables_are_the_modules(made: Topology) -> None:
    """What `fig cidr show --format tfvars` writes the module declares, key by key; the rest has defaults."""
    done = fig("cidr", "show", str(made.plan), "--format", "tfvars")
    written = {name for name in hcl2.loads(done.stdout) if not name.startswith("__")}
    declared = {
        name: body
        for one in _read(MODULE / "variables.tf")["variable"]
        for name, body in one.items()
        if not name.startswith("__")
    }
    assert written <= set(declared)
    assert {name for name, body in declared.items() if "default" not in body} == written


def test_the_modules_types_have_the_planners_keys(made: Topology) -> None:
    """Each key of a VPC and of a subnet in the planner's file stands in the module's type."""
    tfvars: Any = hcl2.loads(fig("cidr", "show", str(made.plan), "--format", "tfvars").stdout)
    text = (MODULE / "variables.tf").read_text(encoding="utf-8")
    vpc = next(one for name, one in tfvars["vpcs"].items() if not str(name).startswith("__"))
    subnet = next(one for name, one in vpc["subnets"].items() if not str(name).startswith("__"))
    for key in (*vpc, *subnet):
        if not str(key).startswith("__"):
            assert re.search(rf"^\s+{key}\s+= ", text, re.MULTILINE), key


def test_the_module_gives_no_public_address() -> None:
    """There is no internet gateway, no address of one's own, and no subnet that gives any."""
    text = "".join(file.read_text(encoding="utf-8") for file in FILES)
    assert "map_public_ip_on_launch = false" in text
    assert not re.search(r"aws_(internet_gateway|eip|egress_only)", text)

"""The Terraform module, as far as it can be judged without providers: it parses, and takes the planner's file."""

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


def _read(path: Path) -> dict[str, Any]:
    read: dict[str, Any] = hcl2.loads(path.read_text(encoding="utf-8"), serialization_options=_OPTIONS)
    return read


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.name)
def test_a_file_of_the_module_parses(file: Path) -> None:
    """python-hcl2 reads every file."""
    assert _read(file)


def test_the_module_is_formatted() -> None:
    """`terraform fmt` would change nothing."""
    program = shutil.which("terraform")
    if program is None:
        pytest.skip("this machine has no terraform")
    command = [program, "fmt", "-check", "-recursive", str(MODULE)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
    assert done.stdout == ""


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

import re
import shutil
import subprocess
from pathlib import Path

import pytest

HOSTS = Path(__file__).parents[2] / "infra" / "hosts"
UNITS = sorted(HOSTS.glob("*.service"))


@pytest.mark.parametrize("unit", UNITS, ids=lambda unit: unit.stem)
def test_systemd_understands_a_unit(unit: Path, tmp_path: Path) -> None:
    """`systemd-analyze verify` has nothing to say but that the programs are not installed here."""
    program = shutil.which("systemd-analyze")
    if program is None:
        pytest.skip("this machine has no systemd-analyze")
    copy = tmp_path / unit.name
    text = unit.read_text(encoding="utf-8")
    copy.write_text(re.sub(r"^ExecStart=\S+", "ExecStart=/bin/true", text, flags=re.MULTILINE), encoding="utf-8")
    command = [program, "verify", "--recursive-errors=no", str(copy)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
    said = [line for line in done.stderr.splitlines() if unit.name in line]
    assert said == []


@pytest.mark.parametrize("unit", UNITS, ids=lambda unit: unit.stem)
def test_a_unit_is_closed(unit: Path) -> None:
    """Every unit has a user, a read-only file system and no way to more privileges."""
    lines = unit.read_text(encoding="utf-8").splitlines()
    assert {"NoNewPrivileges=yes", "ProtectSystem=strict", "ProtectHome=yes", "RestrictSUIDSGID=yes"} <= set(lines)
    assert any(line.startswith("User=") or line == "DynamicUser=yes" for line in lines)
    assert "User=root" not in lines


def test_every_kernel_setting_has_a_reason() -> None:
    """A line of sysctl stands below a comment that says why, or below a line of the same subject."""
    blocks = (HOSTS / "60-fig.conf").read_text(encoding="utf-8").split("# ")[2:]
    assert all("=" in block for block in blocks)


def test_the_range_of_ports_leaves_out_what_the_host_listens_on() -> None:
    """A widened range without reserved ports would let an outgoing connection take a listener's port."""
    text = (HOSTS / "60-fig.conf").read_text(encoding="utf-8")
    assert "ip_local_port_range = 1024 65535" in text
    assert "8901" in text.partition("ip_local_reserved_ports")[2].splitlines()[0]

import json
import re
import shutil
import subprocess
import tomllib
from pathlib import Path

import pytest

HOSTS = Path(__file__).parents[2] / "infra" / "hosts"
UNITS = sorted(HOSTS.glob("*.service"))
TIMERS = sorted(HOSTS.glob("*.timer"))


def test_systemd_understands_the_units(tmp_path: Path) -> None:
    """`systemd-analyze verify` has nothing to say but that the programs are not installed here."""
    program = shutil.which("systemd-analyze")
    assert program is not None, "systemd-analyze is missing, which tests/debian-packages.txt names (systemd)"
    copies = [tmp_path / unit.name for unit in (*UNITS, *TIMERS)]
    for copy in copies:
        text = (HOSTS / copy.name).read_text(encoding="utf-8")
        copy.write_text(re.sub(r"^ExecStart=\S+", "ExecStart=/bin/true", text, flags=re.MULTILINE), encoding="utf-8")
    command = [program, "verify", "--recursive-errors=no", *map(str, copies)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
    names = {copy.name for copy in copies}
    assert [line for line in done.stderr.splitlines() if any(name in line for name in names)] == []


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


def test_the_ledgers_options_are_words_of_their_own() -> None:
    """Control's unit takes the ledger's options unbraced, so that systemd splits them, and runs without any."""
    unit = (HOSTS / "fig-control.service").read_text(encoding="utf-8")
    example = (HOSTS / "control.env.example").read_text(encoding="utf-8")
    assert re.search(r"^ExecStart=.* \$FIG_LEDGER$", unit, re.MULTILINE)
    assert "EnvironmentFile=-/etc/fig/control.env" in unit
    options = re.search(r"^FIG_LEDGER=(.*)$", example, re.MULTILINE)
    assert options
    assert [word for word in options[1].split() if word.startswith("--")] == [
        "--ledger",
        "--ledger-ca",
        "--ledger-password-file",
    ]
    password = (HOSTS / "fig-ledger-password.service").read_text(encoding="utf-8")
    assert "RuntimeDirectory=fig-ledger" in password
    assert "/run/fig-ledger/password" in options[1]


def test_the_password_is_replaced_as_a_whole(tmp_path: Path) -> None:
    """What the unit runs leaves the former password where Secrets Manager does not answer, and a new one else."""
    text = (HOSTS / "fig-ledger-password.service").read_text(encoding="utf-8")
    script = re.search(r"^ExecStart=/bin/sh -ec '(.*)'$", text, re.MULTILINE)
    assert script
    aws = tmp_path / "aws"
    password = tmp_path / "password"
    for answer, code, expected in (
        ("echo one", 0, "one\n"),
        ("echo broken; exit 1", 1, "one\n"),
        ("echo two", 0, "two\n"),
    ):
        aws.write_text(f"#!/bin/sh\n{answer}\n", encoding="utf-8")
        aws.chmod(0o755)
        variables = {
            "PATH": f"{tmp_path}:/bin:/usr/bin",
            "RUNTIME_DIRECTORY": str(tmp_path),
            "FIG_LEDGER_SECRET": "arn",
        }
        done = subprocess.run(["/bin/sh", "-ec", script[1]], env=variables, check=False, timeout=30)
        assert (done.returncode, password.read_text(encoding="utf-8")) == (code, expected)


def test_the_container_is_closed_and_pinned() -> None:
    """The container file: base images by version, a numeric user, one volume, signals to `fig` itself, real extras."""
    text = (HOSTS / "Containerfile").read_text(encoding="utf-8")
    lines = re.sub(r"\\\n", " ", "\n".join(line for line in text.splitlines() if not line.startswith("#"))).splitlines()
    words = [line.split(maxsplit=1) for line in lines if line.strip()]
    assert {word for word, _ in words} <= {"FROM", "RUN", "COPY", "USER", "VOLUME", "STOPSIGNAL", "ENTRYPOINT"}
    images = [rest.split() for word, rest in words if word == "FROM"]
    assert all(re.search(r":[0-9]", image[0]) for image in images)
    stages = {image[2] for image in images if image[1:2] == ["AS"]}
    sources = {rest.split()[0].removeprefix("--from=") for word, rest in words if word == "COPY" and "--from=" in rest}
    assert sources <= stages
    last = max(place for place, (word, _) in enumerate(words) if word == "FROM")
    final = dict(words[last:])
    assert final["USER"].isdigit()
    assert int(final["USER"]) > 0
    assert json.loads(final["ENTRYPOINT"])[0].startswith("/")
    extras = re.findall(r"\[([a-z,]+)\]'", text)
    known = tomllib.loads((HOSTS.parents[1] / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert {name for extra in extras for name in extra.split(",")} <= set(known["optional-dependencies"])

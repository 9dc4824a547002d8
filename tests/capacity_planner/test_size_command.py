"""`fig cidr size`: one workload on one screen, and for scripts."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import click
import pytest
from click.testing import CliRunner, Result

from capacity_planner.commands.size import size

ROOT = Path(__file__).parents[2]
TALK = ["--rps", "3000", "--duration", "500ms", "--memory", "1536", "--azs", "3"]
_MODULES = "import sys; sys.path[:0] = sys.argv.pop(1).split(':'); import fig; fig.fig.main(standalone_mode=False)"


def run(*options: str) -> Result:
    return CliRunner().invoke(size, list(options))


def answer(*options: str) -> dict[str, Any]:
    done = run(*options, "--json")
    assert done.exit_code == 0, done.output
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def test_the_screen_shows_the_arithmetic() -> None:
    """Line by line: Little's law, the quota, the ramp, both models, addresses, subnet and VPC."""
    done = run(*TALK, "--timeout", "3s")
    assert done.exit_code == 0
    lines = [" ".join(line.split()) for line in done.stdout.splitlines()]
    for line in (
        "Little's law 3,000/s x 0.5 s = 1,500",
        "request quota 3,000/s / 10/s = 300",
        "concurrency max(1,500, 300) = 1,500",
        "ramp from cold ceil(1,500 / 1,000) x 10 s = 20 s",
        "ENIs legacy-2019 ceil(1,500 x 1.5 GB / 3 GB) = 750",
        "ENIs hyperplane 3 subnets x 1 set x max(1, ceil(500 / 65,000)) = 3 at least",
        "ENIs hyperplane 2 subnets x 1 set x max(1, ceil(750 / 65,000)) = 2 at least",
        "addresses per subnet ceil(1 ENI x (1 + 1 turnover)) = 2",
        "smallest subnet 2 + 5 reserved <= 16 = /28",
        "smallest VPC 3 x /28 = /26",
        "Little's law 3,000/s x 3 s = 9,000",
    ):
        assert line in lines
    assert "lower bound" in done.stdout
    assert "turnover_headroom 1" in done.stdout


def test_one_screen() -> None:
    """Median and tail, all zones and one lost, fit forty lines of 140 columns."""
    shown = run(*TALK, "--timeout", "3s").stdout.splitlines()
    assert len(shown) <= 40
    assert max(map(len, shown)) <= 140


def test_json_has_exactly_these_keys() -> None:
    """A script relies on them; ENIs are totals over all zones at the median with all zones."""
    found = answer(*TALK, "--duration-p99", "2s", "--timeout", "3s")
    sizes = {"enis", "addresses_per_subnet", "subnet_prefix", "vpc_prefix"}
    assert set(found) == {"concurrency", "ramp_seconds", *sizes, "tail", "az_loss"}
    assert found["enis"] == {"hyperplane": 3, "legacy_2019": 750}
    assert (found["concurrency"], found["ramp_seconds"]) == (1_500, 20)
    assert set(found["az_loss"]) == sizes
    assert found["tail"]["concurrency"] == 6_000
    assert found["tail"]["duration_seconds"] == 2.0
    assert found["tail"]["az_loss"]["enis"] == {"hyperplane": 2, "legacy_2019": 3_000}


@pytest.mark.parametrize(
    ("concurrency", "memory", "enis"), [(502, 1536, 251), (503, 1536, 252), (10, 1024, 4), (100, 2048, 67)]
)
def test_concurrency_and_memory_alone_suffice(concurrency: int, memory: int, enis: int) -> None:
    """Three zones are assumed, and no tail is known."""
    found = answer("--concurrency", str(concurrency), "--memory", str(memory))
    assert found["enis"] == {"hyperplane": 3, "legacy_2019": enis}
    assert found["tail"] is None


@pytest.mark.parametrize(("concurrency", "prefix"), [("502", 24), ("503", 23)])
def test_the_model_of_2019_sizes_by_its_own_enis(concurrency: str, prefix: int) -> None:
    """502 environments fill a /24 in one zone; one more needs a /23."""
    options = ("--concurrency", concurrency, "--memory", "1536", "--azs", "1", "--model", "legacy-2019")
    found = answer(*options)
    assert found["subnet_prefix"] == prefix
    assert found["az_loss"] is None
    assert "by model legacy-2019" in run(*options).stdout


def test_the_timeout_is_the_tail_without_a_p99() -> None:
    """20,000/s of 50 ms need 2,000 by the quota; of 1 s at the timeout 20,000 by Little's law."""
    found = answer("--rps", "20000", "--duration", "50ms", "--timeout", "1s", "--memory", "512MB")
    assert (found["concurrency"], found["tail"]["concurrency"]) == (2_000, 20_000)


def test_an_accounts_own_limits_count(tmp_path: Path) -> None:
    """With twice the requests in an environment half of the environments do."""
    own = tmp_path / "limits.yaml"
    own.write_text("version: 1\nlimits:\n  lambda_requests_per_environment: 20\n")
    options = ("--rps", "20000", "--duration", "1ms", "--memory", "512", "--limits", str(own))
    assert answer(*options)["concurrency"] == 1_000


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--memory", "1536"], "give --rps and --duration, or --concurrency alone"),
        (["--rps", "3", "--memory", "1536"], "give --rps and --duration"),
        (["--concurrency", "3", "--rps", "3", "--duration", "1s", "--memory", "1536"], "or --concurrency alone"),
        (["--concurrency", "3", "--timeout", "3s", "--memory", "1536"], "need --rps and --duration"),
        ([*TALK, "--timeout", "100ms"], "must rise in this order"),
        ([*TALK, "--duration-p99", "9s", "--timeout", "3s"], "must rise in this order"),
        (["--rps", "-5", "--duration", "1s", "--memory", "1536"], "Invalid value for '--rps'"),
        (["--rps", "nan", "--duration", "1s", "--memory", "1536"], "Invalid value for '--rps'"),
        (["--rps", "1e99", "--duration", "1s", "--memory", "1536"], "Invalid value for '--rps'"),
        (["--rps", "5", "--duration", "500", "--memory", "1536"], "did you mean 500ms or 500s?"),
        (["--rps", "5", "--duration", "20m", "--memory", "1536"], "out of range"),
        (["--rps", "5", "--duration", "1s", "--memory", "64"], "from 128 MB to 10240 MB"),
        (["--rps", "5", "--duration", "1s"], "Missing option '--memory'"),
        ([*TALK, "--azs", "0"], "Invalid value for '--azs'"),
        ([*TALK, "--model", "2019"], "Invalid value for '--model'"),
    ],
)
def test_what_cannot_be_asked(options: list[str], said: str) -> None:
    """Wrong usage is said in a sentence, with exit code 2."""
    done = run(*options)
    assert done.exit_code == 2
    assert said in " ".join(done.stderr.split())


def test_the_limits_of_a_limitless_workload() -> None:
    """More than any subnet holds is an answer too."""
    found = answer("--concurrency", "1000000", "--memory", "10240", "--model", "legacy-2019")
    assert (found["subnet_prefix"], found["vpc_prefix"]) == (None, None)
    assert (
        "more than one VPC" in run(*["--concurrency", "1000000", "--memory", "10240", "--model", "legacy-2019"]).stdout
    )


def test_it_starts_with_click_alone(tmp_path: Path) -> None:
    """Nothing heavy is imported, so that it answers at once: it runs where only click is installed."""
    (tmp_path / "click").symlink_to(Path(click.__file__).parent)
    command = [sys.executable, "-I", "-S", "-c", _MODULES, f"{ROOT}:{tmp_path}", "cidr", "size", *TALK, "--json"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=30, check=True)
    assert json.loads(done.stdout)["concurrency"] == 1_500

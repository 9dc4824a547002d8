"""Whether `fig up` starts `fig observe`, and what everybody is told of it."""

import subprocess
import sys
from pathlib import Path

import pytest

from infra.local.estate_run import observing
from infra.local.functions.launch import variables
from infra.local.functions.settings import FunctionSettings, Settings

ROOT = Path(__file__).parents[2]
ENDPOINT = "OTEL_EXPORTER_OTLP_ENDPOINT"


def test_the_receiver_is_told() -> None:
    """An observed run tells every process, and commands in other terminals, where the receiver is."""
    found = observing.decide({"HOME": "/"}, wanted=True)
    assert (found.ports, found.note) == (("OTLP_PORT", "OBSERVE_PORT"), None)
    told = found.variables({"OTLP_PORT": "4318"})
    assert told.told == told.whole == {ENDPOINT: "http://127.0.0.1:4318"}
    assert observing.unheard("http://127.0.0.1:4318", "http://127.0.0.1:4318") is None
    assert "its estate needs telemetry" in str(observing.unheard(None, "http://127.0.0.1:4318"))


def test_somebody_else_observes() -> None:
    """Where the environment names a receiver, telemetry goes there: nothing is started, nothing is switched off."""
    environment = {ENDPOINT: "https://otlp.bank.example"}
    found = observing.decide(environment, wanted=True)
    assert found.ports == ()
    assert found.note == f"telemetry goes to {ENDPOINT}=https://otlp.bank.example; no fig observe is started"
    assert found.variables(environment).whole == {}


def test_nobody_observes() -> None:
    """Unwanted, nothing is started and nothing is said, and whatever would tell is switched off."""
    found = observing.decide({}, wanted=False)
    assert (found.ports, found.note) == ((), None)
    assert found.variables({}).whole == {"OTEL_SDK_DISABLED": "true"}


def test_the_extra_is_missing() -> None:
    """Without the packages of `fig observe` the run goes on, and one line says what to install."""
    code = "import sys; sys.path.insert(0, sys.argv[1])\n"
    code += "from infra.local.estate_run.observing import decide; print(decide({}, wanted=True))"
    done = subprocess.run(
        [sys.executable, "-I", "-S", "-c", code, str(ROOT)], capture_output=True, text=True, timeout=30, check=True
    )
    assert "ports=()" in done.stdout
    assert "fig observe needs the package duckdb: pip install 'strangler-fig[observability]'" in done.stdout


def test_probes_are_nobodys_requests() -> None:
    """A command's own readiness path is left out of its traces; a command without one has nothing to leave out."""
    excluded = observing.of_command("http://127.0.0.1:1/health.txt")["OTEL_PYTHON_EXCLUDED_URLS"]
    assert excluded == r"/health\.txt$"
    assert "OTEL_PYTHON_EXCLUDED_URLS" not in observing.of_command(None) | observing.of_command("http://127.0.0.1:1/")


def test_functions_inherit_where_telemetry_goes(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """OpenTelemetry's variables reach a function, but for its name, and what it sets itself wins; no others do."""
    for name, value in {ENDPOINT: "here", "OTEL_SERVICE_NAME": "up", "OTEL_BSP_X": "1", "SECRET": "s"}.items():
        monkeypatch.setenv(name, value)
    function = FunctionSettings(
        name="books",
        handler="app.handler",
        code=tmp_path,
        memory_mb=128,
        timeout_seconds=3,
        concurrency=1,
        environment={"OTEL_BSP_X": "2"},
        aliases={},
        freeze=False,
    )
    settings = Settings(region="eu-west-1", account="1" * 12, functions={}, credentials=None, retry_delay_seconds=1)
    found = variables(function, "1", settings, "127.0.0.1:1")
    assert (found[ENDPOINT], found["OTEL_BSP_X"]) == ("here", "2")
    assert not {"OTEL_SERVICE_NAME", "SECRET"} & found.keys()

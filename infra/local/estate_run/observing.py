"""Whether `fig observe` belongs to the run, and how every other process hears of it: OpenTelemetry's own variables.

The router reads them where its estate says `telemetry: {otlp: "${OTEL_EXPORTER_OTLP_ENDPOINT:-}"}`, functions and the
example's own processes through whatever SDK they use. A run that is not observed switches those SDKs off.
"""

import importlib.util
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import urlsplit

ENDPOINT = "OTEL_EXPORTER_OTLP_ENDPOINT"
RECEIVER_PORT, PAGES_PORT = "OTLP_PORT", "OBSERVE_PORT"
_APPLICATION = {
    "OTEL_EXPORTER_OTLP_PROTOCOL": "http/protobuf",  # SDKs' defaults differ; a function's JSON is lighter
    "OTEL_BSP_SCHEDULE_DELAY": "1000",  # milliseconds: somebody watches
    "OTEL_BLRP_SCHEDULE_DELAY": "1000",
}
_NEEDED = ("duckdb", "opentelemetry.proto", "orjson", "sqlalchemy", "starlette", "uvicorn")
"""What the extra `observability` brings."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Observing:
    """`ports`: names of the ports that `fig observe` needs, none where there is none; `note`: why there is none."""

    ports: tuple[str, ...] = ()
    note: str | None = None

    def variables(self, environment: Mapping[str, str]) -> "Variables":
        """What the run's processes are told, once the environment has the ports."""
        if not self.ports:
            return Variables(whole={} if environment.get(ENDPOINT) else {"OTEL_SDK_DISABLED": "true"})
        told = {ENDPOINT: f"http://127.0.0.1:{environment[RECEIVER_PORT]}"}
        return Variables(told=told, whole=told)


@dataclass(frozen=True, slots=True, kw_only=True)
class Variables:
    """`told`: what commands in other terminals need, too, to see the same estate; `whole`: for the run's processes."""

    told: Mapping[str, str] = field(default_factory=dict)
    whole: Mapping[str, str] = field(default_factory=dict)


def decide(environment: Mapping[str, str], *, wanted: bool) -> Observing:
    """Whether the run is observed: where it is wanted, possible, and nobody else has been named to send to."""
    if not wanted:
        return Observing()
    if environment.get(ENDPOINT):
        return Observing(note=f"telemetry goes to {ENDPOINT}={environment[ENDPOINT]}; no fig observe is started")
    missing = next((name for name in _NEEDED if not _is_installed(name)), None)
    if missing:
        install = "pip install 'strangler-fig[observability]'"
        return Observing(note=f"not observed: fig observe needs the package {missing}: {install}")
    return Observing(ports=(RECEIVER_PORT, PAGES_PORT))


def of_command(ready_url: str | None) -> dict[str, str]:
    """What one of the example's own processes is told, besides: the probes of its readiness are nobody's requests."""
    path = urlsplit(ready_url or "").path
    probes = {"OTEL_PYTHON_EXCLUDED_URLS": f"{re.escape(path)}$"} if path.strip("/") else {}
    return {**_APPLICATION, **probes}


def unheard(otlp: object, endpoint: str) -> str | None:
    """What to say of an estate whose router tells another receiver, or none; `otlp` is what its file says."""
    if otlp == endpoint:
        return None
    return f'fig observe hears nothing of the router: its estate needs telemetry: {{otlp: "${{{ENDPOINT}:-}}"}}'


def _is_installed(name: str) -> bool:
    try:
        return importlib.util.find_spec(name) is not None
    except ModuleNotFoundError:  # the package above it is not there
        return False

"""OpenTelemetry's environment variables, as its specification and its Python SDK read them.

An empty variable is one that is not set. Source: OpenTelemetry specification 1.5x, "Environment Variable
Specification" and "OpenTelemetry Protocol Exporter"; opentelemetry-exporter-otlp-proto-http 1.45, which takes timeouts
as seconds.
"""

import enum
import os
from typing import NamedTuple
from urllib.parse import unquote, urlsplit

TIMEOUT_SECONDS = 10.0
MAX_QUEUE = 2048
_PROTOBUF = "http/protobuf"


class Signal(enum.Enum):
    """What telemetry consists of, as paths and variables spell it."""

    TRACES = "traces"
    LOGS = "logs"
    METRICS = "metrics"


class Way(enum.Enum):
    """How a signal leaves the process."""

    OTLP = "otlp"
    LINES = "console"
    NONE = "none"


class Target(NamedTuple):
    """Where a signal is posted to, and how. `headers` may hold a token: they are not in the repr."""

    scheme: str
    host: str
    port: int
    path: str
    headers: tuple[tuple[str, str], ...] = ()
    timeout_seconds: float = TIMEOUT_SECONDS
    is_gzip: bool = False
    is_protobuf: bool = False
    ca_file: str = ""
    client_files: tuple[str, str] | None = None
    """The client's certificate and its key, where the collector wants them."""

    def __repr__(self) -> str:
        return f"Target({self.scheme}://{self.host}:{self.port}{self.path})"

    @property
    def place(self) -> tuple[str, str, int]:
        """What signals with the same one share a connection by."""
        return self.scheme, self.host, self.port


def variable(name: str, default: str = "") -> str:
    """The variable's value, or the default where it is empty or not set."""
    return os.environ.get(name, "").strip() or default


def is_disabled() -> bool:
    """Whether nothing is to be told at all."""
    return variable("OTEL_SDK_DISABLED").lower() == "true"


def way(signal: Signal, default: Way) -> Way:
    """What `OTEL_<signal>_EXPORTER` asks for; `default` where it is not set, OTLP where it names several."""
    said = [one.strip().lower() for one in variable(f"OTEL_{signal.name}_EXPORTER").split(",") if one.strip()]
    if not said:
        return default
    if "otlp" in said:
        return Way.OTLP
    return Way.LINES if {"console", "otlp/stdout"}.intersection(said) else Way.NONE


def has_endpoint(signal: Signal = Signal.TRACES) -> bool:
    """Whether somebody said where a signal is to be sent."""
    return bool(_of(signal, "ENDPOINT"))


def target(signal: Signal) -> Target:
    """Where a signal goes; by default to a collector on this host. Raises `ValueError` for what is no address."""
    own = variable(f"OTEL_EXPORTER_OTLP_{signal.name}_ENDPOINT")
    base = variable("OTEL_EXPORTER_OTLP_ENDPOINT", "http://localhost:4318")
    parts = urlsplit(own or base)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        message = f"OTEL_EXPORTER_OTLP_ENDPOINT: {parts.scheme}://{parts.hostname or ''} is no http or https address"
        raise ValueError(message)
    path = (parts.path or "/") if own else f"{parts.path.removesuffix('/')}/v1/{signal.value}"
    certificate, key = _of(signal, "CLIENT_CERTIFICATE"), _of(signal, "CLIENT_KEY")
    return Target(
        scheme=parts.scheme,
        host=parts.hostname,
        port=parts.port or (443 if parts.scheme == "https" else 80),
        path=path + (f"?{parts.query}" if parts.query else ""),
        headers=_headers(_of(signal, "HEADERS")),
        timeout_seconds=_seconds(_of(signal, "TIMEOUT")),
        is_gzip=_of(signal, "COMPRESSION").lower() == "gzip",
        is_protobuf=_of(signal, "PROTOCOL").lower() == _PROTOBUF,
        ca_file=_of(signal, "CERTIFICATE"),
        client_files=(certificate, key or certificate) if certificate else None,
    )


def max_queue() -> int:
    """How many spans, and how many records, wait at most."""
    said = variable("OTEL_BSP_MAX_QUEUE_SIZE")
    return int(said) if said.isascii() and said.isdecimal() and int(said) > 0 else MAX_QUEUE


def pairs(text: str) -> tuple[tuple[str, str], ...]:
    """`a=1,b=2`, values percent-decoded; what is no pair is left out. The form of resources and headers."""
    found = (one.partition("=") for one in text.split(","))
    return tuple((name.strip(), unquote(value.strip())) for name, equals, value in found if equals and name.strip())


def _of(signal: Signal, name: str) -> str:
    return variable(f"OTEL_EXPORTER_OTLP_{signal.name}_{name}") or variable(f"OTEL_EXPORTER_OTLP_{name}")


def _headers(text: str) -> tuple[tuple[str, str], ...]:
    return tuple((name.lower(), value) for name, value in pairs(text) if value.isprintable())


def _seconds(text: str) -> float:
    try:
        return max(float(text), 0.001) if text else TIMEOUT_SECONDS
    except ValueError:
        return TIMEOUT_SECONDS

"""Addresses, and how whoever is there proves who they are."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, order=True)
class Endpoint:
    """A host (DNS name or IP) and a port."""

    host: str
    port: int

    def __str__(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{host}:{self.port}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Tls:
    """How an upstream proves who it is: a CA bundle (None: the system's) and the name its certificate must carry."""

    name: str
    ca_file: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Health:
    """An active health check by GET."""

    path: str
    interval_seconds: float = 5.0
    timeout_seconds: float = 2.0

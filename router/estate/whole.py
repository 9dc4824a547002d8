"""The estate as a whole, and where its telemetry goes."""

from dataclasses import dataclass, field

from .addresses import Endpoint, Tls
from .candidates import Candidate
from .entry import Entry
from .identities import Identity
from .legacy import LegacyService
from .routes import Route


@dataclass(frozen=True, slots=True, kw_only=True)
class Telemetry:
    """Where traces, logs and metrics go by OTLP/HTTP; `sample`: parts per 10,000 of requests that begin a trace."""

    otlp: Endpoint
    tls: Tls | None
    path: str
    sample: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Estate:
    """All that exists, each kind sorted by name; the order of matching is `precedence`'s business."""

    entry: Entry
    legacy: tuple[LegacyService, ...]
    candidates: tuple[Candidate, ...]
    routes: tuple[Route, ...]
    identities: tuple[Identity, ...] = ()
    telemetry: Telemetry | None = None
    _by_name: dict[str, Route] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_by_name", {route.name: route for route in self.routes})

    def route(self, name: str) -> Route | None:
        """The route of that name, or None."""
        return self._by_name.get(name)

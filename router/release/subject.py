"""What the rules judge: a release's shape, the places in its file, and the estate where it is known."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from strangler_fig.diagnostics import Diagnostic, Severity
from strangler_fig.documents import Document

from ..estate import Candidate, Estate, Route
from .shapes import RampShape, ReleaseShape


@dataclass(frozen=True, slots=True, kw_only=True)
class Written:
    """One ramp as it is written: its place, its shape, the routes that it names."""

    path: tuple[str, str]
    shape: RampShape
    routes: tuple[str, ...]

    @property
    def name(self) -> str:
        """The route's or the group's name."""
        return self.path[1]

    @property
    def is_group(self) -> bool:
        """Whether it is a group."""
        return self.path[0] == "groups"

    def place_of(self, number: int) -> tuple[str | int, ...]:
        """Where the route of that number is named."""
        return (*self.path, "routes", number) if self.is_group else self.path


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """A release's shape and its document. `estate` None: the routes are not known; `now` None: nor is the time."""

    shape: ReleaseShape
    document: Document
    estate: Estate | None
    now: datetime | None = None

    def ramps(self) -> Iterator[Written]:
        """Every ramp of the file."""
        for path, shape, routes in self.shape.ramps:
            yield Written(path=path, shape=shape, routes=routes)

    def known(self, ramp: Written) -> Iterator[tuple[int, Route]]:
        """The routes of the ramp that the estate has, with their number in it."""
        for number, name in enumerate(ramp.routes):
            route = self.estate.route(name) if self.estate else None
            if route is not None:
                yield number, route

    def candidate(self, route: Route) -> Candidate | None:
        """The function (or other upstream) of a route."""
        candidates = self.estate.candidates if self.estate else ()
        return next((one for one in candidates if one.name == route.candidate), None)

    def error(self, code: str, message: str, *path: str | int, hint: str | None = None) -> Diagnostic:
        """An error at the key at `path`, or at the value where the last step is a place in a list."""
        return Diagnostic(code=code, message=message, position=self.document.key_at(*path), hint=hint)

    def warning(self, code: str, message: str, *path: str | int, hint: str | None = None) -> Diagnostic:
        """A warning at the key at `path`."""
        place = self.document.key_at(*path)
        return Diagnostic(code=code, message=message, position=place, hint=hint, severity=Severity.WARNING)

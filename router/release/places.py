"""Where in its file a release says what is in the way: the route that it names, a step, a window."""

from dataclasses import dataclass

from strangler_fig.diagnostics import Position
from strangler_fig.documents import Document

from .values import Ramp, Release, Step, StepKind

_KEYS = {
    StepKind.SHADOW: "shadow",
    StepKind.COHORT: "cohort",
    StepKind.LAMBDA: "lambda",
    StepKind.APPROVAL: "pause",
    StepKind.FINISH: "holdback",
}


@dataclass(frozen=True, slots=True)
class ReleasePlaces:
    """The places of a release's parts; all of them None where nothing is known of its file."""

    document: Document | None = None

    def routes(self, release: Release) -> Position | None:
        """Where the routes are named."""
        return self._key("groups" if all(ramp.is_group for ramp in release.ramps) else "routes")

    def route(self, release: Release, name: str) -> Position | None:
        """Where the release names the route."""
        ramp = release.routes[name]
        return self._key(*_path(ramp), "routes", ramp.routes.index(name)) if ramp.is_group else self._key(*_path(ramp))

    def start(self, ramp: Ramp) -> Position | None:
        """Where it says at which weight the ramp begins, else where the ramp is."""
        return self._key_or_above(*_path(ramp), "from")

    def step(self, ramp: Ramp, step: Step) -> Position | None:
        """Where the step says what it does."""
        return self._key(*_path(ramp), "steps", step.number - 1, _KEYS[step.kind])

    def windows(self, ramp: Ramp) -> Position | None:
        """Where it says when the ramp may move."""
        inside = self._data(*_path(ramp), "windows")
        path = (*_path(ramp), "windows") if isinstance(inside, dict) else ("windows",)
        return self._key_or_above(*path, "open")

    def _key(self, *path: str | int) -> Position | None:
        return self.document.key_at(*path) if self.document else None

    def _key_or_above(self, *path: str) -> Position | None:
        """The key's place, or where there is none that of the key above it."""
        above = self._data(*path[:-1])
        return self._key(*path) if isinstance(above, dict) and path[-1] in above else self._key(*path[:-1])

    def _data(self, *path: str) -> object:
        found: object = self.document.data if self.document else None
        for part in path:
            found = found.get(part) if isinstance(found, dict) else None
        return found


def _path(ramp: Ramp) -> tuple[str, str]:
    return ("groups" if ramp.is_group else "routes", ramp.name)

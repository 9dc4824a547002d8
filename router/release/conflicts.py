"""Two releases on one route: each would move it, and neither's gate could tell whose doing it sees."""

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from strangler_fig.diagnostics import Diagnostic

from .load import LoadedRelease
from .places import ReleasePlaces
from .values import Release

TWO_RELEASES = "RS218"


def between_files(releases: Mapping[Path, LoadedRelease]) -> Iterator[Diagnostic]:
    """Routes that two of these files ramp; what is said of a release without a place is said of its file."""
    seen: dict[str, Path] = {}
    for path, loaded in releases.items():
        if loaded.release is None:
            continue
        places = ReleasePlaces(loaded.document)
        for route in sorted(loaded.release.routes):
            if route in seen:
                yield Diagnostic(
                    code=TWO_RELEASES,
                    message=f"route {route} is ramped by {seen[route]} too",
                    position=places.route(loaded.release, route),
                    hint="a route follows one release at a time",
                )
            seen.setdefault(route, path)


def with_running(
    release: Release, places: ReleasePlaces, running: Iterable[tuple[str, Iterable[str]]]
) -> Iterator[Diagnostic]:
    """Routes of the release that another one, which runs, ramps already. `running`: names and routes."""
    for name, routes in running:
        shared = sorted(set(routes) & set(release.routes))
        if not shared:
            continue
        place = places.route(release, shared[0])
        if name != release.name:
            message = f"release {name} runs on {', '.join(shared)}"
            hint = f"wait for it, or fig abort {name}"
        else:
            message = f"release {name} runs already"
            hint = "fig status shows it; a release that is over may be applied again"
        yield Diagnostic(code=TWO_RELEASES, message=message, position=place, hint=hint)

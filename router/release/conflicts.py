"""Two releases on one route: each would move it, and neither's gate could tell whose doing it sees."""

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from strangler_fig.diagnostics import Diagnostic

from .values import Release

TWO_RELEASES = "RS218"


def between_files(releases: Mapping[Path, Release]) -> Iterator[Diagnostic]:
    """Routes that two of these files ramp."""
    seen: dict[str, Path] = {}
    for path, release in releases.items():
        for route in sorted(release.routes):
            if route in seen:
                message = f"{path}: route {route} is ramped by {seen[route]} too"
                yield Diagnostic(code=TWO_RELEASES, message=message, hint="a route follows one release at a time")
            seen.setdefault(route, path)


def with_running(release: Release, running: Iterable[tuple[str, Iterable[str]]]) -> Iterator[Diagnostic]:
    """Routes of the release that another one, which runs, ramps already. `running`: names and routes."""
    for name, routes in running:
        shared = sorted(set(routes) & set(release.routes))
        if shared and name != release.name:
            message = f"release {name} runs on {', '.join(shared)}"
            yield Diagnostic(code=TWO_RELEASES, message=message, hint=f"wait for it, or fig abort {name}")
        elif shared:
            hint = "fig status shows it; a release that is over may be applied again"
            yield Diagnostic(code=TWO_RELEASES, message=f"release {name} runs already", hint=hint)

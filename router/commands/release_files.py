"""Release files as commands read them: with the estate beside them, or without one."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path

import click

from strangler_fig.diagnostics import Diagnostic, Position, Refused, Severity
from strangler_fig.documents import Document

from ..estate import Estate
from ..release.conflicts import between_files
from ..release.load import UNREADABLE, LoadedRelease, is_release, load_release_file
from ..release.values import Release
from ..source.load import load_estate_file
from .environment import estate_environment

NO_ESTATE = "RS219"
_ENTRY = re.compile(r"^entry\s*:", re.MULTILINE)
"""What every estate has, and no release."""


def looks_like_release(file: Path) -> bool:
    """Whether the file is a release; one that cannot be read is not."""
    try:
        return is_release(file.read_text(encoding="utf-8-sig", errors="replace"))
    except OSError:
        return False


def load_releases(files: Sequence[Path], estate_file: Path | None, now: datetime) -> list[LoadedRelease]:
    """Every release with its findings; what is wrong with the estate and between the files stands at the first.

    `now`: windows that are over by then are a warning.
    """
    found: list[Diagnostic] = []
    estate: Estate | None = None
    if estate_file is None:
        message = "without an estate the routes that releases name are not looked up"
        hint = "name it with --estate"
        found.append(Diagnostic(code=NO_ESTATE, message=message, hint=hint, severity=Severity.WARNING))
    else:
        loaded = load_estate_file(estate_file, environment=estate_environment())
        estate = loaded.estate
        found += loaded.diagnostics
    releases = [load_release_file(file, estate=estate, now=now) for file in files]
    found += between_files(dict(zip(files, releases, strict=True)))
    return [replace(releases[0], diagnostics=(*found, *releases[0].diagnostics)), *releases[1:]]


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadRelease:
    """A sound release, its text, what stands where in it, and the estate that it was read with, if any."""

    release: Release
    text: str
    document: Document | None
    estate: Estate | None


def read_release(file: Path, estate_file: Path | None) -> ReadRelease:
    """The release in a file; warnings go to standard error. Raises `Refused` with everything that is wrong."""
    estate: Estate | None = None
    if estate_file is not None:
        loaded_estate = load_estate_file(estate_file, environment=estate_environment())
        estate = loaded_estate.estate_or_refused()
    loaded = load_release_file(file, estate=estate)
    if loaded.release is None and _ENTRY.search(loaded.text) and not is_release(loaded.text):
        found = Diagnostic(
            code=UNREADABLE,
            message="it is an estate, not a release",
            position=Position(str(file), 1, 1),
            hint="name a release file, and this one with --estate",
        )
        raise Refused([found])
    release = loaded.release_or_refused()
    for warning in loaded.diagnostics:
        click.echo(str(warning), err=True)
    return ReadRelease(release=release, text=loaded.text, document=loaded.document, estate=estate)

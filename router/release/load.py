"""The way in: the text of a release file becomes a `Release`, or everything that is wrong with it."""

import json
import re
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from pydantic import ValidationError

from strangler_fig.diagnostics import Diagnostic, Refused, has_errors, in_file_order
from strangler_fig.documents import Document, decoded, read_yaml

from ..estate import Estate
from ..source.findings import shape_finding
from .lower import lower
from .rules import check
from .shapes import ReleaseShape, known_keys
from .subject import Subject
from .values import Release

UNREADABLE = "RS100"
NO_VARIABLES = "write the value out: a release runs as it was reviewed, whoever plans it wherever ($$ is a dollar sign)"
_MOST_BYTES = 4 * 2**20
_RELEASE = re.compile(r"^(?:release|[\"']release[\"'])\s*:", re.MULTILINE)


@dataclass(frozen=True, slots=True, kw_only=True)
class LoadedRelease:
    """What a text holds: the release, None exactly when a diagnostic is an error, every finding, and the text.

    `document` knows where what stands; None where there is no release.
    """

    release: Release | None
    diagnostics: tuple[Diagnostic, ...]
    text: str = ""
    document: Document | None = None

    @property
    def content(self) -> Release | None:
        """The release, by the name that it has in common with what other files hold."""
        return self.release

    def release_or_refused(self) -> Release:
        """The release. Raises `Refused` with all findings when there is none."""
        if self.release is None:
            raise Refused(self.diagnostics)
        return self.release


def is_release(text: str) -> bool:
    """Whether a text is a release file, not an estate file."""
    if text.lstrip().startswith("{"):
        try:
            return "release" in json.loads(text)
        except ValueError:
            return '"release"' in text
    return _RELEASE.search(text) is not None


def load_release_file(path: Path, *, estate: Estate | None, now: datetime | None = None) -> LoadedRelease:
    """The release in a file; a file that cannot be read is a finding too. `now`: as in `load_release`."""
    try:
        with path.open("rb") as file:
            data = file.read(_MOST_BYTES + 1)
        if len(data) > _MOST_BYTES:
            return _unreadable(path, f"it is larger than {_MOST_BYTES // 2**20} MiB")
    except OSError as error:
        return _unreadable(path, error.strerror or str(error))
    text = decoded(data, str(path))
    if isinstance(text, Diagnostic):
        return LoadedRelease(release=None, diagnostics=(text,))
    return load_release(text, file=str(path), estate=estate, now=now)


def load_release(
    text: str, *, file: str, estate: Estate | None, is_stored: bool = False, now: datetime | None = None
) -> LoadedRelease:
    """The release that `text` describes, with every finding in file order.

    Without an estate nothing is said about the routes that it names. `is_stored`: it was started before, perhaps when
    a variable with a default was still taken for that. `now`: windows that are over by then are a warning.
    """
    document, faults = read_yaml(text, file=file, no_variables="" if is_stored else NO_VARIABLES)
    if document is None:
        return LoadedRelease(release=None, diagnostics=in_file_order(faults), text=text)
    try:
        shape = ReleaseShape.model_validate(document.data)
    except ValidationError as error:
        known, reported = known_keys(), {one.position for one in faults}
        found = [shape_finding(one, document, known) for one in error.errors(include_url=False)]
        found = [one for one in found if one.position not in reported]
        return LoadedRelease(release=None, diagnostics=in_file_order([*faults, *found]), text=text)
    subject = Subject(shape=shape, document=document, estate=estate, now=now)
    found = [*faults, *check(subject)]
    release = None if has_errors(found) else lower(shape)
    return LoadedRelease(release=release, diagnostics=in_file_order(found), text=text, document=document)


def _unreadable(path: Path, reason: str) -> LoadedRelease:
    finding = Diagnostic(code=UNREADABLE, message=f"{path} cannot be read: {reason}")
    return LoadedRelease(release=None, diagnostics=(finding,))

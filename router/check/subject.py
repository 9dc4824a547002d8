"""What the rules judge: the estate, and the places in the file that they point at."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Self

from strangler_fig.diagnostics import Diagnostic, Position, Severity
from strangler_fig.documents import Document

from ..estate import Candidate, Estate, Identity, LegacyService


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """An estate and its document.

    The names are those that the file defines: an item whose shape was wrong is not in the estate, but its name is
    known, so that one fault is not reported as many.
    """

    estate: Estate
    document: Document
    legacy_names: frozenset[str]
    candidate_names: frozenset[str]
    identity_names: frozenset[str]
    legacy: Mapping[str, LegacyService]
    candidates: Mapping[str, Candidate]
    identities: Mapping[str, Identity]

    @classmethod
    def of(cls, estate: Estate, document: Document) -> Self:
        """The subject of an estate that was read from the document."""
        return cls(
            estate=estate,
            document=document,
            legacy_names=_names(document, "legacy"),
            candidate_names=_names(document, "lambda"),
            identity_names=_names(document, "identities"),
            legacy={one.name: one for one in estate.legacy},
            candidates={one.name: one for one in estate.candidates},
            identities={one.name: one for one in estate.identities},
        )

    def error(self, code: str, message: str, *path: str | int, hint: str | None = None) -> Diagnostic:
        """An error at the value at `path`."""
        return Diagnostic(code=code, message=message, position=self.document.at(*path), hint=hint)

    def warning(self, code: str, message: str, *path: str | int, hint: str | None = None) -> Diagnostic:
        """A warning at the value at `path`."""
        place = self.document.at(*path)
        return Diagnostic(code=code, message=message, position=place, hint=hint, severity=Severity.WARNING)

    def place(self, *path: str | int) -> Position:
        """Where the key at `path` stands."""
        return self.document.key_at(*path)


def _names(document: Document, section: str) -> frozenset[str]:
    items = document.data.get(section)
    return frozenset(items) if isinstance(items, dict) else frozenset()

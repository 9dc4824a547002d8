"""Where what speaks against a plan stands: in the release file, the estate file or the capacity file."""

from dataclasses import dataclass, field

from strangler_fig.diagnostics import Position
from strangler_fig.documents import Document

from ..release.places import ReleasePlaces


@dataclass(frozen=True, slots=True, kw_only=True)
class Places:
    """The places that are known; None where a file was not given."""

    release: ReleasePlaces = field(default_factory=ReleasePlaces)
    estate: str | None = None
    capacity: Document | None = None

    def whole_estate(self) -> Position | None:
        """The estate file's beginning: it is another one as a whole."""
        return Position(self.estate, 1, 1) if self.estate is not None else None

    def function(self, name: str) -> Position | None:
        """Where the verdict says what the function may be given, else where all functions stand."""
        return self._capacity("functions", name)

    def application(self, name: str) -> Position | None:
        """Where the verdict says what the application can take back."""
        return self._capacity("legacy", "applications", name)

    def _capacity(self, *path: str) -> Position | None:
        return self.capacity.key_at(*path) if self.capacity else None


NOWHERE = Places()

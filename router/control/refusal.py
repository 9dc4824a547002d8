"""What control answers when it will not do something: a status, a code, and words for the person who asked."""

from collections.abc import Iterable
from typing import Any

from strangler_fig.diagnostics import Diagnostic


class NotDone(Exception):  # noqa: N818 - an answer, not a fault of ours
    """The request is refused with this HTTP status; nothing was changed."""

    def __init__(
        self, status: int, code: str, message: str, *, hint: str | None = None, diagnostics: Iterable[Diagnostic] = ()
    ) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.message = message
        self.hint = hint
        self.diagnostics = tuple(diagnostics)

    def to_json(self) -> dict[str, Any]:
        """The body of the answer."""
        error: dict[str, Any] = {"code": self.code, "message": self.message, "hint": self.hint}
        if self.diagnostics:
            error["diagnostics"] = [found.to_json() for found in self.diagnostics]
        return {"error": error}

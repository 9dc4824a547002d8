"""What is wrong with a user's text, as values that are collected and printed together.

A fault in a file is never an exception: it is a `Diagnostic`, and all of a file's faults are reported at once.
"""

import enum
from collections.abc import Iterable
from dataclasses import dataclass


class Severity(enum.Enum):
    """How bad a finding is: an error stops the command, a warning does not."""

    ERROR = "error"
    WARNING = "warning"


@dataclass(frozen=True, slots=True, order=True)
class Position:
    """A place in a file; line and column count from 1."""

    file: str
    line: int
    column: int

    def __str__(self) -> str:
        return f"{self.file}:{self.line}:{self.column}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Diagnostic:
    """One finding: where, what was found, and what to do about it."""

    code: str
    message: str
    position: Position | None = None
    hint: str | None = None
    severity: Severity = Severity.ERROR

    def __str__(self) -> str:
        place = f"{self.position}: " if self.position else ""
        hint = f"\n  hint: {self.hint}" if self.hint else ""
        return f"{place}{self.code} {self.severity.value}: {self.message}{hint}"

    def to_json(self) -> dict[str, object]:
        """The finding as JSON values, for `--json`."""
        place = self.position
        return {
            "code": self.code,
            "severity": self.severity.value,
            "message": self.message,
            "hint": self.hint,
            "file": place.file if place else None,
            "line": place.line if place else None,
            "column": place.column if place else None,
        }


class Refused(Exception):  # noqa: N818 - it is the answer to a user's text, named as the user meets it
    """The user's text or request is wrong; carries every diagnostic. A command turns it into exit code 2."""

    def __init__(self, diagnostics: Iterable[Diagnostic]) -> None:
        self.diagnostics = tuple(diagnostics)
        super().__init__("\n".join(str(found) for found in self.diagnostics))


def in_file_order(found: Iterable[Diagnostic]) -> tuple[Diagnostic, ...]:
    """The findings by file, line and column; those without a place come first."""
    nowhere = Position("", 0, 0)
    return tuple(sorted(found, key=lambda one: (one.position or nowhere, one.code, one.message)))


def has_errors(found: Iterable[Diagnostic]) -> bool:
    """Whether any finding is an error."""
    return any(one.severity is Severity.ERROR for one in found)


class Failed(Exception):  # noqa: N818 - the root of every package's tree of failures of the world
    """The world failed (a process, a file, a peer); the message names the thing and the next step. Exit code 1.

    Each package draws its own tree below this class, so that the command line needs to know one name only.
    """

"""What `capacity.json` says of functions and of legacy: how much each may be given, and what binds it.

The document is the planner's (`fig cidr verdict`); it is read here by its contract alone.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from strangler_fig.diagnostics import Diagnostic, Position, Refused

from ..ledger.chain import text_digest

UNREADABLE = "PL101"
_VERSION = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Binding:
    """The limit that binds: its code, where on the way it stands, how much it is, as of when, and who says so."""

    code: str
    hop: str
    value: float
    as_of: str
    source: str

    def __str__(self) -> str:
        return f"{self.code} ({self.hop}: {self.value:g}, as of {self.as_of}, {self.source})"


@dataclass(frozen=True, slots=True, kw_only=True)
class Allotment:
    """What one function may be given while every other uses all that it may."""

    max_rps: float
    max_concurrency: int
    binding: Binding


@dataclass(frozen=True, slots=True, kw_only=True)
class LegacyVerdict:
    """Whether one application takes back all that its functions serve, and what binds it."""

    takes_all: bool
    functions: tuple[str, ...]
    binding: Binding


@dataclass(frozen=True, slots=True, kw_only=True)
class Capacity:
    """The verdict as a whole. `digest` is that of the file; `takes_everything_back` None: some of it is not known."""

    digest: str
    as_of: str
    functions: Mapping[str, Allotment]
    takes_everything_back: bool | None = None
    legacy: Mapping[str, LegacyVerdict] = field(default_factory=dict)


def read_capacity(text: str, file: str) -> Capacity:
    """The verdict that the text holds. Raises `Refused` when it is none."""
    try:
        plain = json.loads(text)
        if plain["version"] != _VERSION:
            raise _refused(file, f"it has version {plain['version']}, {_VERSION} is read here")
        return _capacity(plain, text_digest(text))
    except json.JSONDecodeError as error:
        place = Position(file, error.lineno, error.colno)
        raise _refused(file, f"it is not JSON: {error.msg}", place) from error
    except KeyError as error:
        raise _refused(file, f"{error} is not there") from error
    except (ValueError, TypeError, AttributeError, RecursionError) as error:
        raise _refused(file, "it is not what fig cidr verdict writes") from error


def _capacity(plain: Mapping[str, Any], digest: str) -> Capacity:
    legacy = plain.get("legacy", {})
    return Capacity(
        digest=digest,
        as_of=plain["as_of"],
        functions={
            name: Allotment(
                max_rps=float(one["max_rps"]),
                max_concurrency=int(one["max_concurrency"]),
                binding=_binding(one["binding_limit"]),
            )
            for name, one in plain["functions"].items()
        },
        takes_everything_back=legacy.get("takes_everything_back"),
        legacy={
            name: LegacyVerdict(
                takes_all=one["takes_all"], functions=tuple(one["functions"]), binding=_binding(one["binding_limit"])
            )
            for name, one in legacy.get("applications", {}).items()
        },
    )


def _binding(plain: Mapping[str, Any]) -> Binding:
    return Binding(
        code=plain["code"],
        hop=plain["hop"],
        value=float(plain["value"]),
        as_of=plain["as_of"],
        source=plain["source"],
    )


def _refused(file: str, reason: str, place: Position | None = None) -> Refused:
    found = Diagnostic(
        code=UNREADABLE,
        message=f"not a capacity verdict: {reason}",
        position=place or Position(file, 1, 1),
        hint="write it by fig cidr verdict DEMAND -o FILE",
    )
    return Refused([found])

"""What a new estate changes: the difference of two normalised estates, thing by thing, for a person to judge.

`+` adds, `~` changes, `-` removes. Weights are not in an estate, but a change that takes one away says so.
"""

import json
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from typing import Any

from ..weight import LEGACY_ONLY, Weight

_SECTIONS = (("legacy", "legacy"), ("lambda", "lambda"), ("identities", "identity"), ("routes", "route"))
_SHOWN = 60
"""Characters of a value that a detail shows."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """One thing that differs; `detail` says which fields, from what to what.

    `kind`: entry, telemetry, legacy, lambda, identity or route.
    """

    sign: str
    kind: str
    name: str
    detail: str

    def to_json(self) -> dict[str, str]:
        """The change as JSON values."""
        return asdict(self)


def changes(old: Mapping[str, Any] | None, new: Mapping[str, Any], weights: Mapping[str, Weight]) -> tuple[Change, ...]:
    """What differs from `old` (None: nothing was published) to `new`; `weights` are those of the present routes."""
    found = [*_entry((old or {}).get("entry"), new["entry"])]
    told = (old or {}).get("telemetry"), new.get("telemetry")
    found.extend(_thing("telemetry", "telemetry", told, LEGACY_ONLY))
    for section, kind in _SECTIONS:
        before: Mapping[str, Any] = (old or {}).get(section, {})
        after: Mapping[str, Any] = new.get(section, {})
        for name in sorted(before.keys() | after.keys()):
            held = weights.get(name, LEGACY_ONLY) if kind == "route" else LEGACY_ONLY
            found.extend(_thing(kind, name, (before.get(name), after.get(name)), held))
    return tuple(found)


def _entry(before: Mapping[str, Any] | None, after: Mapping[str, Any]) -> Iterator[Change]:
    if before is None:
        yield Change(sign="+", kind="entry", name="entry", detail=str(after.get("address", "")))
    elif before != after:
        yield Change(sign="~", kind="entry", name="entry", detail=", ".join(_fields(before, after)))


def _thing(kind: str, name: str, pair: tuple[Any, Any], held: Weight) -> Iterator[Change]:
    before, after = pair
    if before == after:
        return
    if before is None:
        yield Change(sign="+", kind=kind, name=name, detail=_sides(after) if kind == "route" else "")
    elif after is None:
        gone = f"it sends {held} to lambda" if held != LEGACY_ONLY else ""
        yield Change(sign="-", kind=kind, name=name, detail=gone)
    else:
        detail = ", ".join(_fields(before, after))
        if held != LEGACY_ONLY and not {"legacy", "lambda"} <= after.keys():
            detail += f"; it loses its weight {held}"
        yield Change(sign="~", kind=kind, name=name, detail=detail)


def _sides(route: Mapping[str, Any]) -> str:
    names = [f"{side} {route[side]}" for side in ("legacy", "lambda") if route.get(side)]
    starts = ", starts at 0%" if len(names) == 2 else ""  # noqa: PLR2004 - both sides
    return ", ".join(names) + starts


def _fields(before: Any, after: Any, path: str = "") -> Iterator[str]:
    if isinstance(before, dict) and isinstance(after, dict):
        for key in sorted(before.keys() | after.keys()):
            if before.get(key) != after.get(key):
                yield from _fields(before.get(key), after.get(key), f"{path}.{key}" if path else key)
    else:
        yield f"{path}: {_value(before)} -> {_value(after)}"


def _value(value: Any) -> str:
    if value is None:
        return "(unset)"
    text = value if isinstance(value, str) else json.dumps(value)
    return text if len(text) <= _SHOWN else text[: _SHOWN - 3] + "..."

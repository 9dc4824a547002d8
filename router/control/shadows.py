"""Shadows and cohorts of running releases, told to nodes beside their shares: runtime keys too, and no weights either.

The version by which a node knows what it was told again has two parts: that of its shares, and a digest of these. A
node that control does not hear of drops them at its next start: no user sees a shadow, and named users are on legacy.
"""

from collections.abc import Mapping
from typing import Any

from ..ledger.chain import text_digest
from ..ledger.records import Desired
from ..snapshot.names import cohort_key, shadow_key
from .running import Running
from .sharing import Told

_APART = "|"
_DIGITS = 12


def shadows(running: Running, desired: Desired) -> dict[str, int]:
    """What is told of running ramps, by runtime key: shadows (parts per 10,000) and cohorts (percent)."""
    lives = [live for live in running.live(desired) if not live.state.is_over]
    shown = {shadow_key(route): live.state.shadow for live in lives if live.state.shadow for route in live.ramp.routes}
    return shown | {cohort_key(route): 100 for live in lives if live.state.cohort for route in live.ramp.routes}


def told_version(told: Told, shown: Mapping[str, int]) -> str:
    """The version of what a node is told; without shadows that of its shares."""
    if not shown:
        return told.version
    return f"{told.version}{_APART}{text_digest(repr(sorted(shown.items())))[:_DIGITS]}"


def told_json(told: Told, shown: Mapping[str, int]) -> dict[str, Any]:
    """What a node is told, as the API has it."""
    content = told.to_json()
    return content | {"version": told_version(told, shown), "of": {**content["of"], **shown}}


def shares_version(version: str | None) -> str | None:
    """The version of the shares in what a node says that it was told."""
    return version.partition(_APART)[0] if version is not None else None

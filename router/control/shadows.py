"""Shadows of running releases, which nodes are told beside their shares: runtime keys too, and no weights either.

The version by which a node knows what it was told again has two parts: that of its shares, and a digest of the shadows.
A node that control does not hear of drops shadows at its next start, which no user sees.
"""

from collections.abc import Mapping
from typing import Any

from ..ledger.chain import text_digest
from ..ledger.records import Desired
from ..snapshot.names import shadow_key
from .running import Running
from .sharing import Told

_APART = "|"
_DIGITS = 12


def shadows(running: Running, desired: Desired) -> dict[str, int]:
    """The share of requests that each route's other side sees, by runtime key, parts per 10,000; none without one."""
    lives = (live for live in running.live(desired) if live.state.shadow and not live.state.is_over)
    return {shadow_key(route): live.state.shadow for live in lives for route in live.ramp.routes}


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

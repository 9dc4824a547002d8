"""How much of its shares this node uses, as Envoy counts it, and how often limits refused a request."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote

from ..snapshot.figures import Figure, Shares, untold_share
from ..snapshot.manifest import Manifest
from .admin import Admin

_REFUSED = f"/stats?format=prometheus&filter={quote('^fig[.]limits[.]refused')}"
_SAMPLE = re.compile(r'^envoy_fig_limits_refused\{.*?route="([^"]*)".*\} (\d+)$')


@dataclass(frozen=True, slots=True, kw_only=True)
class Counts:
    """What is in use now and how often there was too little, by a figure's runtime key; `refused` by route."""

    in_use: Mapping[str, int] = field(default_factory=dict)
    overflows: Mapping[str, int] = field(default_factory=dict)
    refused: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """The shares that control told this node, and the version by which it knows them again."""

    version: str
    shares: Shares


@dataclass(frozen=True, slots=True, kw_only=True)
class SharesInForce:
    """The shares that Envoy has, or starts with; `version` of those that control told, None when they are older."""

    version: str | None
    shares: Shares


@dataclass(frozen=True, slots=True, kw_only=True)
class Use:
    """The shares in force, the figures of the snapshot that is served with them, and what Envoy counted after that."""

    shares: SharesInForce
    figures: tuple[Figure, ...]
    counts: Counts

    def report(self) -> dict[str, Any]:
        """What control is told: with those shares of the served snapshot that hold because nothing was told."""
        built_in = {one.key: untold_share(one.most) for one in self.figures}
        told = self.shares.shares
        return {
            "version": self.shares.version,
            "nodes": told.nodes,
            "of": {**built_in, **told.of},
            "in_use": dict(self.counts.in_use),
            "overflows": dict(self.counts.overflows),
            "refused": dict(self.counts.refused),
        }


async def read_counts(admin: Admin, manifest: Manifest) -> Counts:
    """What Envoy counts of the figures and limits of the snapshot. Raises `Unreachable`."""
    figures = manifest.figures
    found = await admin.stats(_pattern(figures)) if figures else {}
    refused = _refused(await admin.text(_REFUSED)) if manifest.limited else {}

    def counted(figure: Figure, ending: str) -> int:
        return int(found.get(f"cluster.{figure.cluster}.{ending}", 0))

    return Counts(
        in_use={one.key: counted(one, one.resource.in_use) for one in figures},
        overflows={one.key: counted(one, one.resource.overflows) for one in figures},
        refused=refused,
    )


def _pattern(figures: Iterable[Figure]) -> str:
    clusters = "|".join(sorted({re.escape(one.cluster) for one in figures}))
    endings = "|".join(sorted({ending for one in figures for ending in (one.resource.in_use, one.resource.overflows)}))
    return rf"^cluster\.({clusters})\.({endings})$"


def _refused(text: bytes) -> dict[str, int]:
    samples = (_SAMPLE.match(line) for line in text.decode(errors="replace").splitlines())
    return {found[1]: int(found[2]) for found in samples if found}

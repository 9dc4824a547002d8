"""The manifest of a snapshot: what each file's digest is, and which runtime keys move which route.

A snapshot's name is the SHA-256 of its manifest, and the manifest holds the SHA-256 of every other file.
"""

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Self

import orjson

from ..errors import SnapshotDamaged
from ..estate import Endpoint
from .figures import Figure

FORMAT = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class RouteKeys:
    """How to move one two-sided route: its runtime keys, and the weight (parts per 10,000) built into it.

    `assign_key` turns on the drawing of sides for requests without a key; None where the route never does that.
    """

    weight: int
    lambda_key: str
    legacy_key: str
    assign_key: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Manifest:
    """The contents of `manifest.json` and, in `digest`, the snapshot's name.

    `files` maps a file's name to its SHA-256. `figures` are what the fleet shares, `limited` the routes with a limit.
    """

    digest: str
    entry: Endpoint
    routes: Mapping[str, RouteKeys]
    files: Mapping[str, str]
    figures: tuple[Figure, ...] = ()
    limited: tuple[str, ...] = ()

    @classmethod
    def parse(cls, data: bytes) -> Self:
        """The manifest that `data` holds. Raises `SnapshotDamaged` when it is not one."""
        try:
            content: Any = orjson.loads(data)
            if content["format"] != FORMAT:
                message = f"the snapshot has format {content['format']}; this version reads format {FORMAT}"
                raise SnapshotDamaged(message)
            return cls(
                digest=hashlib.sha256(data).hexdigest(),
                entry=Endpoint(**content["entry"]),
                routes={name: RouteKeys(**keys) for name, keys in content["routes"].items()},
                files=content["files"],
                figures=tuple(Figure.from_json(one) for one in content.get("figures", ())),
                limited=tuple(content.get("limited", ())),
            )
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            message = f"the manifest does not read as one: {error!r}"
            raise SnapshotDamaged(message) from error


@dataclass(frozen=True, slots=True, kw_only=True)
class Snapshot:
    """A compiled estate: the bytes of each file by its name (the manifest among them)."""

    manifest: Manifest
    files: Mapping[str, bytes]

    @property
    def digest(self) -> str:
        """The snapshot's name: the SHA-256 of its manifest."""
        return self.manifest.digest


def render(
    *,
    entry: Endpoint,
    routes: Mapping[str, RouteKeys],
    files: Mapping[str, bytes],
    figures: Iterable[Figure] = (),
    limited: Iterable[str] = (),
) -> bytes:
    """The bytes of `manifest.json` for these files; their SHA-256 is the snapshot's digest."""
    content = {
        "format": FORMAT,
        "entry": {"host": entry.host, "port": entry.port},
        "files": {name: hashlib.sha256(data).hexdigest() for name, data in sorted(files.items())},
        "routes": {
            name: {
                "weight": keys.weight,
                "lambda_key": keys.lambda_key,
                "legacy_key": keys.legacy_key,
                "assign_key": keys.assign_key,
            }
            for name, keys in sorted(routes.items())
        },
        "figures": [one.to_json() for one in figures],
        "limited": sorted(limited),
    }
    return orjson.dumps(content)

"""Small estates, compiled, and snapshots with planted faults."""

import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from router.estate import (
    Endpoint,
    Entry,
    Estate,
    HttpUpstream,
    LegacyService,
    Match,
    PathKind,
    PathMatch,
    Route,
    Sticky,
    StickyKind,
    Telemetry,
    WithoutKey,
)
from router.snapshot.compiler import compile_estate
from router.snapshot.directory import MANIFEST
from router.snapshot.manifest import Manifest, Snapshot, render
from router.weight import Weight


def snapshot(
    ports: tuple[int, int, int],
    *,
    routes: tuple[str, ...] = ("books",),
    service: str = "shop",
    telemetry: Telemetry | None = None,
    **weights: int,
) -> Snapshot:
    """A snapshot whose routes `/<name>` go to the legacy service and to the candidate `new`.

    `ports` are those of the entry, of legacy and of the candidate; `weights` are built into the routes.
    """
    built = replace(estate(ports, routes=routes, service=service), telemetry=telemetry)
    return compile_estate(built, {name: Weight(parts) for name, parts in weights.items()})


def estate(ports: tuple[int, int, int], *, routes: tuple[str, ...] = ("books",), service: str = "shop") -> Estate:
    """The estate of such a snapshot."""
    entry, legacy, candidate = ports
    return Estate(
        entry=Entry(address=Endpoint("127.0.0.1", entry), default=service),
        legacy=(LegacyService(name=service, endpoints=(Endpoint("127.0.0.1", legacy),)),),
        candidates=(HttpUpstream(name="new", endpoints=(Endpoint("127.0.0.1", candidate),), timeout_seconds=2.0),),
        routes=tuple(_two_sided(name, service) for name in routes),
    )


def changed(good: Snapshot, file: str, change: Callable[[Any], Any]) -> Snapshot:
    """The snapshot with one file changed, under a manifest that vouches for it."""
    return replaced(good, file, json.dumps(change(json.loads(good.files[file]))).encode())


def replaced(good: Snapshot, file: str, data: bytes) -> Snapshot:
    """The snapshot with other bytes in one file, under a manifest that vouches for them."""
    files = {name: held for name, held in good.files.items() if name != MANIFEST} | {file: data}
    manifest = render(entry=good.manifest.entry, routes=good.manifest.routes, files=files)
    return Snapshot(manifest=Manifest.parse(manifest), files={**files, MANIFEST: manifest})


def _two_sided(name: str, service: str) -> Route:
    return Route(
        name=name,
        match=Match(path=PathMatch(PathKind.PREFIX, f"/{name}")),
        legacy=service,
        candidate="new",
        sticky=Sticky(kind=StickyKind.HEADER, name="x-user", without_key=WithoutKey.LEGACY),
        salt=name,
        timeout_seconds=10.0,
    )

"""The compiler: an estate and its settled weights become the files of one snapshot.

Pure: the same estate and weights give the same bytes, so a snapshot is named by its content.
"""

import gc
from collections.abc import Mapping

import orjson

from ..estate import Estate
from ..source.normal import estate_json
from ..weight import LEGACY_ONLY, Weight
from . import identities, identity_files, names, tls_files
from .bootstrap import bootstrap
from .clusters import clusters
from .directory import MANIFEST
from .entry_listener import entry_listener
from .figures import figures
from .inner_listeners import inner_listeners
from .manifest import Manifest, RouteKeys, Snapshot, render
from .proto import Json, resources
from .routes import route_configuration

_CLUSTER = "envoy.config.cluster.v3.Cluster"
_LISTENER = "envoy.config.listener.v3.Listener"
_ROUTES = "envoy.config.route.v3.RouteConfiguration"


def compile_estate(estate: Estate, weights: Mapping[str, Weight]) -> Snapshot:
    """The snapshot of `estate` with `weights` built into its two-sided routes (0 where none is given)."""
    collecting = gc.isenabled()
    gc.disable()  # half a million live objects at 10,000 routes make every collection dear
    try:
        files = {
            "bootstrap.json": orjson.dumps(bootstrap(estate)),
            "clusters.json": orjson.dumps(resources(_CLUSTER, clusters(estate))),
            "listeners.json": orjson.dumps(resources(_LISTENER, listeners(estate))),
            "routes.json": orjson.dumps(resources(_ROUTES, [route_configuration(estate, weights)])),
            "estate.json": orjson.dumps(estate_json(estate), option=orjson.OPT_SORT_KEYS),
            **({identity_files.LIST: orjson.dumps(identity_files.needs(estate))} if estate.identities else {}),
            tls_files.LIST: orjson.dumps(tls_files.needs(estate)),
        }
    finally:
        if collecting:
            gc.enable()
    manifest = render(
        entry=estate.entry.address,
        routes=_keys(estate, weights),
        files=files,
        figures=figures(estate),
        limited=(route.name for route in estate.routes if route.limit),
    )
    return Snapshot(manifest=Manifest.parse(manifest), files={**files, MANIFEST: manifest})


def listeners(estate: Estate) -> list[Json]:
    """The entry and the inner listeners; before it those that its filters ask as soon as they are there."""
    return [*identities.listeners(estate), entry_listener(estate), *inner_listeners(estate)]


def _keys(estate: Estate, weights: Mapping[str, Weight]) -> dict[str, RouteKeys]:
    keys: dict[str, RouteKeys] = {}
    for route in estate.routes:
        if not route.has_two_sides:
            continue
        prefix = names.weight_prefix(route.name)
        keys[route.name] = RouteKeys(
            weight=weights.get(route.name, LEGACY_ONLY).parts,
            lambda_key=f"{prefix}.{names.lambda_side_cluster(route)}",
            legacy_key=f"{prefix}.{names.legacy_cluster(route.legacy or '')}",
            assign_key=names.assign_key(route.name) if route.sticky.issues_cookie else None,
        )
    return keys

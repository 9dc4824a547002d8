"""The weights file: the runtime keys of the routes that move, as the resource that Envoy's RTDS reads.

Only moving routes are in it: with every key of 10,000 routes a flip takes 46 ms, with 200 keys 1 to 3 ms. Two keys a route,
whose sum is always 10,000, so that a user only ever moves forward while the weight rises.
"""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from strangler_fig.units import FULL_SHARE

from ..errors import WeightsDamaged
from ..weight import Weight
from .manifest import Manifest

LAYER = "shift"
_TYPE = "type.googleapis.com/envoy.service.runtime.v3.Runtime"


@dataclass(frozen=True, slots=True, kw_only=True)
class WeightsFile:
    """A weights file's contents: its number and the moving weights by route."""

    version: int
    weights: Mapping[str, Weight]


def runtime_values(manifest: Manifest, weights: Mapping[str, Weight]) -> dict[str, int]:
    """The runtime keys and values that put `weights` in force; routes that the snapshot cannot shift are left out."""
    values: dict[str, int] = {}
    for name, weight in sorted(weights.items()):
        keys = manifest.routes.get(name)
        if keys is None:
            continue
        values[keys.lambda_key] = weight.parts
        values[keys.legacy_key] = FULL_SHARE - weight.parts
        if keys.assign_key is not None:
            values[keys.assign_key] = 100 if weight.parts else 0
    return values


def weights_file(version: int, manifest: Manifest, weights: Mapping[str, Weight]) -> bytes:
    """The bytes of the weights file number `version`: a discovery response that also holds its own digest."""
    values = runtime_values(manifest, weights)
    parts = {name: weight.parts for name, weight in sorted(weights.items()) if name in manifest.routes}
    ours = {"weights": parts, "seal": _seal(version, parts, values)}
    content = {
        "version_info": str(version),
        "control_plane": {"identifier": json.dumps(ours)},  # Envoy ignores it; inside the layer each would be a key
        "resources": [{"@type": _TYPE, "name": LAYER, "layer": values}],
    }
    return json.dumps(content, separators=(",", ":")).encode()


def read_weights_file(data: bytes) -> WeightsFile:
    """The contents of a weights file. Raises `WeightsDamaged` when it is not whole."""
    try:
        content: Any = json.loads(data)
        layer = content["resources"][0]["layer"]
        ours = json.loads(content["control_plane"]["identifier"])
        version = int(content["version_info"])
        if _seal(version, ours["weights"], layer) != ours["seal"]:
            message = "the weights file is not what was written"
            raise WeightsDamaged(message)
        return WeightsFile(version=version, weights={name: Weight(parts) for name, parts in ours["weights"].items()})
    except (ValueError, KeyError, TypeError, IndexError, AttributeError) as error:
        message = f"the weights file does not read as one: {error!r}"
        raise WeightsDamaged(message) from error


def _seal(version: int, parts: Mapping[str, int], values: Mapping[str, int]) -> str:
    return hashlib.sha256(json.dumps([version, parts, values], sort_keys=True).encode()).hexdigest()

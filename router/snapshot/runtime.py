"""The weights file: runtime keys of moving routes and of this node's shares, as the resource that Envoy's RTDS reads.

Only moving routes are in it: with every key of 10,000 routes a flip takes 46 ms, with 200 keys 1 to 3 ms. Two keys a
route, whose sum is always 10,000, so that a user only ever moves forward while the weight rises.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import orjson

from strangler_fig.units import FULL_SHARE

from ..errors import WeightsDamaged
from ..weight import Weight
from .figures import Shares
from .manifest import Manifest
from .names import LAMBDA_PREFIX, WEIGHT_PREFIX

LAYER = "shift"
NOT_TOLD = Shares()
_TYPE = "type.googleapis.com/envoy.service.runtime.v3.Runtime"


@dataclass(frozen=True, slots=True, kw_only=True)
class WeightsFile:
    """A weights file's contents: its number, the moving weights by route, and the node's shares."""

    version: int
    weights: Mapping[str, Weight]
    shares: Shares


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


def weights_file(version: int, manifest: Manifest, weights: Mapping[str, Weight], shares: Shares = NOT_TOLD) -> bytes:
    """The bytes of the weights file number `version`: a discovery response that holds its own digest."""
    values = runtime_values(manifest, weights) | shares.values()
    layer = orjson.dumps({"@type": _TYPE, "name": LAYER, "layer": values})
    # Put together by hand: a flip waits for this, and the layer would be written twice. Envoy does not read the seal.
    head = f'{{"version_info":"{version}","control_plane":{{"identifier":"{_seal(version, layer)}"}},"resources":['
    return head.encode() + layer + b"]}"


def read_weights_file(data: bytes) -> WeightsFile:
    """The contents of a weights file. Raises `WeightsDamaged` when it is not whole."""
    try:
        content: Any = orjson.loads(data)
        (layer,) = content["resources"]
        version = int(content["version_info"])
        if _seal(version, orjson.dumps(layer)) != content["control_plane"]["identifier"]:
            message = "the weights file is not what was written"
            raise WeightsDamaged(message)
        values = layer["layer"]
        return WeightsFile(version=version, weights=_weights(values), shares=Shares.among(values))
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        message = f"the weights file does not read as one: {error!r}"
        raise WeightsDamaged(message) from error


def _weights(values: Mapping[str, int]) -> dict[str, Weight]:
    found = {}
    for key, parts in values.items():
        prefix, route, *cluster = key.split(".", 2)
        if prefix == WEIGHT_PREFIX and "".join(cluster).startswith(LAMBDA_PREFIX):
            found[route] = Weight(parts)
    return found


def _seal(version: int, layer: bytes) -> str:
    return hashlib.sha256(b"%d:%s" % (version, layer)).hexdigest()

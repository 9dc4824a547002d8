"""Who tells: a resource and a scope, each taken apart once for as long as it goes on telling."""

from dataclasses import dataclass
from typing import Any

from ..tables import Attributes
from .conventions import normalised
from .labels import label
from .memo import Memo
from .origin import Resource, resource_of
from .shallow import RESOURCE, SCOPE
from .values import attributes


@dataclass(frozen=True, slots=True, kw_only=True)
class Scope:
    """What instruments, as far as rows need it."""

    name: str
    version: str
    attributes: Attributes
    dropped: int


def resource_from(raw: bytes) -> Resource:
    """The resource that the bytes are. Raises `DecodeError` when they are none."""
    return _RESOURCES[raw]


def scope_from(raw: bytes) -> Scope:
    """The scope that the bytes are. Raises `DecodeError` when they are none."""
    return _SCOPES[raw]


def _resource(raw: bytes) -> Resource:
    return resource_of(normalised(attributes(RESOURCE.FromString(raw).attributes), is_envoy=False))


def _scope(raw: bytes) -> Scope:
    said: Any = SCOPE.FromString(raw)
    return Scope(
        name=label(said.name),
        version=label(said.version),
        attributes=attributes(said.attributes),
        dropped=said.dropped_attributes_count,
    )


_RESOURCES = Memo(_resource, most=512, longest=8_192)
_SCOPES = Memo(_scope, most=512, longest=2_048)

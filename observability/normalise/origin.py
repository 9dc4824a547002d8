"""Where a span or a record belongs: which side did it, in which role, on which route."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache

from strangler_fig.names import (
    CONTROL_SERVICE,
    MIRROR_SPAN,
    REQUEST_ATTRIBUTE,
    ROLE_ATTRIBUTE,
    ROLE_PRIMARY,
    ROLE_SHADOW,
    ROUTE_ATTRIBUTE,
    ROUTER_SERVICE,
    SIDE_ATTRIBUTE,
)

LEGACY, LAMBDA = "legacy", "lambda"
_SIDES = frozenset({LEGACY, LAMBDA})
_OURS = frozenset({ROUTER_SERVICE, CONTROL_SERVICE})
_STATUS = range(100, 600)
_NAMED = re.compile(r"[A-Z]{3,10} ((?:/[^/?#\s]{0,100}){1,20})")
_PLACE = re.compile(r"\{[^/]*\}|<[^/]*>|:[A-Za-z_]\w*|\*")
_VERSION = re.compile(r"v\d{1,3}(?:\.\d{1,3})?")


@dataclass(frozen=True, slots=True)
class Resource:
    """Who tells, as far as rows need it: attributes, the service's name, whether it is a router, its side."""

    attributes: dict[str, str]
    service: str
    is_router: bool
    side: str


def resource_of(found: dict[str, str]) -> Resource:
    """The resource with these attributes. What neither is router or control nor runs on Lambda counts as legacy."""
    service = found.get("service.name", "")
    is_router = service == ROUTER_SERVICE
    side = found.get(SIDE_ATTRIBUTE, "")
    if side not in _SIDES:
        on_lambda = found.get("cloud.platform") in ("aws_lambda", "aws.lambda") or "faas.name" in found
        side = LAMBDA if on_lambda else "" if service in _OURS else LEGACY
    return Resource(found, service, is_router, side)


def side_of(found: Mapping[str, str], resource: Resource) -> str:
    """`legacy`, `lambda`, or empty: what it says itself, where the router's hop led to, else what its resource is."""
    said = found.get(SIDE_ATTRIBUTE)
    if said in _SIDES:
        return said
    if resource.is_router:
        cluster = found.get("envoy.upstream_cluster", "").partition(".")[0]
        return cluster if cluster in _SIDES else ""
    if "faas.invocation_id" in found:
        return LAMBDA
    return resource.side


def role_of(found: Mapping[str, str], resource: Resource, name: str = "") -> str:
    """`primary` or `shadow`; a router's hop that is named as Envoy names mirrors is a shadow."""
    if found.get(ROLE_ATTRIBUTE) == ROLE_SHADOW or (resource.is_router and name == MIRROR_SPAN):
        return ROLE_SHADOW
    return ROLE_PRIMARY


def route_of(found: Mapping[str, str]) -> str:
    """The route's name, else the template of the application's own route, else nothing."""
    return found.get(ROUTE_ATTRIBUTE) or found.get("http.route", "")


def template_in(name: str) -> str:
    """The template in the name of a SERVER span, as in `GET /orders/{id}`; empty where it has none.

    A path is none when a part of it varies, as far as that can be seen: a digit outside of a place like `{id}`, `<id>`,
    `:id`, `*`, and of a version like `v2`. Names are for people; where every path is a name, a route for each of them
    would be thousands of routes.
    """
    said = _NAMED.fullmatch(name)
    if said is None:
        return ""
    parts = (one for one in said[1].split("/") if not _VERSION.fullmatch(one))
    return "" if any(letter.isdigit() for one in parts for letter in _PLACE.sub("", one)) else said[1]


def status_of(found: Mapping[str, str]) -> int | None:
    """HTTP's status, where there is one."""
    return _status(found["http.response.status_code"]) if "http.response.status_code" in found else None


@lru_cache(maxsize=1_024)
def _status(said: str) -> int | None:
    return int(said) if len(said) == 3 and said.isascii() and said.isdecimal() and int(said) in _STATUS else None  # noqa: PLR2004


def request_of(found: Mapping[str, str]) -> str:
    """The request's id as the router gave it, else as Lambda did, else nothing."""
    return found.get(REQUEST_ATTRIBUTE) or found.get("faas.invocation_id") or found.get("aws.request_id", "")

"""Why a request goes where it goes: the route it takes, why no other, its user's side now and later. Pure.

The same match order, key and hash as the compiled configuration has, so that the answer is Envoy's without asking it.
"""

import enum
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from strangler_fig.units import format_share

from .estate import Estate, PathKind, Route, Sticky, StickyKind, WithoutKey
from .precedence import Request, first_mismatch, for_host, matching_host
from .side import Side, slot
from .stickiness import own_key, sticky_key
from .weight import LAMBDA_ONLY, LEGACY_ONLY, Weight

FEW_ROUTES = 12
"""So many routes are all explained; of more, only the nearest so many."""


class Basis(enum.Enum):
    """What decides the side."""

    ONE_SIDE = "one_side"
    KEY = "key"
    CLIENT_ADDRESS = "client_address"
    NO_KEY_LEGACY = "no_key_legacy"
    NO_KEY_DRAWN = "no_key_drawn"
    CLIENT_UNKNOWN = "client_unknown"


@dataclass(frozen=True, slots=True, kw_only=True)
class NotTaken:
    """A route that the request does not take, and the first reason."""

    route: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Assignment:
    """The side of the request's user. `side` None: it is drawn, or cannot be told.

    `lambda_from` is the lowest weight at which this user is on Lambda; None where no key decides.
    """

    basis: Basis
    side: Side | None
    key: str | None = None
    slot: int | None = None
    lambda_from: Weight | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Explanation:
    """What happens to a request. `route` None: no route takes it, the entry's default does.

    `left_out`: how many routes are not in `others` because they are not near.
    """

    request: Request
    route: Route | None
    upstream: str
    weight: Weight
    assignment: Assignment
    others: tuple[NotTaken, ...]
    left_out: int


def explain(
    estate: Estate, weights: Mapping[str, Weight], request: Request, *, client: str | None = None
) -> Explanation:
    """What happens to `request` from `client` (an IP address, where it is known) at these weights (missing: 0)."""
    reachable = for_host(estate.routes, request.host)
    chosen = next((route for route in reachable if first_mismatch(route, request) is None), None)
    weight = _weight(chosen, weights)
    assignment = _assignment(chosen, weight, request, client)
    near = _near(estate.routes, reachable, request, chosen)
    return Explanation(
        request=request,
        route=chosen,
        upstream=_upstream(estate, chosen, assignment),
        weight=weight,
        assignment=assignment,
        others=tuple(NotTaken(route=one.name, reason=_reason(one, request, chosen)) for one in near),
        left_out=len(estate.routes) - len(near) - (chosen is not None),
    )


def _weight(route: Route | None, weights: Mapping[str, Weight]) -> Weight:
    if route is None or route.candidate is None:
        return LEGACY_ONLY
    return weights.get(route.name, LEGACY_ONLY) if route.legacy is not None else LAMBDA_ONLY


def _assignment(route: Route | None, weight: Weight, request: Request, client: str | None) -> Assignment:
    if route is None or route.candidate is None:
        return Assignment(basis=Basis.ONE_SIDE, side=Side.LEGACY)
    if route.legacy is None:
        return Assignment(basis=Basis.ONE_SIDE, side=Side.LAMBDA)
    sticky = route.sticky
    key = sticky_key(sticky, request.headers, client)
    if key is None:
        return _without_key(sticky, weight)
    place = slot(route.salt, key)
    is_own = sticky.kind is not StickyKind.CLIENT_ADDRESS and own_key(sticky, request.headers, client) is not None
    return Assignment(
        basis=Basis.KEY if is_own else Basis.CLIENT_ADDRESS,
        side=Side.LAMBDA if place < weight.parts else Side.LEGACY,
        key=key,
        slot=place,
        lambda_from=Weight(place + 1),
    )


def _without_key(sticky: Sticky, weight: Weight) -> Assignment:
    if sticky.kind is StickyKind.CLIENT_ADDRESS:
        return Assignment(basis=Basis.CLIENT_UNKNOWN, side=_certain(weight))
    if sticky.without_key is WithoutKey.LEGACY:
        return Assignment(basis=Basis.NO_KEY_LEGACY, side=Side.LEGACY)
    if sticky.kind is StickyKind.HEADER:
        return Assignment(basis=Basis.CLIENT_UNKNOWN, side=_certain(weight))
    return Assignment(basis=Basis.NO_KEY_DRAWN, side=_certain(weight))


def _certain(weight: Weight) -> Side | None:
    """The side that everybody is on at this weight; None in between."""
    if weight == LEGACY_ONLY:
        return Side.LEGACY
    return Side.LAMBDA if weight == LAMBDA_ONLY else None


def _upstream(estate: Estate, route: Route | None, assignment: Assignment) -> str:
    if route is None:
        return estate.entry.default
    names = {Side.LEGACY: route.legacy, Side.LAMBDA: route.candidate}
    if assignment.side is None:
        return f"{route.candidate} or {route.legacy}"
    return names[assignment.side] or ""


def _near(
    routes: Iterable[Route], reachable: tuple[Route, ...], request: Request, chosen: Route | None
) -> tuple[Route, ...]:
    """The routes worth a reason: all of few, else those whose path begins as the request's does."""
    names = {route.name for route in reachable}
    others = [route for route in reachable if route is not chosen]
    others += [route for route in routes if route.name not in names]
    if len(others) <= FEW_ROUTES:
        return tuple(others)
    family = "/" + request.path.lstrip("/").partition("/")[0]
    kin = [route for route in others if _is_kin(route, family)]
    return tuple(kin[:FEW_ROUTES])


def _is_kin(route: Route, family: str) -> bool:
    value = route.match.path.value.lstrip("^")
    following = value[len(family) : len(family) + 1]
    same_segment = value.startswith(family) and not (following.isalnum() or following in ("-", "_"))
    return value == "/" or same_segment or (value.startswith(".") and route.match.path.kind is PathKind.REGEX)


def _reason(route: Route, request: Request, chosen: Route | None) -> str:
    mismatch = first_mismatch(route, request)
    if mismatch is not None or chosen is None:
        return mismatch or ""
    return f"it matches too, but {chosen.name} comes first: {_advantage(chosen, route, request.host)}"


def _advantage(first: Route, second: Route, host: str) -> str:
    """Why `first` comes before `second`, in the words of the match order."""
    one, other = first.match, second.match
    if matching_host(one, host) != matching_host(other, host):
        return "its host is more specific"
    if one.path.kind is not other.path.kind:
        return f"{_KIND_WORDS[one.path.kind]} goes before {_KIND_WORDS[other.path.kind]}"
    if one.path.value != other.path.value:
        return f"its {one.path.kind.value} is longer" if len(one.path.value) > len(other.path.value) else "by its text"
    if len(one.headers) != len(other.headers):
        return "it has more header conditions"
    if bool(one.methods) != bool(other.methods):
        return "it names its methods"
    return "by its name"


_KIND_WORDS = {PathKind.EXACT: "an exact path", PathKind.PREFIX: "a prefix", PathKind.REGEX: "a regex"}


def in_words(found: Explanation) -> str:
    """The side of the user in one sentence."""
    assignment = found.assignment
    side = assignment.side.value if assignment.side else "either side"
    match assignment.basis:
        case Basis.ONE_SIDE:
            return f"{side}: it is the only side"
        case Basis.KEY | Basis.CLIENT_ADDRESS:
            start = format_share(assignment.lambda_from.parts) if assignment.lambda_from else ""
            return f"{side} now, at weight {found.weight}; on lambda from weight {start} on"
        case Basis.NO_KEY_LEGACY:
            return "legacy: requests without a key stay there at every weight"
        case Basis.NO_KEY_DRAWN if found.weight == LEGACY_ONLY:
            return "legacy, at weight 0%; above it the router draws a side and issues the cookie"
        case Basis.NO_KEY_DRAWN:
            return f"{side}: the router draws one at weight {found.weight} and issues the cookie that keeps it"
        case Basis.CLIENT_UNKNOWN:
            return f"{side}, by the client's address: name it with --client to be told which"

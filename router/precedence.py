"""Which route takes a request: whether one matches, and which of those that match comes first.

Most specific first: an exact host before a wildcard (longer first) before no host; then an exact path before a prefix
(longer first) before a regex (longer first, then by text); then more header conditions; then methods given before not;
then the name. A request takes the first route in that order whose every condition holds.

The order depends on the host that was asked for, because a route may have several: `virtual_hosts` gives the exact
groups, for each host pattern, which is how Envoy holds them. `in_match_order` is the same order over all routes,
each placed by its most specific host.
"""

import functools
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Self

from .estate import Match, PathKind, PathMatch, Route
from .hosts import EVERY_HOST, patterns_for, specificity, without_port

_KIND_ORDER = {PathKind.EXACT: 0, PathKind.PREFIX: 1, PathKind.REGEX: 2}
_CONNECT = "CONNECT"


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """What a route looks at. `host` lower-case without port, `path` without query, header names lower-case.

    A header that is repeated is one pair here, its values joined with a comma as Envoy compares them (cookies: `; `).
    """

    method: str
    path: str
    host: str = ""
    headers: Mapping[str, str]

    @classmethod
    def of(cls, method: str, target: str, *, host: str = "", headers: Iterable[tuple[str, str]] = ()) -> Self:
        """The request with this target (path and query), Host header and other headers."""
        joined: dict[str, str] = {}
        for name, value in headers:
            key = name.lower()
            separator = "; " if key == "cookie" else ","
            joined[key] = f"{joined[key]}{separator}{value}" if key in joined else value
        path = target.partition("#")[0].partition("?")[0]
        return cls(method=method, path=path, host=without_port(host), headers=joined)


def matches(route: Route, request: Request) -> bool:
    """Whether every condition of the route holds for the request."""
    return first_mismatch(route, request) is None


def first_mismatch(route: Route, request: Request) -> str | None:
    """The first condition of the route that does not hold, in words; None when the route matches."""
    return next(_mismatches(route, request), None)


def _mismatches(route: Route, request: Request) -> Iterator[str]:
    match = route.match
    if match.hosts and not matching_host(match, request.host):
        yield f"host {request.host or '(none)'} is not {' or '.join(match.hosts)}"
    if route.upgrade == "connect":
        if request.method != _CONNECT:
            yield f"method {request.method} is not {_CONNECT}"
    elif request.method == _CONNECT:
        yield "a CONNECT request has no path, so only upgrade: connect takes it"
    elif not path_matches(match.path, request.path):
        yield f"path {request.path} {_PATH_WORDS[match.path.kind]} {match.path.value}"
    if match.methods and request.method not in match.methods:
        yield f"method {request.method} is not {' or '.join(match.methods)}"
    for name, value in match.headers:
        found = request.headers.get(name)
        if found is None:
            yield f"header {name} is missing"
        elif found != value:
            yield f"header {name} is {found}, not {value}"


_PATH_WORDS = {
    PathKind.EXACT: "is not",
    PathKind.PREFIX: "is not below",
    PathKind.REGEX: "does not match",
}


def path_matches(condition: PathMatch, path: str) -> bool:
    """Whether a path without query meets the condition."""
    value = condition.value
    match condition.kind:
        case PathKind.EXACT:
            return path == value
        case PathKind.PREFIX:
            return path.startswith(value) and (len(path) == len(value) or value[-1] == "/" or path[len(value)] == "/")
        case PathKind.REGEX:
            return _compiled(value).fullmatch(path) is not None


def matching_host(match: Match, host: str) -> str | None:
    """The most specific of the match's hosts that takes `host`; every host where it names none; None when none does."""
    if not match.hosts:
        return EVERY_HOST
    return next((pattern for pattern in patterns_for(host) if pattern in match.hosts), None)


def in_match_order(routes: Iterable[Route]) -> tuple[Route, ...]:
    """The routes, most specific first, each placed by its most specific host."""
    return tuple(sorted(routes, key=lambda route: (_best_host(route.match), *match_key(route))))


def virtual_hosts(routes: Iterable[Route]) -> dict[str, tuple[tuple[Route, ...], ...]]:
    """For each host pattern, `*` included, the routes that may take its requests, in groups, each in match order.

    A request belongs to the most specific pattern that takes its host, and to no other; so behind the pattern's own
    group stand those of wider patterns, that of the routes without a host last.
    """
    by_pattern: dict[str, list[Route]] = {EVERY_HOST: []}
    for route in routes:
        for pattern in route.match.hosts or (EVERY_HOST,):
            by_pattern.setdefault(pattern, []).append(route)
    ordered = {pattern: sorted(found, key=match_key) for pattern, found in by_pattern.items()}
    return {pattern: _reached(pattern, ordered) for pattern in sorted(ordered, key=_pattern_order)}


def for_host(routes: Iterable[Route], host: str) -> tuple[Route, ...]:
    """The routes that may take a request to `host`, in match order."""
    placed = [(pattern, route) for route in routes if (pattern := matching_host(route.match, host)) is not None]
    placed.sort(key=lambda one: (specificity(one[0]), match_key(one[1])))
    return tuple(route for _pattern, route in placed)


def match_key(route: Route) -> tuple[object, ...]:
    """The place of a route among those with the same host: a sort key, unique by the name at its end."""
    match = route.match
    path = match.path
    return _KIND_ORDER[path.kind], -len(path.value), path.value, -len(match.headers), not match.methods, route.name


def _reached(pattern: str, ordered: Mapping[str, list[Route]]) -> tuple[tuple[Route, ...], ...]:
    """The groups of the pattern and of all wider ones; a route counts in the first that has it."""
    seen: set[str] = set()
    groups = []
    for wider in patterns_for(pattern):
        groups.append(tuple(route for route in ordered.get(wider, ()) if route.name not in seen))
        seen.update(route.name for route in groups[-1])
    return tuple(group for group in groups if group)


def _best_host(match: Match) -> tuple[int, int]:
    return min((specificity(pattern) for pattern in match.hosts), default=specificity(EVERY_HOST))


def _pattern_order(pattern: str) -> tuple[tuple[int, int], str]:
    return specificity(pattern), pattern


@functools.lru_cache(maxsize=4096)
def _compiled(pattern: str) -> re.Pattern[str]:
    return re.compile(pattern, re.ASCII)

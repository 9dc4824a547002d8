"""Every route can match: none is a copy of another, and none is hidden by those that come before it.

Only what is provable from the text is reported, host by host: a route is hidden on a host when, in match order, earlier
routes of the same host take everything that it takes; it is an error when it is hidden on all of its hosts. Routes with
one path are compared by dictionaries, so that ten thousand of them cost milliseconds.
"""

import itertools
import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from strangler_fig.diagnostics import Diagnostic

from ..estate import PathKind, Route
from ..hosts import EVERY_HOST
from ..precedence import match_key
from .subject import Subject

SAME_MATCH = "ES220"
HIDDEN = "ES221"
SHARED_METHODS = "ES222"

_EVERYTHING = frozenset({".*", ".+", "/.*", "^.*$", "^.*", ".*$", "^/.*$", "^/.*", "/.*$", "(.*)", "/(.*)"})
_LITERAL = re.compile(r"\^?((?:[A-Za-z0-9/_~%,;=@:&! -]|\\[^A-Za-z0-9])*)")
_QUANTIFIERS = frozenset("*?{")
_MAX_SUBSETS = 6

_Condition = tuple[bool, str, PathKind, str]
_Headers = tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Hidden:
    """That a route never matches on a host, by which earlier routes, and why."""

    route: Route
    by: tuple[Route, ...]
    why: str


def matches_are_reachable(subject: Subject) -> Iterator[Diagnostic]:
    """No two routes have one match, and none is hidden by earlier ones."""
    by_condition = _by_condition(subject.estate.routes)
    copies: dict[str, Route] = {}
    hidden: dict[str, dict[str, _Hidden]] = defaultdict(dict)
    for (_connect, host, _kind, _value), routes in by_condition.items():
        if len(routes) > 1:
            for found in _among_same_path(subject, routes, copies):
                if isinstance(found, _Hidden):
                    hidden[found.route.name][host] = found
                else:
                    yield found
    for host, one in _regexes_behind_prefixes(by_condition):
        hidden[one.route.name].setdefault(host, one)
    for name, by_host in hidden.items():
        one = next(iter(by_host.values()))
        if name not in copies and by_host.keys() >= set(one.route.match.hosts or (EVERY_HOST,)):
            yield _hidden_error(subject, one)


def _by_condition(routes: Iterable[Route]) -> dict[_Condition, list[Route]]:
    """The routes by host and path condition, as one host after the other sees them."""
    found: dict[_Condition, list[Route]] = defaultdict(list)
    for route in routes:
        path = route.match.path
        for host in route.match.hosts or (EVERY_HOST,):
            found[route.upgrade == "connect", host, path.kind, path.value].append(route)
    return found


def _among_same_path(subject: Subject, routes: list[Route], copies: dict[str, Route]) -> Iterator[Diagnostic | _Hidden]:
    """What is wrong among routes of one host and path: headers that are the same leave the methods to decide."""
    by_headers: dict[_Headers, list[Route]] = defaultdict(list)
    for route in sorted(routes, key=match_key):
        by_headers[route.match.headers].append(route)
    for same in by_headers.values():
        taken: dict[str, Route] = {}
        exactly: dict[tuple[str, ...], Route] = {}
        for route in same:
            methods = route.match.methods
            original = exactly.setdefault(methods, route)
            if original is not route:
                if route.name not in copies:
                    copies[route.name] = original
                    yield _copy_error(subject, original, route)
                continue
            shared = [method for method in methods if method in taken]
            by = tuple(dict.fromkeys(taken[method] for method in shared))
            if shared and len(shared) == len(methods):
                yield _Hidden(route=route, by=by, why=f"{_and(shared)} of the same path before it")
            elif shared:
                yield _shared_warning(subject, route, by[0], shared)
            for method in methods:
                taken.setdefault(method, route)


def _regexes_behind_prefixes(
    by_condition: Mapping[_Condition, list[Route]],
) -> Iterator[tuple[str, _Hidden]]:
    """Regexes that only match below a prefix of the same host: prefixes come first, so such a regex is never asked."""
    prefixes: dict[tuple[str, str, _Headers], list[Route]] = defaultdict(list)
    for (connect, host, kind, value), routes in by_condition.items():
        is_everything = kind is PathKind.REGEX and value in _EVERYTHING
        if not connect and (kind is PathKind.PREFIX or is_everything):
            for route in routes:
                prefixes[host, "/" if is_everything else value, route.match.headers].append(route)
    if not prefixes:
        return
    for (_connect, host, kind, value), routes in by_condition.items():
        if kind is PathKind.REGEX:
            bases = _prefixes_of(literal_head(value))
            for route in routes:
                if hider := _hider(route, host, bases, prefixes):
                    yield (
                        host,
                        _Hidden(route=route, by=(hider,), why=f"every path below {hider.match.path.value} first"),
                    )


def _hider(
    route: Route, host: str, bases: list[str], prefixes: Mapping[tuple[str, str, _Headers], list[Route]]
) -> Route | None:
    for base in bases:
        for headers in _subsets(route.match.headers):
            for other in prefixes.get((host, base, headers), ()):
                covers = not other.match.methods or (
                    route.match.methods and set(other.match.methods) >= set(route.match.methods)
                )
                if covers and match_key(other) < match_key(route):
                    return other
    return None


def literal_head(pattern: str) -> str:
    """The text that everything the pattern matches begins with; empty where none is certain."""
    found = _LITERAL.match(pattern)
    if "|" in pattern or "(?" in pattern or found is None:
        return ""
    head, rest = found[1], pattern[found.end() :]
    if rest[:1] in _QUANTIFIERS:  # the last character may be missing
        head = re.sub(r"(?:\\.|.)$", "", head)
    return re.sub(r"\\(.)", r"\1", head)


def _prefixes_of(head: str) -> list[str]:
    """Every prefix condition that takes all paths that begin with `head`, longest first."""
    slashes = [place for place, character in enumerate(head) if character == "/"]
    found = [prefix for place in reversed(slashes) for prefix in (head[: place + 1], head[:place]) if prefix]
    return found if "/" in found else [*found, "/"]


def _subsets(headers: _Headers) -> Iterator[_Headers]:
    if len(headers) > _MAX_SUBSETS:  # a route with so many conditions is compared with the simplest ones only
        yield from ((), headers)
        return
    for count in range(len(headers) + 1):
        yield from itertools.combinations(headers, count)


def _copy_error(subject: Subject, original: Route, route: Route) -> Diagnostic:
    first, second = sorted((original, route), key=lambda one: subject.place("routes", one.name))
    message = (
        f"routes {first.name} and {second.name} have one match: "
        f"{first.name} at {subject.place('routes', first.name)}, {second.name} here"
    )
    return subject.error(
        SAME_MATCH, message, "routes", second.name, "match", hint="change one match, or remove a route"
    )


def _hidden_error(subject: Subject, hidden: _Hidden) -> Diagnostic:
    names = _and([f"{one.name} ({subject.place('routes', one.name)})" for one in hidden.by])
    verb = "takes" if len(hidden.by) == 1 else "take"
    message = f"route {hidden.route.name} can never match: {names} {verb} {hidden.why}"
    hint = "exact paths are tried first, then prefixes, then regexes; narrow the earlier route or remove this one"
    return subject.error(HIDDEN, message, "routes", hidden.route.name, "match", hint=hint)


def _shared_warning(subject: Subject, route: Route, earlier: Route, shared: list[str]) -> Diagnostic:
    methods, path = _and(shared), route.match.path.value
    message = f"routes {earlier.name} and {route.name} both take {methods} of {path}; {earlier.name} gets them"
    hint = "the order of their names decides; give each method to one route"
    return subject.warning(SHARED_METHODS, message, "routes", route.name, "match", hint=hint)


def _and(words: list[str]) -> str:
    return " and ".join(words)

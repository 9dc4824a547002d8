"""The match tree: a virtual host's routes as nested matchers, so that the last of 10,000 is found as fast as the first.

Envoy looks the path up in a trie and, where what it finds there does not match after all, goes on to shorter prefixes
and then to what is left: seen on Envoy 1.40.0 for nested matchers. An *action* always matches, so every condition of a
route stands before its action and none in it.

The trie compares the path with a slash behind it, so that a prefix of whole segments needs no further condition:
`/books/` begins `/books/7/` and `/books/`, and not `/booksale/`. Regexes follow, in a trie of the text they begin with.
"""

import functools
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from ..estate import Match, PathKind, Route
from ..precedence import match_key
from .proto import Json, api_type

PATH_HEADER = "x-fig-match"
"""Where the entry puts the path without its query and with one more slash, which is what matchers compare."""
PATH_VALUE = "%PATH(NQ)%/"

_METHOD = ":method"
_MOST_COPIES = 4
"""How many times as many places as regexes a trie of regexes may have before one list is the smaller evil."""
_META = re.compile(r"[\\.^$*+?()\[\]{}|]")
_CONNECT = "CONNECT"


def match_tree(groups: Iterable[Sequence[Route]], actions: Mapping[str, Json], default: Json) -> Json:
    """The matcher of a virtual host.

    `groups`: its routes, those of more specific host patterns first, each group in match order; `actions`: what each
    route does, by name, as `action` makes it; `default`: what takes the rest.
    """
    found = _groups(groups, actions, default)
    tree: Json = found.get("matcher", {"on_no_match": found})
    return tree


def with_preflights(groups: Iterable[Sequence[Route]], actions: Mapping[str, Json], tree: Json) -> Json:
    """The tree with another in front of it that CORS preflights take: that of the routes that are in `actions`."""
    groups = [[route for route in group if route.name in actions] for group in groups]
    if not any(groups):
        return tree
    asked = [_equals(_METHOD, "OPTIONS"), *(_present(name) for name in ("origin", "access-control-request-method"))]
    return {
        "matcher_list": {"matchers": [{"predicate": _all(asked), "on_match": _groups(groups, actions, None)}]},
        "on_no_match": {"matcher": tree},
    }


def action(name: str, entries: Sequence[Json]) -> Json:
    """What a route's entries do, tried in their order; the last one must match everything."""
    if len(entries) == 1:
        return {"action": {"name": name, "typed_config": _route(entries[0])}}
    listed = api_type("envoy.config.route.v3.RouteList", routes=list(entries))
    return {"action": {"name": name, "typed_config": listed}}


def _route(entry: Json) -> Json:
    return api_type("envoy.config.route.v3.Route", **entry)


def _groups(groups: Iterable[Sequence[Route]], actions: Mapping[str, Json], otherwise: Json | None) -> Any:
    for group in reversed(tuple(groups)):
        otherwise = _group(group, actions, otherwise)
    return otherwise


def _group(routes: Sequence[Route], actions: Mapping[str, Json], otherwise: Json | None) -> Json | None:
    """The routes of one host pattern: connects, then exact and prefix paths, then regexes, then `otherwise`."""
    connects = [route for route in routes if route.upgrade == "connect"]
    others = [route for route in routes if route.upgrade != "connect"]
    regexes = [route for route in others if route.match.path.kind is PathKind.REGEX]
    found = _regexes(regexes, actions, otherwise)
    found = _paths([route for route in others if route.match.path.kind is not PathKind.REGEX], actions, found)
    if not connects:
        return found
    steps = [(_all([_equals(_METHOD, _CONNECT), *_headers(route.match)]), actions[route.name]) for route in connects]
    return _chain(steps, otherwise=found)


def _paths(routes: Sequence[Route], actions: Mapping[str, Json], otherwise: Json | None) -> Json | None:
    nodes: dict[str, list[Route]] = {}
    for route in routes:
        path = route.match.path
        is_whole = path.kind is PathKind.EXACT or not path.value.endswith("/")
        nodes.setdefault(path.value + "/" if is_whole else path.value, []).append(route)
    chains = {
        start: _chain(
            (_all([*_ending(route, start), *_conditions(route.match)]), actions[route.name]) for route in found
        )
        for start, found in nodes.items()
    }
    return _trie(chains, otherwise)


def _ending(route: Route, start: str) -> list[Json]:
    """The conditions on what follows `start` in a compared path that begins with it."""
    same = _where(PATH_HEADER, {"exact": start})
    if route.match.path.kind is PathKind.EXACT:
        return [same]
    return [{"not_matcher": same}] if route.match.path.value.endswith("/") and start != "/" else []


def _regexes(routes: Sequence[Route], actions: Mapping[str, Json], otherwise: Json | None) -> Json | None:
    if not routes:
        return otherwise
    steps = {route.name: (_all([_regex(route), *_conditions(route.match)]), actions[route.name]) for route in routes}
    literal = {route.name: literal_start(route.match.path.value) for route in routes}
    ordered = sorted(routes, key=match_key)
    starts = sorted(set(literal.values()))
    # A longer literal does not mean a longer regex: each node repeats what shorter ones could take before it.
    listed = {start: [steps[one.name] for one in ordered if start.startswith(literal[one.name])] for start in starts}
    if sum(map(len, listed.values())) > _MOST_COPIES * len(routes):
        return _chain([steps[one.name] for one in ordered], otherwise=otherwise)
    anywhere = listed.pop("", None)
    if anywhere is not None:
        otherwise = _chain(anywhere, otherwise=otherwise)
    return _trie({start: _chain(found) for start, found in listed.items()}, otherwise)


def literal_start(pattern: str) -> str:
    """The text that every path begins with which the regex matches; empty when none is certain."""
    found = _META.search(pattern)
    if found is None:
        return pattern
    if "|" in pattern:
        return ""
    start = pattern[: found.start()]
    # A quantifier may take the last letter away.
    return start[:-1] if found[0] in "*?{" else start


def _regex(route: Route) -> Json:
    return _where(PATH_HEADER, {"safe_regex": {"google_re2": {}, "regex": f"(?:{route.match.path.value})/"}})


def _conditions(match: Match) -> list[Json]:
    methods = [_equals(_METHOD, method) for method in match.methods]
    either = methods if len(methods) < 2 else [{"or_matcher": {"predicate": methods}}]  # noqa: PLR2004 - one needs no or
    return [*either, *_headers(match)]


def _headers(match: Match) -> list[Json]:
    return [_equals(name, value) for name, value in match.headers]


def _present(name: str) -> Json:
    return _where(name, {"safe_regex": {"google_re2": {}, "regex": ".+"}})


def _trie(nodes: Mapping[str, Json], otherwise: Json | None) -> Json | None:
    if not nodes:
        return otherwise
    tree = {"input": _input(PATH_HEADER), "prefix_match_map": {"map": dict(sorted(nodes.items()))}}
    last = {} if otherwise is None else {"on_no_match": otherwise}
    return {"matcher": {"matcher_tree": tree, **last}}


def _chain(steps: Iterable[tuple[Json | None, Json]], *, otherwise: Json | None = None) -> Json:
    """The steps, the first that matches wins; one without a condition ends the chain."""
    matchers = []
    for condition, found in steps:
        if condition is None:
            otherwise = found
            break
        matchers.append({"predicate": condition, "on_match": found})
    if not matchers:
        assert otherwise is not None, "a chain has a step"  # noqa: S101
        return otherwise
    last = {} if otherwise is None else {"on_no_match": otherwise}
    return {"matcher": {"matcher_list": {"matchers": matchers}, **last}}


def _all(conditions: list[Json]) -> Json | None:
    if len(conditions) < 2:  # noqa: PLR2004 - one needs no and
        return conditions[0] if conditions else None
    return {"and_matcher": {"predicate": conditions}}


def _equals(name: str, value: str) -> Json:
    return _where(name, {"exact": value})


def _where(name: str, value: Json) -> Json:
    return {"single_predicate": {"input": _input(name), "value_match": value}}


@functools.cache
def _input(name: str) -> Json:
    config = api_type("envoy.type.matcher.v3.HttpRequestHeaderMatchInput", header_name=name)
    return {"name": "request-header", "typed_config": config}

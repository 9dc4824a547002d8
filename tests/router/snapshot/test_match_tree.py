"""The match tree finds the same route as walking all of them, whatever the routes are."""

import itertools
import re
from collections.abc import Sequence
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from router.estate import Match, PathKind, PathMatch, Route, Sticky, StickyKind, WithoutKey
from router.precedence import Request, for_host, matches, virtual_hosts
from router.snapshot.match_tree import PATH_HEADER, action, literal_start, match_tree

EXACT, PREFIX, REGEX = PathKind.EXACT, PathKind.PREFIX, PathKind.REGEX
_PATHS = (
    *((EXACT, path) for path in ("/", "/a", "/a/", "/a/b", "/a//b", "/ab")),
    *((PREFIX, path) for path in ("/", "/a", "/a/", "/a/b", "/a/b/")),
    *((REGEX, path) for path in ("/a.*", "/a/[a-z]+", "/a/b?", ".*b", "/(a|b)/.*", "/ab", "/a/b/.*|/b", "//.*")),
)
_REQUESTS = ("/", "//", "/a", "/a/", "/a//", "/ab", "/a/b", "/a/b/", "/a//b", "/a/c", "/b", "/b/c", "/a/b/c", "/abc")


def route(name: str, kind: PathKind, path: str, methods: Sequence[str]) -> Route:
    """A legacy-only route."""
    return Route(
        name=name,
        match=Match(path=PathMatch(kind, path), methods=tuple(methods)),
        legacy="shop",
        candidate=None,
        sticky=Sticky(kind=StickyKind.CLIENT_ADDRESS, name="", without_key=WithoutKey.ASSIGN),
        salt=name,
        timeout_seconds=None,
    )


def found(matcher: dict[str, Any], values: dict[str, str]) -> str | None:
    """The action that Envoy's matcher finds, as seen on 1.40.0: what does not match inside goes on outside."""
    for one in matcher.get("matcher_list", {}).get("matchers", ()):
        if holds(one["predicate"], values) and (inner := decided(one["on_match"], values)):
            return inner
    tree = matcher.get("matcher_tree")
    if tree:
        nodes = tree["prefix_match_map"]["map"]
        for start in sorted((key for key in nodes if values[PATH_HEADER].startswith(key)), key=len, reverse=True):
            if inner := decided(nodes[start], values):
                return inner
    return decided(matcher["on_no_match"], values) if "on_no_match" in matcher else None


def decided(one: dict[str, Any], values: dict[str, str]) -> str | None:
    """What a step leads to."""
    if "action" in one:
        return str(one["action"]["name"])
    return found(one["matcher"], values)


def holds(predicate: dict[str, Any], values: dict[str, str]) -> bool:
    """Whether a predicate is true."""
    ((kind, value),) = predicate.items()
    if kind == "not_matcher":
        return not holds(value, values)
    if kind != "single_predicate":
        return {"and_matcher": all, "or_matcher": any}[kind](holds(one, values) for one in value["predicate"])
    text = values[value["input"]["typed_config"]["header_name"]]
    ((how, wanted),) = value["value_match"].items()
    return text == wanted if how == "exact" else re.fullmatch(wanted["regex"], text) is not None


@given(
    st.lists(
        st.tuples(st.sampled_from(_PATHS), st.sets(st.sampled_from(["GET", "POST", "PUT"])).map(sorted)), max_size=9
    )
)
def test_the_tree_agrees_with_the_match_order(drawn: list[tuple[tuple[PathKind, str], list[str]]]) -> None:
    """For every request the tree leads to the first route in match order that takes it."""
    routes = [route(f"r{number}", *path, methods) for number, (path, methods) in enumerate(drawn)]
    actions = {one.name: action(one.name, [{"name": one.name}]) for one in routes}
    tree = match_tree(virtual_hosts(routes)["*"], actions, action("default", [{"name": "default"}]))
    for path, method in itertools.product(_REQUESTS, ("GET", "PUT")):
        taken = next((one for one in for_host(routes, "") if matches(one, Request.of(method, path))), None)
        assert found(tree, {PATH_HEADER: path + "/", ":method": method}) == (taken.name if taken else "default")


@given(st.sampled_from([path for kind, path in _PATHS if kind is REGEX]), st.sampled_from(_REQUESTS))
def test_a_regex_takes_nothing_that_begins_otherwise(pattern: str, path: str) -> None:
    """The literal start of a regex begins every path that the regex takes."""
    assert path.startswith(literal_start(pattern)) or re.fullmatch(pattern, path) is None

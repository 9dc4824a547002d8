"""What a route may do depends on the sides it has."""

from collections.abc import Iterator

from strangler_fig.diagnostics import Diagnostic

from ..estate import PathKind, Route
from .subject import Subject

NO_SIDE = "ES204"
LEGACY_ONLY = "ES205"
NO_TIMEOUT = "ES206"
STREAM_AND_UPGRADE = "ES207"
FALLBACK = "ES208"
REWRITE = "ES209"
CONNECT = "ES210"
COHORT = "ES224"

_FINISH = "a stream has no end that a timeout could wait for"


def has_a_side(subject: Subject) -> Iterator[Diagnostic]:
    """A route has a legacy side, a Lambda side, or both."""
    for route in subject.estate.routes:
        if route.legacy is None and route.candidate is None:
            yield subject.error(
                NO_SIDE, f"route {route.name} has no side", "routes", route.name, hint="write legacy:, lambda: or both"
            )


def long_lived_stay_on_legacy(subject: Subject) -> Iterator[Diagnostic]:
    """Streams and upgrades are legacy-only and have no timeout: a weight on them is impossible."""
    for route in subject.estate.routes:
        if not route.stream and route.upgrade is None:
            continue
        at = ("routes", route.name)
        what = "stream: true" if route.stream else f"upgrade: {route.upgrade}"
        if route.candidate is not None:
            message = f"route {route.name}: {what} is served by legacy only, so it cannot have a lambda or a weight"
            hint = "leave lambda out; give what can move a route of its own"
            yield subject.error(LEGACY_ONLY, message, *at, "lambda", hint=hint)
        if route.timeout_seconds is not None:
            message = f"route {route.name}: {what} excludes a timeout"
            yield subject.error(NO_TIMEOUT, message, *at, "timeout", hint=f"leave timeout out: {_FINISH}")
        if route.stream and route.upgrade is not None:
            message = f"route {route.name}: stream and upgrade exclude each other"
            hint = "an upgraded connection is long-lived anyway: leave stream out"
            yield subject.error(STREAM_AND_UPGRADE, message, *at, "stream", hint=hint)


def connect_has_no_path(subject: Subject) -> Iterator[Diagnostic]:
    """A CONNECT request carries no path, so its route cannot choose by one."""
    for route in subject.estate.routes:
        path = route.match.path
        if route.upgrade == "connect" and (path.kind is not PathKind.PREFIX or path.value != "/"):
            message = f"route {route.name}: a CONNECT request has no path to compare with {path.value!r}"
            yield subject.error(CONNECT, message, "routes", route.name, "match", "path", hint="write path: {prefix: /}")
        if route.upgrade == "connect" and route.match.methods not in ((), ("CONNECT",)):
            message = f"route {route.name}: upgrade: connect takes the method CONNECT only"
            yield subject.error(CONNECT, message, "routes", route.name, "match", "methods", hint="leave methods out")


def fallback_has_somewhere_to_fall(subject: Subject) -> Iterator[Diagnostic]:
    """Fallback needs a Lambda that can fail and a legacy service that answers instead."""
    for route in subject.estate.routes:
        if route.fallback and not route.has_two_sides and (route.legacy or route.candidate):
            message = f"route {route.name}: fallback needs both sides, and there is no {_missing(route)}"
            yield subject.error(FALLBACK, message, "routes", route.name, "fallback", hint="leave fallback out")


def a_cohort_has_two_sides(subject: Subject) -> Iterator[Diagnostic]:
    """Named users go ahead of others, which needs a side to leave and one to go to."""
    for route in subject.estate.routes:
        if route.cohort and not route.has_two_sides and (route.legacy or route.candidate):
            message = f"route {route.name}: a cohort goes from legacy to Lambda, and there is no {_missing(route)}"
            yield subject.error(COHORT, message, "routes", route.name, "cohort", hint="leave cohort out")


def rewrite_fits(subject: Subject) -> Iterator[Diagnostic]:
    """A rewrite replaces what an exact or a prefix matched, on a side that the route has."""
    for route in subject.estate.routes:
        at = ("routes", route.name, "rewrite")
        if (route.rewrite_legacy or route.rewrite_lambda) and route.match.path.kind is PathKind.REGEX:
            message = f"route {route.name}: a regex match has no prefix that a rewrite could replace"
            yield subject.error(REWRITE, message, *at, hint="match by exact or prefix")
        for side, name, rewrite in (
            ("legacy", route.legacy, route.rewrite_legacy),
            ("lambda", route.candidate, route.rewrite_lambda),
        ):
            if rewrite and name is None:
                message = f"route {route.name}: rewrite.{side} is for a side that the route does not have"
                yield subject.error(REWRITE, message, *at, side, hint="leave it out")


def _missing(route: Route) -> str:
    return "legacy" if route.legacy is None else "lambda"

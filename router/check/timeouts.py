"""The timeout proof: whatever Lambda does, legacy still has the time to answer.

A try on Lambda takes at most the candidate's timeout, connecting included. After it legacy may need its connect
timeout, and is given at least `LEGACY_ANSWER_SECONDS` to answer. The sum must fit into the route's timeout.
"""

from collections.abc import Iterator

from strangler_fig.diagnostics import Diagnostic
from strangler_fig.units import format_seconds

from ..estate import Candidate, Health, HttpUpstream, Route
from .subject import Subject

TOO_SHORT = "ES211"
CONNECT_TOO_LONG = "ES212"
HEALTH_TOO_LONG = "ES213"

LEGACY_ANSWER_SECONDS = 1.0
"""What legacy is given at least after a failed try; an application that needs longer needs a longer route timeout."""


def tries_fit(subject: Subject) -> Iterator[Diagnostic]:
    """A Lambda try, and with fallback a legacy answer after it, fit into the route's timeout."""
    for route in subject.estate.routes:
        candidate = subject.candidates.get(route.candidate or "")
        # a stream's or upgrade's timeout is refused as such; to add sums to that would only distract
        if candidate is None or route.timeout_seconds is None or route.stream or route.upgrade:
            continue
        needed = round(sum(seconds for seconds, _what in _parts(subject, route, candidate)), 9)
        if needed > route.timeout_seconds:
            sum_text = " + ".join(
                f"{format_seconds(seconds)} {what}" for seconds, what in _parts(subject, route, candidate)
            )
            is_given = "timeout" in subject.document.data["routes"][route.name]
            source = "its timeout" if is_given else "the default timeout"
            message = (
                f"route {route.name}: {sum_text} = {format_seconds(needed)}, "
                f"more than {source} of {format_seconds(route.timeout_seconds)}"
            )
            hint = f"raise the route's timeout to at least {format_seconds(needed)}, or lower {candidate.name}'s"
            yield subject.error(TOO_SHORT, message, "routes", route.name, "timeout", hint=hint)


def connecting_fits(subject: Subject) -> Iterator[Diagnostic]:
    """Connecting takes no longer than the try that it is part of."""
    for one in subject.estate.candidates:
        if one.connect_timeout_seconds > one.timeout_seconds:
            connect, whole = format_seconds(one.connect_timeout_seconds), format_seconds(one.timeout_seconds)
            message = f"lambda {one.name}: connecting may take {connect}, longer than the whole try of {whole}"
            yield subject.error(CONNECT_TOO_LONG, message, "lambda", one.name, "connect_timeout")


def health_checks_end(subject: Subject) -> Iterator[Diagnostic]:
    """A health check is over before the next one starts."""
    for service in subject.estate.legacy:
        yield from _health(subject, service.health, "legacy", service.name, "health")
    for one in subject.estate.candidates:
        if isinstance(one, HttpUpstream):
            yield from _health(subject, one.health, "lambda", one.name, "http", "health")


def _health(subject: Subject, health: Health | None, *path: str) -> Iterator[Diagnostic]:
    if health and health.timeout_seconds > health.interval_seconds:
        timeout, interval = format_seconds(health.timeout_seconds), format_seconds(health.interval_seconds)
        message = f"{'.'.join(path)}: a check may take {timeout}, longer than the {interval} between two"
        yield subject.warning(HEALTH_TOO_LONG, message, *path, hint="lower timeout or raise interval")


def _parts(subject: Subject, route: Route, candidate: Candidate) -> Iterator[tuple[float, str]]:
    """What the route must wait for at worst: seconds, and for what."""
    yield candidate.timeout_seconds, f"for a try on {candidate.name}"
    if route.fallback and route.legacy is not None:
        service = subject.legacy.get(route.legacy)
        yield service.connect_timeout_seconds if service else 0.0, f"to connect to {route.legacy}"
        yield LEGACY_ANSWER_SECONDS, "for its answer"

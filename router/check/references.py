"""Names point at what exists, and what exists is used."""

from collections.abc import Iterator

from strangler_fig.diagnostics import Diagnostic
from strangler_fig.documents import did_you_mean

from ..estate import SessionIdentity
from .subject import Subject

UNKNOWN_LEGACY = "ES201"
UNKNOWN_CANDIDATE = "ES202"
UNUSED = "ES203"


def default_exists(subject: Subject) -> Iterator[Diagnostic]:
    """The entry's default is a legacy service of this file."""
    default = subject.estate.entry.default
    if default not in subject.legacy_names:
        message = f"entry.default: there is no legacy service {default!r}"
        yield subject.error(
            UNKNOWN_LEGACY, message, "entry", "default", hint=did_you_mean(default, subject.legacy_names)
        )


def sides_exist(subject: Subject) -> Iterator[Diagnostic]:
    """Each route's sides are a legacy service and a function of this file."""
    legacy, candidates = subject.legacy_names, subject.candidate_names
    for route in subject.estate.routes:
        at = ("routes", route.name)
        if route.legacy is not None and route.legacy not in legacy:
            message = f"route {route.name}: there is no legacy service {route.legacy!r}"
            yield subject.error(UNKNOWN_LEGACY, message, *at, "legacy", hint=did_you_mean(route.legacy, legacy))
        if route.candidate is not None and route.candidate not in candidates:
            message = f"route {route.name}: there is no lambda {route.candidate!r}"
            yield subject.error(
                UNKNOWN_CANDIDATE, message, *at, "lambda", hint=did_you_mean(route.candidate, candidates)
            )


def all_used(subject: Subject) -> Iterator[Diagnostic]:
    """What no route uses is probably a mistake."""
    written = subject.document.data.get("routes", {})
    if not isinstance(written, dict) or len(written) > len(subject.estate.routes):
        return  # a route whose shape is wrong may have meant to use it
    routes = subject.estate.routes
    asked = {one.service for one in subject.estate.identities if isinstance(one, SessionIdentity)}
    legacy = subject.legacy.keys() - {route.legacy for route in routes} - {subject.estate.entry.default} - asked
    candidates = subject.candidates.keys() - {route.candidate for route in routes}
    for section, unused in (("legacy", legacy), ("lambda", candidates)):
        for name in sorted(unused):
            message = f"{section} {name} is used by no route"
            yield _at_key(subject, message, section, name)


def _at_key(subject: Subject, message: str, section: str, name: str) -> Diagnostic:
    finding = subject.warning(UNUSED, message, section, name, hint="remove it, or name it in a route")
    place = subject.place(section, name)
    return Diagnostic(code=finding.code, message=message, position=place, hint=finding.hint, severity=finding.severity)

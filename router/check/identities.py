"""Identities: routes ask for what exists and for what users can have, and a session says whose it is."""

from collections.abc import Iterator

from strangler_fig.diagnostics import Diagnostic
from strangler_fig.documents import did_you_mean
from strangler_fig.units import format_seconds

from ..estate import Authorize, Identity, SessionIdentity, StickyKind
from .references import UNKNOWN_LEGACY, UNUSED
from .subject import Subject

UNKNOWN_IDENTITY = "ES260"
NOBODY = "ES261"
NAMELESS = "ES262"
LOST_KEY = "ES263"
LONG_LIVED = "ES264"
WAY_AROUND = "ES265"

LONGEST_LIFETIME_SECONDS = 300.0
"""So long may claims be valid without a remark: whoever sees them in a log or a dump may use them until then."""


def identities_exist(subject: Subject) -> Iterator[Diagnostic]:
    """Each route asks for an identity, and each session for a legacy service, of this file."""
    for route in subject.estate.routes:
        asked = route.authorize
        if asked is not None and asked.identity not in subject.identity_names:
            message = f"route {route.name}: there is no identity {asked.identity!r}"
            hint = did_you_mean(asked.identity, subject.identity_names)
            yield subject.error(UNKNOWN_IDENTITY, message, "routes", route.name, "authorize", "identity", hint=hint)
    for one in _sessions(subject):
        if one.service not in subject.legacy_names:
            message = f"identity {one.name}: there is no legacy service {one.service!r}"
            hint = did_you_mean(one.service, subject.legacy_names)
            yield subject.error(UNKNOWN_LEGACY, message, "identities", one.name, "session", "service", hint=hint)


def identities_are_used(subject: Subject) -> Iterator[Diagnostic]:
    """An identity that no route asks for protects nothing."""
    written = subject.document.data.get("routes", {})
    if not isinstance(written, dict) or len(written) > len(subject.estate.routes):
        return  # a route whose shape is wrong may have meant to ask for it
    asked = {route.authorize.identity for route in subject.estate.routes if route.authorize}
    for name in sorted(subject.identities.keys() - asked):
        message, hint = f"identity {name} is asked for by no route", "name it in a route's authorize, or remove it"
        yield subject.warning(UNUSED, message, "identities", name, hint=hint)


def somebody_can_pass(subject: Subject) -> Iterator[Diagnostic]:
    """What a route asks of a session's users is among the claims that the session has."""
    for route in subject.estate.routes:
        identity = subject.identities.get(route.authorize.identity) if route.authorize else None
        if route.authorize is None or not isinstance(identity, SessionIdentity):
            continue
        claims = {claim for _, claim in identity.claim_headers}
        for word, claim in _asked(route.authorize, identity):
            if claim not in claims:
                message = f"route {route.name} asks for {word}, but the session {identity.name} has no claim {claim!r}"
                hint = f"write claims: {{{claim}: X-...}} in its session, or name another {word}_claim"
                yield subject.error(NOBODY, message, "routes", route.name, "authorize", word, hint=hint)


def sessions_say_whose_they_are(subject: Subject) -> Iterator[Diagnostic]:
    """An application may answer 200 to strangers too, with a form: the user's name tells the difference."""
    for one in _sessions(subject):
        if "sub" not in {claim for _, claim in one.claim_headers}:
            message = f"identity {one.name}: no claim says who the user is, so any of its headers counts as signed in"
            hint = "name the header with the user's name as sub, as in claims: {sub: X-User}"
            yield subject.warning(NAMELESS, message, "identities", one.name, "session", "claims", hint=hint)


def sticky_keys_survive(subject: Subject) -> Iterator[Diagnostic]:
    """A header that is a session's claim is taken from clients; whoever needs it behind the router looks in vain."""
    for route in subject.estate.routes:
        identity = subject.identities.get(route.authorize.identity) if route.authorize else None
        if not isinstance(identity, SessionIdentity) or route.sticky.kind is not StickyKind.HEADER:
            continue
        if route.has_two_sides and route.sticky.name in {header for header, _ in identity.claim_headers}:
            message = (
                f"route {route.name}: {route.sticky.name} is a claim of the session {identity.name}: a client may "
                "choose its side by it, and no upstream gets it"
            )
            hint = f"let users stay by their session: sticky: {{cookie: {identity.cookie}, without_key: legacy}}"
            yield subject.warning(LOST_KEY, message, "routes", route.name, "sticky", hint=hint)


def claims_are_short_lived(subject: Subject) -> Iterator[Diagnostic]:
    """Signed claims are for one request."""
    for one in subject.estate.identities:
        if one.claims is not None and one.claims.lifetime_seconds > LONGEST_LIFETIME_SECONDS:
            message = (
                f"identity {one.name}: its claims are valid for {format_seconds(one.claims.lifetime_seconds)}, "
                "to whoever gets hold of them"
            )
            hint = f"a request needs seconds; at most {format_seconds(LONGEST_LIFETIME_SECONDS)} are usual"
            yield subject.warning(LONG_LIVED, message, "identities", one.name, "claims", "lifetime", hint=hint)


def legacy_can_tell(subject: Subject) -> Iterator[Diagnostic]:
    """A service that open routes reach too must be able to tell what passed: routes compare paths byte for byte."""
    estate = subject.estate
    open_services = {estate.entry.default, *(route.legacy for route in estate.routes if route.authorize is None)}
    for route in estate.routes:
        identity = subject.identities.get(route.authorize.identity) if route.authorize else None
        if identity is None or identity.claims is not None or route.legacy not in open_services:
            continue
        message = (
            f"route {route.name}: legacy {route.legacy} can be reached around it by another spelling of its path "
            "(as %61 for a), and cannot tell what passed it"
        )
        hint = f"write claims in the identity {identity.name}, and let {route.legacy} ask for x-fig-claims"
        yield subject.warning(WAY_AROUND, message, "routes", route.name, "authorize", hint=hint)


def _sessions(subject: Subject) -> Iterator[SessionIdentity]:
    return (one for one in subject.estate.identities if isinstance(one, SessionIdentity))


def _asked(authorize: Authorize, identity: Identity) -> Iterator[tuple[str, str]]:
    """What is asked for, and the claim that has it."""
    if authorize.scopes:
        yield "scopes", identity.scopes_claim
    if authorize.roles:
        yield "roles", identity.roles_claim

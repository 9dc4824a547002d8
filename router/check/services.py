"""Legacy services: their connections and their affinity must fit what their routes do."""

import re
from collections.abc import Iterator

from strangler_fig.diagnostics import Diagnostic

from ..estate import AffinityKind, Connections, Protocol
from .subject import Subject

LOGIN_UNSEEN = "ES230"
ISSUED_KEY = "ES231"
SESSION_KEY = "ES232"
NO_WEBSOCKET = "ES233"
LOGIN_WITHOUT_CONNECTION = "ES234"

# What application servers call the cookie of a session that they keep in memory, by default.
_SESSION = re.compile(
    r"(?i)JSESSIONID.*|PHPSESSID|ASP\.NET_SessionId|ASPSESSIONID.*|connect\.sid|sessionid|laravel_session|_session_id"
    r"|CFID|CFTOKEN|CGISESSID"
)


def logins_reach_functions(subject: Subject) -> Iterator[Diagnostic]:
    """A login that belongs to a connection stays on it: a function behind the same route sees an anonymous request."""
    for route in subject.estate.routes:
        service = subject.legacy.get(route.legacy or "")
        if service is None or not route.has_two_sides or service.connections is not Connections.PER_CLIENT:
            continue
        message = (
            f"route {route.name}: legacy {service.name} logs connections in (per-client), and {route.candidate} "
            "sees nothing of such a login"
        )
        hint = "let its requests carry who the user is (a header, a token, an identity), or leave lambda out"
        yield subject.warning(LOGIN_UNSEEN, message, "routes", route.name, "lambda", hint=hint)


def affinity_is_steady(subject: Subject) -> Iterator[Diagnostic]:
    """A key that appears while a session lives moves its user to another endpoint, which does not know the session."""
    issued = {
        route.sticky.name: route
        for route in subject.estate.routes
        if route.has_two_sides and route.sticky.issues_cookie
    }
    for service in subject.estate.legacy:
        if service.affinity is None or service.affinity.kind is not AffinityKind.COOKIE:
            continue
        at, name = ("legacy", service.name, "affinity", "cookie"), service.affinity.name
        if name in issued:
            message = (
                f"legacy {service.name}: the router itself issues {name} (route {issued[name].name}), in the middle of "
                "a ramp: its users would change their endpoint"
            )
            hint = "choose client_address, or a header or cookie that is there before the session"
            yield subject.error(ISSUED_KEY, message, *at, hint=hint)
        elif _SESSION.fullmatch(name):
            message = (
                f"legacy {service.name}: {name} looks like a session's own cookie: the endpoint that issues it is not "
                "the one that its value leads to"
            )
            hint = "choose client_address, or a header or cookie that is there before the session"
            yield subject.warning(SESSION_KEY, message, *at, hint=hint)


def protocols_carry_what_is_asked(subject: Subject) -> Iterator[Diagnostic]:
    """Upgrades and logins of connections are HTTP/1."""
    for service in subject.estate.legacy:
        if service.protocol is Protocol.HTTP2 and service.connections is Connections.PER_CLIENT:
            message = f"legacy {service.name}: NTLM and Negotiate log in HTTP/1 connections, and its protocol is http2"
            hint = "write protocol: http1, or leave connections out"
            yield subject.error(LOGIN_WITHOUT_CONNECTION, message, "legacy", service.name, "connections", hint=hint)
    for route in subject.estate.routes:
        asked = subject.legacy.get(route.legacy or "")
        if route.upgrade == "websocket" and asked is not None and asked.protocol is Protocol.HTTP2:
            message = f"route {route.name}: a WebSocket begins in HTTP/1, and legacy {asked.name} speaks http2"
            hint = "send it to a service with protocol: http1 or as-client"
            yield subject.error(NO_WEBSOCKET, message, "routes", route.name, "upgrade", hint=hint)

"""Services and functions: secrets stay secret, versions stay put, nothing calls itself."""

import ipaddress
from collections.abc import Iterator

from strangler_fig.diagnostics import Diagnostic

from ..estate import Endpoint, HttpUpstream, LambdaFunction
from ..hosts import is_ip, is_loopback
from .subject import Subject

MOVING_TARGET = "ES214"
CLEAR_TEXT = "ES215"
OTHER_REGION = "ES216"
LOOP = "ES217"

_LATEST = "$LATEST"


def functions_are_pinned(subject: Subject) -> Iterator[Diagnostic]:
    """A function is called by an alias or a version: `$LATEST` changes under a running ramp, which nobody reviewed."""
    for one in _functions(subject):
        if one.arn.qualifier in (None, _LATEST):
            what = "has no qualifier, which means $LATEST" if one.arn.qualifier is None else "is $LATEST"
            message = f"lambda {one.name}: the ARN {what}: any deployment changes what answers"
            yield subject.warning(MOVING_TARGET, message, "lambda", one.name, "arn", hint="name an alias, as in :live")


def invocations_are_encrypted(subject: Subject) -> Iterator[Diagnostic]:
    """A Lambda API is called in the clear on this machine only.

    An error, not a warning: each call carries a session token and whole requests of users, and every real endpoint of
    the API offers TLS. What a test needs, the loopback interface gives.
    """
    for one in _functions(subject):
        if one.tls is None and not is_loopback(one.endpoint.host):
            message = f"lambda {one.name}: http://{one.host} would carry credentials and requests in the clear"
            hint = f"write https://{one.host}; plain http is for 127.0.0.1 only"
            yield subject.error(CLEAR_TEXT, message, "lambda", one.name, "endpoint", hint=hint)


def regions_agree(subject: Subject) -> Iterator[Diagnostic]:
    """A call is signed for the region that the function is in, else Lambda refuses it."""
    for one in _functions(subject):
        if one.region != one.arn.region:
            message = f"lambda {one.name}: requests are signed for {one.region}, but the ARN is in {one.arn.region}"
            yield subject.error(OTHER_REGION, message, "lambda", one.name, "region", hint="leave region out")


def nothing_calls_the_entry(subject: Subject) -> Iterator[Diagnostic]:
    """An upstream that is the router's own entry would call itself without end."""
    entry = subject.estate.entry.address
    for service in subject.estate.legacy:
        yield from _loops(subject, entry, service.endpoints, ("legacy", service.name, "endpoints"))
    for one in subject.estate.candidates:
        if isinstance(one, HttpUpstream):
            yield from _loops(subject, entry, one.endpoints, ("lambda", one.name, "http", "endpoints"))


def _loops(
    subject: Subject, entry: Endpoint, endpoints: tuple[Endpoint, ...], path: tuple[str, ...]
) -> Iterator[Diagnostic]:
    for place, endpoint in enumerate(endpoints):
        everywhere = ipaddress.ip_address(entry.host).is_unspecified and is_loopback(endpoint.host)
        same = endpoint.host == entry.host or everywhere or (is_loopback(entry.host) and endpoint.host == "localhost")
        if endpoint.port == entry.port and same and (is_ip(endpoint.host) or is_loopback(endpoint.host)):
            message = f"{path[0]} {path[1]}: {endpoint} is the entry itself, so a request would go round for ever"
            yield subject.error(LOOP, message, *path, place, hint="name the address of the application")


def _functions(subject: Subject) -> Iterator[LambdaFunction]:
    return (one for one in subject.estate.candidates if isinstance(one, LambdaFunction))

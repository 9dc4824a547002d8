"""Shapes become the estate: defaults are filled in, lists that are sets are sorted, references stay names.

Everything is in order of its name, so that the order of a file's lines changes nothing downstream.
"""

from collections.abc import Sequence

from ..estate import (
    Candidate,
    Endpoint,
    Entry,
    Estate,
    Health,
    HttpUpstream,
    LambdaFunction,
    LegacyService,
    Match,
    PathKind,
    PathMatch,
    Rewrite,
    Route,
    Sticky,
    StickyKind,
    Tls,
    WithoutKey,
)
from .address import ApiUrl
from .arn import api_host
from .shapes import (
    CandidateShape,
    EntryShape,
    EstateShape,
    HealthShape,
    HttpShape,
    LegacyShape,
    MatchShape,
    RouteShape,
    StickyShape,
    TlsShape,
)

DEFAULT_TIMEOUT_SECONDS = 15.0
DEFAULT_CONNECT_SECONDS = 1.0
DEFAULT_STICKY = Sticky(kind=StickyKind.COOKIE, name="fig-user", without_key=WithoutKey.ASSIGN)


def lower(shape: EstateShape) -> Estate:
    """The estate that the file's shapes stand for."""
    return Estate(
        entry=_entry(shape.entry),
        legacy=tuple(_legacy(name, shape.legacy[name]) for name in sorted(shape.legacy)),
        candidates=tuple(_candidate(name, shape.lambda_[name]) for name in sorted(shape.lambda_)),
        routes=tuple(_route(name, shape.routes[name]) for name in sorted(shape.routes)),
    )


def _entry(shape: EntryShape) -> Entry:
    return Entry(
        address=shape.address,
        default=shape.default,
        max_body_bytes=shape.max_body,
        max_header_bytes=shape.max_headers,
        expose_side=shape.expose_side,
    )


def _legacy(name: str, shape: LegacyShape) -> LegacyService:
    return LegacyService(
        name=name,
        endpoints=tuple(shape.endpoints),
        tls=_tls(shape.tls, shape.endpoints),
        health=_health(shape.health),
        connect_timeout_seconds=shape.connect_timeout,
    )


def _candidate(name: str, shape: CandidateShape) -> Candidate:
    if shape.http is not None:
        return _http_upstream(name, shape, shape.http)
    assert shape.arn is not None, "a candidate's shape has one of the two"  # noqa: S101
    region = shape.region or shape.arn.region
    url = shape.endpoint or ApiUrl(secure=True, endpoint=Endpoint(api_host(region, shape.arn.text), 443))
    return LambdaFunction(
        name=name,
        arn=shape.arn,
        endpoint=url.endpoint,
        tls=_tls(shape.tls or TlsShape(), [url.endpoint]) if url.secure else None,
        host=url.authority,
        region=region,
        timeout_seconds=shape.timeout,
        max_concurrency=shape.max_concurrency,
        connect_timeout_seconds=_connect_seconds(shape),
    )


def _http_upstream(name: str, shape: CandidateShape, http: HttpShape) -> HttpUpstream:
    return HttpUpstream(
        name=name,
        endpoints=tuple(http.endpoints),
        timeout_seconds=shape.timeout,
        tls=_tls(http.tls, http.endpoints, host=http.host),
        health=_health(http.health),
        host=http.host,
        max_concurrency=shape.max_concurrency,
        connect_timeout_seconds=_connect_seconds(shape),
    )


def _connect_seconds(shape: CandidateShape) -> float:
    return shape.connect_timeout or min(DEFAULT_CONNECT_SECONDS, shape.timeout)


def _tls(shape: TlsShape | None, endpoints: Sequence[Endpoint], *, host: str | None = None) -> Tls | None:
    if shape is None:
        return None
    return Tls(name=shape.name or host or endpoints[0].host, ca_file=shape.ca)


def _health(shape: HealthShape | None) -> Health | None:
    if shape is None:
        return None
    return Health(path=shape.path, interval_seconds=shape.interval, timeout_seconds=shape.timeout)


def _route(name: str, shape: RouteShape) -> Route:
    two_sides = shape.legacy is not None and shape.lambda_ is not None
    waits = shape.lambda_ is not None and not shape.stream and shape.upgrade is None
    rewrite = shape.rewrite
    return Route(
        name=name,
        match=_match(shape.match),
        legacy=shape.legacy,
        candidate=shape.lambda_,
        sticky=_sticky(shape.sticky),
        salt=shape.salt or name,
        timeout_seconds=shape.timeout or (DEFAULT_TIMEOUT_SECONDS if waits else None),
        fallback=two_sides if shape.fallback is None else shape.fallback,
        stream=shape.stream,
        upgrade=shape.upgrade,
        rewrite_legacy=Rewrite(path=rewrite.legacy) if rewrite and rewrite.legacy else None,
        rewrite_lambda=Rewrite(path=rewrite.lambda_) if rewrite and rewrite.lambda_ else None,
    )


def _match(shape: MatchShape) -> Match:
    path = shape.path
    if path.exact is not None:
        condition = PathMatch(PathKind.EXACT, path.exact)
    elif path.prefix is not None:
        condition = PathMatch(PathKind.PREFIX, path.prefix)
    else:
        condition = PathMatch(PathKind.REGEX, path.regex or "")
    hosts = [shape.host] if shape.host else shape.hosts or []
    return Match(
        path=condition,
        hosts=tuple(sorted(hosts)),
        methods=tuple(sorted(shape.methods)) if shape.methods else (),
        headers=tuple(sorted(shape.headers.items())) if shape.headers else (),
    )


def _sticky(shape: StickyShape | None) -> Sticky:
    if shape is None:
        return DEFAULT_STICKY
    if shape.client_address:
        return Sticky(kind=StickyKind.CLIENT_ADDRESS, name="", without_key=WithoutKey.ASSIGN)
    if shape.cookie is not None:
        chosen = WithoutKey(shape.without_key or WithoutKey.ASSIGN.value)
        return Sticky(kind=StickyKind.COOKIE, name=shape.cookie, without_key=chosen)
    chosen = WithoutKey(shape.without_key or WithoutKey.LEGACY.value)
    return Sticky(kind=StickyKind.HEADER, name=shape.header or "", without_key=chosen)

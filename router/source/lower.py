"""Shapes become the estate: defaults are filled in, lists that are sets are sorted, references stay names.

Everything is in order of its name, so that the order of a file's lines changes nothing downstream.
"""

from collections.abc import Sequence

from ..estate import (
    Affinity,
    AffinityKind,
    Candidate,
    ClientAddress,
    Cohort,
    Connections,
    Endpoint,
    Entry,
    EntryTls,
    Estate,
    Health,
    HttpUpstream,
    LambdaFunction,
    LegacyService,
    Match,
    PathKind,
    PathMatch,
    Paths,
    Protect,
    Protocol,
    ProxyProtocol,
    Rewrite,
    Route,
    Sticky,
    StickyKind,
    Tls,
    WithoutKey,
)
from .address import ApiUrl
from .arn import api_host
from .lower_policies import authorize, identity, limit, telemetry
from .shapes import (
    AffinityShape,
    CandidateShape,
    CohortShape,
    EntryShape,
    EntryTlsShape,
    EstateShape,
    HealthShape,
    HttpShape,
    LegacyShape,
    MatchShape,
    RouteShape,
    StickyShape,
)
from .tls_shape import TlsShape

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
        identities=tuple(identity(name, shape.identities[name]) for name in sorted(shape.identities)),
        telemetry=telemetry(shape.telemetry),
    )


def _entry(shape: EntryShape) -> Entry:
    return Entry(
        address=shape.address,
        default=shape.default,
        max_body_bytes=shape.max_body,
        max_header_bytes=shape.max_headers,
        expose_side=shape.expose_side,
        client_address=ClientAddress(
            trusted=tuple(sorted(shape.client_address.trusted or ())), hops=shape.client_address.hops
        )
        if shape.client_address
        else None,
        proxy_protocol=ProxyProtocol(shape.proxy_protocol) if shape.proxy_protocol else None,
        health_path=shape.health.path if shape.health else None,
        tls=_entry_tls(shape.tls),
        paths=Paths(shape.paths),
        idle_timeout_seconds=shape.idle_timeout,
        max_connections=shape.max_connections,
        proxies=tuple(sorted(shape.proxies or ())),
        max_hops=shape.max_hops,
    )


def _entry_tls(shape: EntryTlsShape | None) -> EntryTls | None:
    if shape is None:
        return None
    return EntryTls(
        certificate_file=shape.certificate,
        key_file=shape.key,
        client_ca_file=shape.client_ca,
        client_names=tuple(sorted(shape.client_names or ())),
    )


def _legacy(name: str, shape: LegacyShape) -> LegacyService:
    return LegacyService(
        name=name,
        endpoints=tuple(shape.endpoints),
        tls=_tls(shape.tls, shape.endpoints),
        health=_health(shape.health),
        connect_timeout_seconds=shape.connect_timeout,
        affinity=_affinity(shape.affinity),
        connections=Connections(shape.connections),
        protocol=Protocol(shape.protocol),
        idle_timeout_seconds=shape.idle_timeout,
        protect=Protect(
            connections=shape.protect.connections, requests=shape.protect.requests, pending=shape.protect.pending
        )
        if shape.protect
        else Protect(),
    )


def _affinity(shape: AffinityShape | None) -> Affinity | None:
    if shape is None:
        return None
    if shape.none:
        return Affinity(AffinityKind.NONE)
    if shape.client_address:
        return Affinity(AffinityKind.CLIENT_ADDRESS)
    if shape.header is not None:
        return Affinity(AffinityKind.HEADER, shape.header)
    return Affinity(AffinityKind.COOKIE, shape.cookie or "")


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
        paths=Paths(shape.paths or ("as-is" if shape.lambda_ is None else "strict")),
        shadow=shape.shadow,
        cohort=_cohort(shape.cohort),
        authorize=authorize(shape.authorize),
        limit=limit(shape.limit),
    )


def _cohort(shape: CohortShape | None) -> Cohort | None:
    return None if shape is None else Cohort(header=shape.header, values=tuple(dict.fromkeys(shape.values)))


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

"""The estate file's shapes: which keys there are, what each value must be, and what a reader should know about it.

pydantic reads them once; `lower` turns them into the estate at once. `schema` prints these shapes.
"""

from collections.abc import Callable
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, ConfigDict, Field, WrapValidator, model_validator

from .fault import Fault
from .policy_shapes import AuthorizeShape, IdentityShape, LimitShape, TelemetryShape
from .tls_shape import TlsShape, needs_name
from .values import (
    CHOICE,
    Arn,
    BodySize,
    Concurrency,
    Cookie,
    Count,
    Duration,
    Endpoints,
    EntryAddress,
    File,
    HeaderSize,
    HeaderValue,
    HealthPath,
    Hops,
    Host,
    LambdaDuration,
    MatchHeader,
    Method,
    Name,
    OneHost,
    Path,
    Ranges,
    Reference,
    Regex,
    Region,
    Salt,
    Shape,
    StickyHeader,
    Url,
    choose,
    exactly_one,
    refused,
)

_DEFAULT_HEADERS = 64 * 1024


def _no_name_twice(value: Any, parse: Callable[[Any], dict[str, str]]) -> dict[str, str]:
    headers = parse(value)
    if len(headers) < len(value):
        raise refused(Fault(CHOICE, "a header is named twice, in different case", "header names ignore case"))
    return headers


class HealthShape(Shape):
    """An active health check by GET."""

    path: HealthPath = Field(description="The path that answers 200 while the endpoint can serve.")
    interval: Duration = Field(5.0, description="Time between two checks. Default 5s.")
    timeout: Duration = Field(2.0, description="How long an answer may take. Default 2s.")


class ClientAddressShape(Shape):
    """Whose X-Forwarded-For is believed; exactly one of its keys."""

    model_config = ConfigDict(json_schema_extra=exactly_one("trusted", "hops"))

    trusted: Ranges | None = Field(None, description="Ranges of the proxies in front; the first other address counts.")
    hops: Hops | None = Field(None, description="How many proxies stand in front, the VIP included.")

    @model_validator(mode="after")
    def _one_kind(self) -> "ClientAddressShape":
        choose({"trusted": self.trusted, "hops": self.hops})
        return self


class EntryTlsShape(Shape):
    """The entry's certificate, and whether the VIP must show one. Renewed files are used without a restart."""

    certificate: File = Field(description="PEM file: the certificate and its intermediates.")
    key: File = Field(description="PEM file: its private key.")
    client_ca: File | None = Field(None, description="PEM file of CAs; the VIP must show a certificate of theirs.")
    client_names: Annotated[list[OneHost], Field(min_length=1)] | None = Field(
        None, description="Names of which the VIP's certificate must carry one. Default: any that client_ca signed."
    )

    @model_validator(mode="after")
    def _names_need_a_ca(self) -> "EntryTlsShape":
        if self.client_names and not self.client_ca:
            raise refused(Fault(CHOICE, "client_names without client_ca", "write client_ca: with the CAs' PEM file"))
        return self


class EntryHealthShape(Shape):
    """What the VIP's monitor asks."""

    path: HealthPath = Field(description="Answers 200 while requests are welcome, 503 while the router drains.")


class EntryShape(Shape):
    """The listener that the VIP sends to."""

    address: EntryAddress = Field(description="IP and port that the router listens on.")
    default: Reference = Field(description="The legacy service that takes everything no route names.")
    max_body: BodySize | None = Field(None, description="Largest request body. Default: unlimited.")
    max_headers: HeaderSize = Field(_DEFAULT_HEADERS, description="Largest request header block. Default 64KiB.")
    expose_side: bool = Field(default=False, description="Whether answers say who served: x-fig-side, x-fig-assigned.")
    client_address: ClientAddressShape | None = Field(
        None, description="Whose X-Forwarded-For says who the client is. Default: nobody's, the peer is the client."
    )
    proxy_protocol: Literal["required", "optional"] | None = Field(
        None, description="Whether connections begin with a PROXY protocol header, v1 or v2. Default: they do not."
    )
    health: EntryHealthShape | None = Field(None, description="What the VIP's monitor asks. Default: nothing.")
    tls: EntryTlsShape | None = Field(None, description="Speak TLS to the VIP. Default: plain HTTP.")
    paths: Literal["as-is", "strict"] = Field(
        "as-is", description="What the default route does with a path such as /a//b or /a/../b. Strict answers 400."
    )
    idle_timeout: Duration = Field(
        3600.0, description="How long an unused connection stays open: longer than the VIP keeps one. Default 1h."
    )
    max_connections: Count | None = Field(
        None, description="Connections at once, on each node. Default: sized at start from what the host allows."
    )
    proxies: Ranges | None = Field(
        None, description="Ranges from which calls of functions come back: they go to legacy, so that nothing loops."
    )
    max_hops: Hops = Field(10, description="How often one request may pass a router before it is answered 508.")


class AffinityShape(Shape):
    """By what a client stays on one endpoint; exactly one of its keys."""

    model_config = ConfigDict(json_schema_extra=exactly_one("header", "cookie", "client_address", "none"))

    header: StickyHeader | None = Field(None, description="A request header; without it the client's address counts.")
    cookie: Cookie | None = Field(None, description="A cookie; without it the client's address counts.")
    client_address: Literal[True] | None = Field(None, description="true: the client's IP address.")
    none: Literal[True] | None = Field(None, description="true: any endpoint may answer any request.")

    @model_validator(mode="after")
    def _one_kind(self) -> "AffinityShape":
        choose({"header": self.header, "cookie": self.cookie, "client_address": self.client_address, "none": self.none})
        return self


class ProtectShape(Shape):
    """What a legacy service may be given at once, by the whole fleet; the live nodes share it."""

    connections: Count | None = Field(None, description="Connections. Default: unlimited.")
    requests: Count | None = Field(None, description="Requests in flight. Default: unlimited.")
    pending: Count | None = Field(None, description="Requests that wait for a connection. Default: unlimited.")


class LegacyShape(Shape):
    """An application on-premises."""

    endpoints: Endpoints = Field(description="Where it listens: host:port, by name or IP.")
    tls: TlsShape | None = Field(None, description="Speak TLS to it. Default: plain HTTP.")
    health: HealthShape | None = Field(None, description="Check its endpoints actively. Default: not.")
    connect_timeout: Duration = Field(1.0, description="How long connecting may take. Default 1s.")
    affinity: AffinityShape | None = Field(
        None,
        description="By what a client stays on one endpoint. Default with several endpoints: the sticky header that "
        "all its routes share, else the client's address.",
    )
    connections: Literal["pooled", "per-client"] = Field(
        "pooled", description="per-client: each client connection has its own, which NTLM and Negotiate need."
    )
    protocol: Literal["http1", "http2", "as-client"] = Field(
        "http1", description="What it speaks; gRPC needs http2. as-client: what its client speaks."
    )
    idle_timeout: Duration = Field(
        4.0, description="How long an unused connection is kept: less than the application keeps one. Default 4s."
    )
    protect: ProtectShape | None = Field(None, description="What it may be given at once. Default: no limits.")

    @model_validator(mode="after")
    def _has_name(self) -> "LegacyShape":
        needs_name(self.tls, self.endpoints)
        return self


class HttpShape(Shape):
    """A new side that is plain HTTP: an internal ALB or a private API Gateway."""

    endpoints: Endpoints = Field(description="Where it listens: host:port, by name or IP.")
    tls: TlsShape | None = Field(None, description="Speak TLS to it. Default: plain HTTP.")
    health: HealthShape | None = Field(None, description="Check its endpoints actively. Default: not.")
    host: OneHost | None = Field(None, description="Host header that it is called with. Default: the request's own.")

    @model_validator(mode="after")
    def _has_name(self) -> "HttpShape":
        needs_name(self.tls, self.endpoints, self.host)
        return self


class CandidateShape(Shape):
    """A new side: a Lambda function (`arn`), or an HTTP upstream (`http`)."""

    model_config = ConfigDict(json_schema_extra=exactly_one("arn", "http"))

    arn: Arn | None = Field(None, description="The function, with an alias or a version as its qualifier.")
    endpoint: Url | None = Field(
        None, description="URL of the Lambda API: a VPC interface endpoint. Default: the region's public one."
    )
    tls: TlsShape | None = Field(None, description="CA and name of the endpoint. An https endpoint is always verified.")
    region: Region | None = Field(None, description="Region that requests are signed for. Default: the ARN's.")
    http: HttpShape | None = Field(None, description="A plain HTTP upstream instead of a function.")
    timeout: LambdaDuration = Field(5.0, description="How long one try may take, connecting included. Default 5s.")
    connect_timeout: Duration | None = Field(None, description="How long connecting may take. Default 1s, or timeout.")
    max_concurrency: Concurrency | None = Field(
        None, description="Requests at once; what exceeds it goes to legacy. Default: unlimited."
    )

    @model_validator(mode="after")
    def _one_kind(self) -> "CandidateShape":
        choose({"arn": self.arn, "http": self.http})
        if self.http:
            for key in ("endpoint", "tls", "region"):
                if getattr(self, key) is not None:
                    raise refused(Fault(CHOICE, f"{key} belongs to a function, not to http", "move it into http:"))
        if self.endpoint and self.tls and not self.endpoint.secure:
            raise refused(Fault(CHOICE, "tls is set, but the endpoint is http://", "write https:// or leave tls out"))
        if self.endpoint and self.endpoint.secure:
            needs_name(self.tls or TlsShape(), [self.endpoint.endpoint])
        return self


class PathShape(Shape):
    """A path condition; exactly one of its keys."""

    model_config = ConfigDict(json_schema_extra=exactly_one("exact", "prefix", "regex"))

    exact: Path | None = Field(None, description="The whole path, without query; case counts.")
    prefix: Path | None = Field(
        None, description="Whole leading segments: /books takes /books and /books/7, never /booksale."
    )
    regex: Regex | None = Field(None, description="RE2 expression that the whole path must match.")

    @model_validator(mode="after")
    def _one_kind(self) -> "PathShape":
        choose({"exact": self.exact, "prefix": self.prefix, "regex": self.regex})
        return self


class MatchShape(Shape):
    """What a route takes: all conditions must hold."""

    model_config = ConfigDict(json_schema_extra={"not": {"required": ["host", "hosts"]}})

    host: Host | None = Field(None, description="Host without port; *.example takes every name below. Default: all.")
    hosts: Annotated[list[Host], Field(min_length=1)] | None = Field(None, description="Several hosts.")
    path: PathShape = Field(description="The path condition.")
    methods: Annotated[list[Method], Field(min_length=1)] | None = Field(
        None, description="Methods in upper case. Default: all."
    )
    headers: Annotated[dict[MatchHeader, HeaderValue], WrapValidator(_no_name_twice)] | None = Field(
        None, description="Headers that must have exactly these values; names without regard to case."
    )

    @model_validator(mode="after")
    def _one_of_hosts(self) -> "MatchShape":
        if self.host and self.hosts:
            raise refused(Fault(CHOICE, "host and hosts exclude each other", "put all of them into hosts"))
        for values in (self.hosts, self.methods):
            if values is not None and len(set(values)) < len(values):
                twice = next(value for value in values if values.count(value) > 1)
                raise refused(Fault(CHOICE, f"{twice} is listed twice", "leave one out"))
        return self


class StickyShape(Shape):
    """By what a user stays on a side; exactly one of header, cookie, client_address."""

    model_config = ConfigDict(json_schema_extra=exactly_one("header", "cookie", "client_address"))

    header: StickyHeader | None = Field(None, description="A request header that identifies the user.")
    cookie: Cookie | None = Field(None, description="A cookie that identifies the user.")
    client_address: Literal[True] | None = Field(None, description="true: the client's IP address.")
    without_key: Literal["legacy", "assign"] | None = Field(
        None,
        description="A request without it: legacy serves it, or it is assigned a side (by a cookie that the router "
        "issues, or for a header by the client's address). Default: assign for a cookie, legacy for a header.",
    )

    @model_validator(mode="after")
    def _one_kind(self) -> "StickyShape":
        choose({"header": self.header, "cookie": self.cookie, "client_address": self.client_address})
        if self.client_address and self.without_key:
            hint = "leave without_key out"
            raise refused(Fault(CHOICE, "every request has a client_address, so without_key says nothing", hint))
        return self


class RewriteShape(Shape):
    """What replaces the matched path: the prefix of a prefix route, the whole path of an exact one."""

    legacy: Path | None = Field(None, description="Replacement on the legacy side.")
    lambda_: Path | None = Field(None, alias="lambda", description="Replacement on the Lambda side.")


class CohortShape(Shape):
    """Named users, known by a request header."""

    header: MatchHeader = Field(description="The request header that names them.")
    values: list[HeaderValue] = Field(min_length=1, description="Its values, any of them.")


class RouteShape(Shape):
    """A match and its two sides."""

    match: MatchShape = Field(description="What the route takes.")
    legacy: Reference | None = Field(None, description="Name of the legacy service. At least one side is required.")
    lambda_: Reference | None = Field(None, alias="lambda", description="Name of the function or HTTP upstream.")
    timeout: Duration | None = Field(
        None,
        description="How long the whole answer may take, a Lambda try and a legacy answer together. "
        "Default: 15s with a Lambda side, none without.",
    )
    sticky: StickyShape | None = Field(
        None, description="By what a user stays on a side. Default: cookie fig-user, issued by the router."
    )
    salt: Salt | None = Field(
        None, description="Decorrelates users between routes; routes that share it move one cohort. Default: the name."
    )
    fallback: bool | None = Field(
        None, description="Whether legacy serves what Lambda failed. Default: true with two sides."
    )
    rewrite: RewriteShape | None = Field(None, description="Path rewrite per side, for exact and prefix.")
    stream: bool = Field(default=False, description="SSE, gRPC, long downloads: legacy only, without timeout.")
    upgrade: Literal["websocket", "connect"] | None = Field(
        None, description="WebSocket or CONNECT: legacy only, without timeout."
    )
    paths: Literal["as-is", "strict"] | None = Field(
        None,
        description="What becomes of a path such as /a//b or /a/../b. Strict: legacy takes it as it is, never the "
        "function. Default: strict with a Lambda side, as-is without.",
    )
    shadow: bool = Field(
        default=False,
        description="Whether a share of its safe requests can be shown to the side that does not serve, too. It costs "
        "each node about 15 kB a route.",
    )
    cohort: CohortShape | None = Field(
        None, description="Named users whom a release can send to Lambda before anybody else (its cohort step)."
    )
    authorize: AuthorizeShape | None = Field(None, description="Who may use it. Default: everybody.")
    limit: LimitShape | None = Field(None, description="How many requests it takes. Default: all.")


def only_a_number(value: object) -> object:
    """The value, unless it only equals a number: Python takes `true` for 1."""
    if type(value) is not int:
        message = "it is 1"
        raise ValueError(message)
    return value


class EstateShape(Shape):
    """All that exists: the entry, legacy services, functions, routes."""

    version: Annotated[Literal[1], BeforeValidator(only_a_number)] = Field(description="Version of this format.")
    entry: EntryShape = Field(description="Where requests come in, and what takes those that no route names.")
    legacy: dict[Name, LegacyShape] = Field(description="Applications on-premises, by name.")
    lambda_: dict[Name, CandidateShape] = Field(
        default_factory=dict, alias="lambda", description="Functions and HTTP upstreams that replace them, by name."
    )
    identities: dict[Name, IdentityShape] = Field(
        default_factory=dict, description="How users prove who they are, by name."
    )
    telemetry: TelemetryShape | None = Field(None, description="Where traces, logs and metrics go. Default: nowhere.")
    routes: dict[Name, RouteShape] = Field(default_factory=dict, description="What moves, route by route, by name.")

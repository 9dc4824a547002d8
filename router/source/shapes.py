"""The estate file's shapes: which keys there are, what each value must be, and what a reader should know about it.

pydantic reads them once; `lower` turns them into the estate at once. Values that have a grammar (addresses, ARNs,
durations) are parsed on the way, so what a shape holds is already the domain's value. `schema` prints these shapes.
"""

import functools
from collections.abc import Callable, Sequence
from typing import Annotated, Any, Literal

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    PlainValidator,
    WithJsonSchema,
    WrapValidator,
    model_validator,
)
from pydantic_core import PydanticCustomError

from ..estate import Endpoint, FunctionArn
from ..hosts import is_ip
from . import address, arn, path, quantity, tokens
from .address import ApiUrl
from .fault import Fault

CHOICE = "ES115"
TEXT = "ES116"

_ANY_TEXT = ".+"
_DEFAULT_HEADERS = 64 * 1024
_MAX_CONCURRENCY = 1_000_000
_LONGEST = 86_400.0


def _fault(fault: Fault) -> PydanticCustomError:
    return PydanticCustomError(fault.code, "{text}", {"text": fault.message, "hint": fault.hint})


def _text(value: Any) -> str:
    if isinstance(value, str):
        return value
    kind = {bool: "a truth value", int: "a number", float: "a number", list: "a list", dict: "a mapping"}[type(value)]
    quotable = isinstance(value, (bool, int, float))
    raise _fault(Fault(TEXT, f"it is {kind}, not text", "write it in quotes" if quotable else ""))


def _parsed(parse: Callable[[str], Any], *, of_number: bool = False, differs: bool = False) -> PlainValidator:
    """Validate by `parse`; with `of_number` a bare number goes there too, whose message asks for the unit.

    What was parsed is remembered, because thousands of routes share a few hosts, methods and durations; not so where it
    `differs` from route to route.
    """
    parse = parse if differs else functools.lru_cache(maxsize=256)(parse)

    def validate(value: Any) -> Any:
        try:
            if isinstance(value, str):
                return parse(value)
            return parse(str(value)) if of_number and isinstance(value, (int, float)) else parse(_text(value))
        except Fault as fault:
            raise _fault(fault) from fault

    return PlainValidator(validate)


def _described(pattern: str, *examples: str) -> WithJsonSchema:
    """The JSON Schema of a text: its pattern, or anything with a variable in it, which only the reader can resolve."""
    return WithJsonSchema({"type": "string", "pattern": rf"^({pattern})$|\$\{{", "examples": list(examples)})


def _no_name_twice(value: Any, parse: Callable[[Any], dict[str, str]]) -> dict[str, str]:
    headers = parse(value)
    if len(headers) < len(value):
        raise _fault(Fault(CHOICE, "a header is named twice, in different case", "header names ignore case"))
    return headers


def _non_empty(text: str) -> str:
    if not text or not text.isprintable():
        raise Fault(TEXT, "it is empty or has characters that cannot be printed")
    return text


Name = Annotated[str, _parsed(tokens.parse_id, differs=True), _described(tokens.ID_PATTERN, "books-read")]
Reference = Annotated[str, _parsed(_non_empty), _described(tokens.ID_PATTERN)]
Address = Annotated[Endpoint, _parsed(address.parse_endpoint), _described(r".+:[0-9]{1,5}", "shop.internal:8080")]
EntryAddress = Annotated[Endpoint, _parsed(address.parse_entry_address), _described(r".+:[0-9]{1,5}", "0.0.0.0:8080")]
Url = Annotated[ApiUrl, _parsed(address.parse_api_url), _described("https?://[^/?#]+/?", "http://127.0.0.1:9002")]
Host = Annotated[str, _parsed(address.parse_host), _described(r"(\*\.)?[^*/?#]+", "books.example", "*.example")]
OneHost = Annotated[str, _parsed(address.parse_one_host), _described("[^*/?#]+", "books.example")]
Arn = Annotated[
    FunctionArn,
    _parsed(arn.parse_arn),
    _described(
        r"arn:aws[a-z-]*:lambda:[a-z0-9-]+:[0-9]{12}:function:[A-Za-z0-9_-]{1,64}(:(\$LATEST|[A-Za-z0-9_-]{1,128}))?",
        "arn:aws:lambda:eu-west-1:123456789012:function:books:live",
    ),
]
Region = Annotated[str, _parsed(arn.parse_region), _described("[a-z]{2}(-[a-z]+)+-[0-9]{1,2}", "eu-west-1")]
Path = Annotated[str, _parsed(path.parse_path, differs=True), _described("/[^?#]*", "/books")]
HealthPath = Annotated[str, _parsed(path.parse_health_path), _described("/[^#]*", "/health")]
Regex = Annotated[str, _parsed(path.parse_regex, differs=True), _described(_ANY_TEXT, "/books/[0-9]+")]
Method = Annotated[str, _parsed(tokens.parse_method), _described(tokens.METHOD_PATTERN, "GET")]
MatchHeader = Annotated[str, _parsed(tokens.parse_match_header), _described(tokens.TOKEN_PATTERN, "X-Api")]
HeaderValue = Annotated[str, _parsed(tokens.parse_header_value), _described(_ANY_TEXT, "v2")]
StickyHeader = Annotated[str, _parsed(tokens.parse_sticky_header), _described(tokens.TOKEN_PATTERN, "X-User")]
Cookie = Annotated[str, _parsed(tokens.parse_cookie_name), _described(tokens.TOKEN_PATTERN, "fig-user")]
Salt = Annotated[str, _parsed(tokens.parse_salt, differs=True), _described(tokens.SALT_PATTERN, "books")]
File = Annotated[str, _parsed(_non_empty), _described(_ANY_TEXT, "/etc/ssl/ca.pem")]
Duration = Annotated[
    float,
    _parsed(quantity.duration_up_to(_LONGEST), of_number=True),
    _described(quantity.DURATION_PATTERN, "500ms", "2s"),
]
LambdaDuration = Annotated[
    float,
    _parsed(quantity.duration_up_to(quantity.LAMBDA_LIMIT_SECONDS), of_number=True),
    _described(quantity.DURATION_PATTERN, "5s"),
]
BodySize = Annotated[
    # Envoy counts bodies in 32 bits.
    int, _parsed(quantity.size_between(1, 2**32 - 1), of_number=True), _described(quantity.SIZE_PATTERN, "50MB")
]
HeaderSize = Annotated[
    # Source: Envoy API v3, HttpConnectionManager.max_request_headers_kb: from 1 to 8192.
    int, _parsed(quantity.size_between(2**10, 8 * 2**20), of_number=True), _described(quantity.SIZE_PATTERN, "64KiB")
]
Concurrency = Annotated[int, Field(ge=1, le=_MAX_CONCURRENCY)]
Endpoints = Annotated[list[Address], Field(min_length=1)]


def _exactly_one(*keys: str) -> dict[str, Any]:
    return {"oneOf": [{"required": [key]} for key in keys]}


def _choose(found: dict[str, object | None]) -> None:
    given = [key for key, value in found.items() if value is not None]
    if len(given) != 1:
        text = f"{' and '.join(given)} exclude each other" if given else "nothing is chosen"
        raise _fault(Fault(CHOICE, text, f"write exactly one of {', '.join(found)}"))


class Shape(BaseModel):
    """A mapping of the file: nothing but its own keys, nothing converted silently."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True, arbitrary_types_allowed=True)


class TlsShape(Shape):
    """How an upstream proves who it is."""

    ca: File | None = Field(None, description="PEM file of the CAs to trust. Default: the system's.")
    name: OneHost | None = Field(None, description="The name its certificate must carry. Default: the endpoints' name.")


class HealthShape(Shape):
    """An active health check by GET."""

    path: HealthPath = Field(description="The path that answers 200 while the endpoint can serve.")
    interval: Duration = Field(5.0, description="Time between two checks. Default 5s.")
    timeout: Duration = Field(2.0, description="How long an answer may take. Default 2s.")


def _needs_name(tls: TlsShape | None, endpoints: Sequence[Endpoint], host: str | None = None) -> None:
    """Refuse TLS whose certificate's name nobody can tell: several hosts, or addresses instead of a name."""
    if tls is None or tls.name or host:
        return
    hosts = {endpoint.host for endpoint in endpoints}
    if len(hosts) > 1 or any(is_ip(one) for one in hosts):
        reason = "the endpoints are addresses or several hosts"
        raise _fault(
            Fault(CHOICE, f"tls needs a name, because {reason}", "write tls: name: with the certificate's name")
        )


class EntryShape(Shape):
    """The listener that the VIP sends to."""

    address: EntryAddress = Field(description="IP and port that the router listens on.")
    default: Reference = Field(description="The legacy service that takes everything no route names.")
    max_body: BodySize | None = Field(None, description="Largest request body. Default: unlimited.")
    max_headers: HeaderSize = Field(_DEFAULT_HEADERS, description="Largest request header block. Default 64KiB.")
    expose_side: bool = Field(default=False, description="Whether answers say who served: x-fig-side, x-fig-assigned.")


class LegacyShape(Shape):
    """An application on-premises."""

    endpoints: Endpoints = Field(description="Where it listens: host:port, by name or IP.")
    tls: TlsShape | None = Field(None, description="Speak TLS to it. Default: plain HTTP.")
    health: HealthShape | None = Field(None, description="Check its endpoints actively. Default: not.")
    connect_timeout: Duration = Field(1.0, description="How long connecting may take. Default 1s.")

    @model_validator(mode="after")
    def _has_name(self) -> "LegacyShape":
        _needs_name(self.tls, self.endpoints)
        return self


class HttpShape(Shape):
    """A new side that is plain HTTP: an internal ALB or a private API Gateway."""

    endpoints: Endpoints = Field(description="Where it listens: host:port, by name or IP.")
    tls: TlsShape | None = Field(None, description="Speak TLS to it. Default: plain HTTP.")
    health: HealthShape | None = Field(None, description="Check its endpoints actively. Default: not.")
    host: OneHost | None = Field(None, description="Host header that it is called with. Default: the request's own.")

    @model_validator(mode="after")
    def _has_name(self) -> "HttpShape":
        _needs_name(self.tls, self.endpoints, self.host)
        return self


class CandidateShape(Shape):
    """A new side: a Lambda function (`arn`), or an HTTP upstream (`http`)."""

    model_config = ConfigDict(json_schema_extra=_exactly_one("arn", "http"))

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
        _choose({"arn": self.arn, "http": self.http})
        if self.http:
            for key in ("endpoint", "tls", "region"):
                if getattr(self, key) is not None:
                    raise _fault(Fault(CHOICE, f"{key} belongs to a function, not to http", "move it into http:"))
        if self.endpoint and self.tls and not self.endpoint.secure:
            raise _fault(Fault(CHOICE, "tls is set, but the endpoint is http://", "write https:// or leave tls out"))
        if self.endpoint and self.endpoint.secure:
            _needs_name(self.tls or TlsShape(), [self.endpoint.endpoint])
        return self


class PathShape(Shape):
    """A path condition; exactly one of its keys."""

    model_config = ConfigDict(json_schema_extra=_exactly_one("exact", "prefix", "regex"))

    exact: Path | None = Field(None, description="The whole path, without query; case counts.")
    prefix: Path | None = Field(
        None, description="Whole leading segments: /books takes /books and /books/7, never /booksale."
    )
    regex: Regex | None = Field(None, description="RE2 expression that the whole path must match.")

    @model_validator(mode="after")
    def _one_kind(self) -> "PathShape":
        _choose({"exact": self.exact, "prefix": self.prefix, "regex": self.regex})
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
            raise _fault(Fault(CHOICE, "host and hosts exclude each other", "put all of them into hosts"))
        for values in (self.hosts, self.methods):
            if values is not None and len(set(values)) < len(values):
                twice = next(value for value in values if values.count(value) > 1)
                raise _fault(Fault(CHOICE, f"{twice} is listed twice", "leave one out"))
        return self


class StickyShape(Shape):
    """By what a user stays on a side; exactly one of header, cookie, client_address."""

    model_config = ConfigDict(json_schema_extra=_exactly_one("header", "cookie", "client_address"))

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
        _choose({"header": self.header, "cookie": self.cookie, "client_address": self.client_address})
        if self.client_address and self.without_key:
            hint = "leave without_key out"
            raise _fault(Fault(CHOICE, "every request has a client_address, so without_key says nothing", hint))
        return self


class RewriteShape(Shape):
    """What replaces the matched path: the prefix of a prefix route, the whole path of an exact one."""

    legacy: Path | None = Field(None, description="Replacement on the legacy side.")
    lambda_: Path | None = Field(None, alias="lambda", description="Replacement on the Lambda side.")


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


def _only_a_number(value: object) -> object:
    """The value, unless it only equals a number: Python takes `true` for 1."""
    if type(value) is not int:
        message = "it is 1"
        raise ValueError(message)
    return value


class EstateShape(Shape):
    """All that exists: the entry, legacy services, functions, routes."""

    version: Annotated[Literal[1], BeforeValidator(_only_a_number)] = Field(description="Version of this format.")
    entry: EntryShape = Field(description="Where requests come in, and what takes those that no route names.")
    legacy: dict[Name, LegacyShape] = Field(description="Applications on-premises, by name.")
    lambda_: dict[Name, CandidateShape] = Field(
        default_factory=dict, alias="lambda", description="Functions and HTTP upstreams that replace them, by name."
    )
    routes: dict[Name, RouteShape] = Field(default_factory=dict, description="What moves, route by route, by name.")

"""The values that the estate file's shapes are made of: each type parses its grammar and knows its JSON Schema.

Values that have a grammar (addresses, ARNs, durations) are parsed on the way, so what a shape holds is already the
domain's value.
"""

import functools
from collections.abc import Callable
from typing import Annotated, Any

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    PlainValidator,
    WithJsonSchema,
)
from pydantic_core import PydanticCustomError

from strangler_fig.units import UnitError, share

from ..estate import Endpoint, FunctionArn
from . import address, arn, path, quantity, ranges, tokens
from .address import ApiUrl, WebUrl
from .fault import Fault

CHOICE = "ES115"
TEXT = "ES116"

_ANY_TEXT = ".+"
_MAX_CONCURRENCY = 1_000_000
_MOST_HOPS = 100
_LONGEST = 86_400.0


def refused(fault: Fault) -> PydanticCustomError:
    """The fault as what pydantic collects."""
    return PydanticCustomError(fault.code, "{text}", {"text": fault.message, "hint": fault.hint})


def _text(value: Any) -> str:
    if isinstance(value, str):
        return value
    kind = {bool: "a truth value", int: "a number", float: "a number", list: "a list", dict: "a mapping"}[type(value)]
    quotable = isinstance(value, (bool, int, float))
    raise refused(Fault(TEXT, f"it is {kind}, not text", "write it in quotes" if quotable else ""))


def parsed(parse: Callable[[str], Any], *, of_number: bool = False, differs: bool = False) -> PlainValidator:
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
            raise refused(fault) from fault

    return PlainValidator(validate)


def described(pattern: str, *examples: str) -> WithJsonSchema:
    """The JSON Schema of a text: its pattern, or anything with a variable in it, which only the reader can resolve."""
    return WithJsonSchema({"type": "string", "pattern": rf"^({pattern})$|\$\{{", "examples": list(examples)})


def _non_empty(text: str) -> str:
    if not text or not text.isprintable():
        raise Fault(TEXT, "it is empty or has characters that cannot be printed")
    return text


def _share(text: str) -> int:
    try:
        return share(text)
    except UnitError as error:
        raise Fault(quantity.SIZE, str(error), "write a percentage, as in 10%") from error


Name = Annotated[str, parsed(tokens.parse_id, differs=True), described(tokens.ID_PATTERN, "books-read")]
Reference = Annotated[str, parsed(_non_empty), described(tokens.ID_PATTERN)]
Address = Annotated[Endpoint, parsed(address.parse_endpoint), described(r".+:[0-9]{1,5}", "shop.internal:8080")]
EntryAddress = Annotated[Endpoint, parsed(address.parse_entry_address), described(r".+:[0-9]{1,5}", "0.0.0.0:8080")]
Url = Annotated[ApiUrl, parsed(address.parse_api_url), described("https?://[^/?#]+/?", "http://127.0.0.1:9002")]
Host = Annotated[str, parsed(address.parse_host), described(r"(\*\.)?[^*/?#]+", "books.example", "*.example")]
OneHost = Annotated[str, parsed(address.parse_one_host), described("[^*/?#]+", "books.example")]
Arn = Annotated[
    FunctionArn,
    parsed(arn.parse_arn),
    described(
        r"arn:aws[a-z-]*:lambda:[a-z0-9-]+:[0-9]{12}:function:[A-Za-z0-9_-]{1,64}(:(\$LATEST|[A-Za-z0-9_-]{1,128}))?",
        "arn:aws:lambda:eu-west-1:123456789012:function:books:live",
    ),
]
Region = Annotated[str, parsed(arn.parse_region), described("[a-z]{2}(-[a-z]+)+-[0-9]{1,2}", "eu-west-1")]
Path = Annotated[str, parsed(path.parse_path, differs=True), described("/[^?#]*", "/books")]
HealthPath = Annotated[str, parsed(path.parse_health_path), described("/[^#]*", "/health")]
Regex = Annotated[str, parsed(path.parse_regex, differs=True), described(_ANY_TEXT, "/books/[0-9]+")]
Method = Annotated[str, parsed(tokens.parse_method), described(tokens.METHOD_PATTERN, "GET")]
MatchHeader = Annotated[str, parsed(tokens.parse_match_header), described(tokens.TOKEN_PATTERN, "X-Api")]
HeaderValue = Annotated[str, parsed(tokens.parse_header_value), described(_ANY_TEXT, "v2")]
StickyHeader = Annotated[str, parsed(tokens.parse_sticky_header), described(tokens.TOKEN_PATTERN, "X-User")]
Cookie = Annotated[str, parsed(tokens.parse_cookie_name), described(tokens.TOKEN_PATTERN, "fig-user")]
Salt = Annotated[str, parsed(tokens.parse_salt, differs=True), described(tokens.SALT_PATTERN, "books")]
File = Annotated[str, parsed(_non_empty), described(_ANY_TEXT, "/etc/ssl/ca.pem")]
Duration = Annotated[
    float,
    parsed(quantity.duration_up_to(_LONGEST), of_number=True),
    described(quantity.DURATION_PATTERN, "500ms", "2s"),
]
LambdaDuration = Annotated[
    float,
    parsed(quantity.duration_up_to(quantity.LAMBDA_LIMIT_SECONDS), of_number=True),
    described(quantity.DURATION_PATTERN, "5s"),
]
BodySize = Annotated[
    # Envoy counts bodies in 32 bits.
    int, parsed(quantity.size_between(1, 2**32 - 1), of_number=True), described(quantity.SIZE_PATTERN, "50MB")
]
HeaderSize = Annotated[
    # Source: Envoy API v3, HttpConnectionManager.max_request_headers_kb: from 1 to 8192.
    int, parsed(quantity.size_between(2**10, 8 * 2**20), of_number=True), described(quantity.SIZE_PATTERN, "64KiB")
]
ShareOfRequests = Annotated[int, parsed(_share, of_number=True), described(r"[0-9]+(\.[0-9]{1,2})?%", "10%")]
Range = Annotated[str, parsed(ranges.parse_range), described(r"[0-9a-fA-F.:]+(/[0-9]{1,3})?", "10.20.0.0/24")]
Ranges = Annotated[list[Range], Field(min_length=1)]
SecretName = Annotated[str, parsed(tokens.parse_variable), described("[A-Za-z_][A-Za-z0-9_]*", "CLAIMS_KEY")]
HttpsUrl = Annotated[
    WebUrl, parsed(address.parse_https_url), described(r"https://[^?#]+", "https://login.example/jwks.json")
]
OtlpUrl = Annotated[
    WebUrl | None,
    parsed(address.parse_web_url_or_none),
    described(r"(https?://[^?#]+)?", "http://collector.internal:4318"),
]
Claim = Annotated[str, parsed(_non_empty), described(_ANY_TEXT, "scope")]
Word = Annotated[str, parsed(tokens.parse_word), described(tokens.WORD_PATTERN, "books:read")]
Words = Annotated[list[Word], Field(min_length=1)]
Text = Annotated[str, parsed(_non_empty), described(_ANY_TEXT, "https://login.example/")]
HeaderName = Annotated[str, parsed(tokens.parse_header_name), described(tokens.TOKEN_PATTERN, "X-User")]
Count = Annotated[int, Field(ge=1, le=_MAX_CONCURRENCY)]
Hops = Annotated[int, Field(ge=1, le=_MOST_HOPS)]
Concurrency = Annotated[int, Field(ge=1, le=_MAX_CONCURRENCY)]
Endpoints = Annotated[list[Address], Field(min_length=1)]


def exactly_one(*keys: str) -> dict[str, Any]:
    """The JSON Schema that asks for exactly one of the keys."""
    return {"oneOf": [{"required": [key]} for key in keys]}


def choose(found: dict[str, object | None]) -> None:
    """Refuse a mapping that does not give exactly one of the keys in `found`."""
    given = [key for key, value in found.items() if value is not None]
    if len(given) != 1:
        text = f"{' and '.join(given)} exclude each other" if given else "nothing is chosen"
        raise refused(Fault(CHOICE, text, f"write exactly one of {', '.join(found)}"))


class Shape(BaseModel):
    """A mapping of the file: nothing but its own keys, nothing converted silently."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True, arbitrary_types_allowed=True)

"""A handler's API Gateway v2 answer as Envoy's filter wants it.

The rule: what is not an answer is an error. Envoy 1.40 itself turns a body that is no base64 into an empty 200, writes
a line break in a header value to the wire, drops `multiValueHeaders`, and breaks the client's connection when an answer
to HEAD has a body; all four are settled here.
"""

import binascii
import json
import re
from collections.abc import Iterator, Mapping
from itertools import chain

from strangler_fig.names import COLD_START_HEADER, FALLBACK_HEADER, HEADER_PREFIX, SHADOW_HEADER

from ..errors import AnswerInvalid
from .shapes import EnvoyAnswer

_TOKEN = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_CONTROL = re.compile(r"[\x00-\x08\x0a-\x1f\x7f]")
_FIRST_STATUS, _LAST_STATUS = 200, 599
_NO_CONTENT = frozenset({204, 205, 304})
# One connection's business.
_HOP_BY_HOP = frozenset(
    {"connection", "keep-alive", "proxy-connection", "te", "trailer", "transfer-encoding", "upgrade"}
)
_RESERVED_PREFIXES = ("x-amz-", "x-amzn-", "x-envoy-", HEADER_PREFIX)
_OF_FUNCTIONS = frozenset({FALLBACK_HEADER, SHADOW_HEADER, COLD_START_HEADER})
"""What a function may say to the router: that it did nothing, left no trace of a shadow, was started for a request."""
# Headers that hold one value: two of them are a fault, not a list. Source: RFC 9110, RFC 9111, RFC 6797, Fetch.
_SINGLE = frozenset(
    {
        "access-control-allow-credentials",
        "access-control-allow-origin",
        "access-control-max-age",
        "age",
        "content-disposition",
        "content-length",
        "content-location",
        "content-range",
        "content-type",
        "date",
        "etag",
        "expires",
        "last-modified",
        "location",
        "retry-after",
        "server",
        "strict-transport-security",
    }
)


def from_gateway(answer: object, method: str = "GET") -> EnvoyAnswer:
    """Envoy's form of what a handler returned to a request with `method`.

    A string, a list or an object without `statusCode` is a 200 with a JSON body, as API Gateway v2 infers it.
    Raises: AnswerInvalid, for whatever API Gateway would refuse.
    """
    if not isinstance(answer, Mapping) or "statusCode" not in answer:
        return _inferred(answer, method)
    status, encoded, body = parts(answer)
    headers, cookies = _headers(answer)
    headers.pop("content-length", None)  # Envoy counts the body itself
    if status not in _NO_CONTENT:
        headers.setdefault("content-type", "text/plain;charset=UTF-8")  # as an HTTP API does; Envoy would say JSON
    if status in _NO_CONTENT or method == "HEAD":
        body, encoded = "", False  # Envoy would send it all the same, and break the client's connection by it
    return {
        "status_code": status,
        "headers": headers,
        "cookies": cookies,
        "body": body,
        "is_base64_encoded": encoded,
    }


def with_cold_start(answer: EnvoyAnswer) -> EnvoyAnswer:
    """The answer of an invocation that waited for its environment's start, which says so."""
    return {**answer, "headers": {**answer["headers"], COLD_START_HEADER: "1"}}


def parts(answer: Mapping[str, object]) -> tuple[int, bool, str]:
    """The status, whether the body is base64, and the body. Raises: AnswerInvalid."""
    encoded = answer.get("isBase64Encoded")
    if encoded is not None and not isinstance(encoded, bool):
        message = f"isBase64Encoded is {encoded!r}, not true or false"
        raise AnswerInvalid(message)
    return _status(answer["statusCode"]), encoded is True, _body(answer.get("body"), encoded=encoded is True)


def inferred(answer: object) -> str:
    """The JSON body of an answer without a status, as API Gateway v2 infers it. Raises: AnswerInvalid."""
    if isinstance(answer, Mapping) and "status_code" in answer:
        message = "the answer has status_code, which is Envoy's spelling: return statusCode"
        raise AnswerInvalid(message)
    if not isinstance(answer, (str, list, Mapping)):
        message = f"the handler returned {type(answer).__name__}: return an object with statusCode"
        raise AnswerInvalid(message)
    try:
        body = answer if isinstance(answer, str) else json.dumps(answer, allow_nan=False)
    except (TypeError, ValueError, RecursionError) as error:
        message = f"the handler's answer has no statusCode and is no JSON: {error}"
        raise AnswerInvalid(message) from error
    return _body(body, encoded=False)


def _inferred(answer: object, method: str) -> EnvoyAnswer:
    body = inferred(answer)
    return {
        "status_code": 200,
        "headers": {"content-type": "application/json"},
        "cookies": [],
        "body": "" if method == "HEAD" else body,
        "is_base64_encoded": False,
    }


def _status(value: object) -> int:
    """The status; informational ones are no answers, and Envoy would write 99 or 1000 to the wire."""
    if isinstance(value, str) and value.isascii() and value.isdigit():
        value = int(value[:4])
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    if not isinstance(value, int) or isinstance(value, bool) or not _FIRST_STATUS <= value <= _LAST_STATUS:
        message = f"statusCode is {value!r}, not a whole number from {_FIRST_STATUS} to {_LAST_STATUS}"
        raise AnswerInvalid(message)
    return int(value)


def _body(value: object, *, encoded: bool) -> str:
    if value is None:
        return ""
    if not isinstance(value, str):
        message = f"body is {type(value).__name__}, not text: serialise it, or encode bytes as base64"
        raise AnswerInvalid(message)
    try:
        if encoded:
            binascii.a2b_base64(value, strict_mode=True)
        elif not value.isascii():
            value.encode()
    except ValueError as error:  # binascii.Error and UnicodeEncodeError are ValueErrors
        what = "isBase64Encoded is true and body is no base64" if encoded else "body is not Unicode text"
        message = f"{what}: {error}"
        raise AnswerInvalid(message) from error
    return value


def _headers(answer: Mapping[str, object]) -> tuple[dict[str, str], list[str]]:
    """The headers that may leave the function, in lower case, and the cookies."""
    values, cookies = values_of(answer)
    return {
        name: ", ".join(known)
        for name, known in values.items()
        if name not in _HOP_BY_HOP and (not name.startswith(_RESERVED_PREFIXES) or name in _OF_FUNCTIONS)
    }, cookies


def values_of(answer: Mapping[str, object]) -> tuple[dict[str, list[str]], list[str]]:
    """Each header in lower case with its values, and the cookies, wherever the function put them.

    Raises: AnswerInvalid.
    """
    values: dict[str, list[str]] = {}
    for name, value in _pairs(answer):
        known = values.setdefault(name, [])
        if name not in _SINGLE or value not in known:
            known.append(value)
    cookies = values.pop("set-cookie", [])
    cookies.extend(_value("a cookie", one) for one in _list(answer.get("cookies"), "cookies"))
    for name in _SINGLE.intersection(values):
        if len(values[name]) > 1:
            message = f"header {name} has {len(values[name])} values: {', '.join(values[name])}"
            raise AnswerInvalid(message)
    return values, cookies


def _pairs(answer: Mapping[str, object]) -> Iterator[tuple[str, str]]:
    """Each name in lower case with each of its values; `multiValueHeaders` win over `headers`, as at API Gateway."""
    single, multiple = _object(answer, "headers"), _object(answer, "multiValueHeaders")
    told = {str(name).lower() for name in multiple}
    rest = ((name, value) for name, value in single.items() if str(name).lower() not in told)
    for name, value in chain(multiple.items(), rest):
        if not isinstance(name, str) or not _TOKEN.fullmatch(name):
            message = f"{name!r} is no header name"
            raise AnswerInvalid(message)
        for one in value if isinstance(value, (list, tuple)) else (value,):
            yield name.lower(), _value(f"header {name}", one)


def _object(answer: Mapping[str, object], key: str) -> Mapping[object, object]:
    found = answer.get(key)
    if found is None:
        return {}
    if not isinstance(found, Mapping):
        message = f"{key} is {type(found).__name__}, not an object"
        raise AnswerInvalid(message)
    return found


def _list(found: object, key: str) -> list[object]:
    if found is None:
        return []
    if not isinstance(found, (list, tuple)):
        message = f"{key} is {type(found).__name__}, not a list"
        raise AnswerInvalid(message)
    return list(found)


def _value(what: str, value: object) -> str:
    """A header's value as text; a line break would let the value write headers of its own."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, (int, float)):
        return str(value)
    if not isinstance(value, str):
        message = f"{what} is {type(value).__name__}, not text"
        raise AnswerInvalid(message)
    text = value.strip(" \t\r\n")
    if _CONTROL.search(text):
        message = f"{what} has a control character: {value!r}"
        raise AnswerInvalid(message)
    if not text.isascii():
        _body(text, encoded=False)
    return text

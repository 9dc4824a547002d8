"""Envoy's event as an API Gateway v2 event.

The rule: a handler sees what an HTTP API would have sent for the same request, so that one written for it needs no
change. Where Envoy cannot be exact (a body that it decoded as text although it was none), the event is refused, never
passed on damaged.
"""

import binascii
from collections.abc import Mapping
from time import time
from typing import Any
from urllib.parse import unquote

from strangler_fig.names import HOST_HEADER

from ..errors import BodyDamaged, EventUnreadable
from .context import request_context
from .shapes import GatewayEvent

# What an HTTP API hands over as text, next to text/*; parameters do not matter. All else is base64, forms and
# problem+json included: its documentation says "binary" only, the list was measured by others against the service.
_TEXT_TYPES = frozenset({"application/json", "application/xml", "application/javascript"})
_UTF8 = frozenset({"", "utf-8", "utf8", "us-ascii", "ascii"})


def is_router_event(event: object) -> bool:
    """Whether Envoy's filter made `event`; API Gateway's own events and those of other services have other keys."""
    return isinstance(event, Mapping) and "raw_path" in event and "method" in event


def to_gateway(event: Mapping[str, object], *, now: float | None = None) -> GatewayEvent:
    """The API Gateway v2 event for the request that `event` holds.

    `now` is the time of the request in seconds since 1970, by default the clock's.
    Raises: EventUnreadable, BodyDamaged.
    """
    method, raw_path = _text(event, "method"), _text(event, "raw_path")
    path, _, query = raw_path.partition("?")
    headers, cookies = _headers(event)
    result: GatewayEvent = {
        "version": "2.0",
        "routeKey": "$default",
        "rawPath": unquote(path, errors="replace"),
        "rawQueryString": query,
        "headers": headers,
        "requestContext": request_context(method, path, headers, time() if now is None else now),
        "isBase64Encoded": False,
    }
    if cookies:
        result["cookies"] = cookies
    if query:
        result["queryStringParameters"] = _query(query)
    if body := text_of(event):
        result["body"], result["isBase64Encoded"] = _body(body, headers, encoded=event.get("is_base64_encoded") is True)
    return result


def text_of(event: Mapping[str, object]) -> str:
    """The body as the sender wrote it. Raises: EventUnreadable, where it is no text."""
    body = event.get("body")
    if body is not None and not isinstance(body, str):
        message = f"the event's body is {type(body).__name__}, not text"
        raise EventUnreadable(message)
    return body or ""


def body_of(event: Mapping[str, Any]) -> bytes:
    """The bytes of the body of a format 2.0 event, as the client sent them. Raises: EventUnreadable."""
    body = text_of(event)
    if event.get("isBase64Encoded") is not True:
        return body.encode(errors="surrogatepass")
    try:
        return binascii.a2b_base64(body)
    except ValueError as error:
        message = f"the event's body is marked base64 and is not: {error}"
        raise EventUnreadable(message) from error


def _text(event: Mapping[str, object], key: str) -> str:
    value = event.get(key)
    if not isinstance(value, str) or not value:
        message = f"the event's {key} is {value!r}, not text: is the caller Envoy's aws_lambda filter?"
        raise EventUnreadable(message)
    return value


def _headers(event: Mapping[str, object]) -> tuple[dict[str, str], list[str]]:
    """The headers without pseudo-headers and cookies, and the cookies one by one."""
    found = event.get("headers")
    if found is None:
        return {}, []
    if not isinstance(found, Mapping):
        message = f"the event's headers are {type(found).__name__}, not an object"
        raise EventUnreadable(message)
    headers: dict[str, str] = {}
    for name, value in found.items():
        if not isinstance(value, str):
            message = f"the event's header {name} is {type(value).__name__}, not text"
            raise EventUnreadable(message)
        headers[name.lower()] = value
    authority = headers.pop(":authority", None)
    host = headers.get(HOST_HEADER) or authority
    if host:
        headers["host"] = host
    # The router's inner hop is HTTP/2, whose codec joins repeated Cookie headers with "; ". A comma is part of a value.
    cookies = [one for part in headers.pop("cookie", "").split(";") if (one := part.strip())]
    for name in [name for name in headers if name[:1] == ":"]:
        del headers[name]
    return headers, cookies


def _query(query: str) -> dict[str, str]:
    """Each key's decoded values, joined with a comma; as `parse_qsl` reads them, in a third of its time."""
    values: dict[str, str] = {}
    for pair in query.split("&"):
        if not pair:
            continue
        name, _, value = pair.partition("=")
        if "%" in pair or "+" in pair:
            name, value = (unquote(one.replace("+", " "), errors="replace") for one in (name, value))
        values[name] = f"{values[name]},{value}" if name in values else value
    return values


def _body(body: str, headers: Mapping[str, str], *, encoded: bool) -> tuple[str, bool]:
    """The body as an HTTP API would hand it over, and whether that is base64."""
    media_type, charset = _content_type(headers.get("content-type", ""))
    compressed = headers.get("content-encoding", "identity").strip().lower() not in ("", "identity")
    utf8 = charset in _UTF8
    if not encoded:
        _refuse_damage(body, headers, f"a {media_type} body", known=utf8 and not compressed)
        return body, False
    if not utf8 or compressed or not (media_type in _TEXT_TYPES or media_type.startswith("text/")):
        return body, True
    try:
        raw = binascii.a2b_base64(body, strict_mode=True)
    except ValueError as error:
        message = f"the event's body is marked base64 and is not: {error}"
        raise EventUnreadable(message) from error
    try:
        return raw.decode(), False
    except UnicodeDecodeError:
        return body, True


def _refuse_damage(body: str, headers: Mapping[str, str], what: str, *, known: bool) -> None:
    """Refuse a text body that Envoy's JSON writer changed: it puts one space for each sequence that is no UTF-8.

    A sequence goes with the byte that breaks it, so most damage changes the length. What does not (single bytes from
    0x80 to 0xBF and from 0xF8 on) can be suspected only where the headers say that the bytes were no UTF-8.
    """
    length = headers.get("content-length", "")
    actual = len(body) if body.isascii() else len(body.encode(errors="surrogatepass"))
    if (length.isdecimal() and int(length) != actual) or (not known and " " in body):
        message = f"{what} was no UTF-8 text, and Envoy's event does not keep its bytes: serve it on legacy"
        raise BodyDamaged(message)


def _content_type(value: str) -> tuple[str, str]:
    """The media type and the charset parameter, in lower case; empty where there is none."""
    media_type, *parameters = value.lower().split(";")
    for parameter in parameters:
        name, _, setting = parameter.partition("=")
        if name.strip() == "charset":
            return media_type.strip(), setting.strip().strip("\"'")
    return media_type.strip(), ""

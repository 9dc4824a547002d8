"""Whatever goes through Envoy's event, the v2 event, a handler and back arrives as it was sent."""

import base64
import json
from typing import Any
from urllib.parse import parse_qsl, unquote

from hypothesis import given
from hypothesis import strategies as st

from adapters.events import gateway_handler

from . import envoy_model
from .envoy_model import Request

TOKENS = st.text("abcdefghijklmnopqrstuvwxyz0123456789-_", min_size=1, max_size=12)
METHODS = st.sampled_from(["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "PURGE"])
PIECES = st.sampled_from(["a", "Z", "7", "-", ".", "~", "%20", "%2F", "%2f", "%C3%A9", "%25", "%2525", "+", "%3F"])
ENCODED = st.lists(PIECES, max_size=8).map("".join)
PATHS = st.lists(ENCODED, min_size=1, max_size=4).map(lambda parts: "/" + "/".join(parts))
QUERIES = st.lists(st.tuples(st.sampled_from(["a", "b", "c%20d", ""]), ENCODED), max_size=5).map(
    lambda pairs: "&".join(f"{name}={value}" for name, value in pairs)
)
VALUES = st.text(st.characters(min_codepoint=0x21, max_codepoint=0x7E), min_size=1, max_size=20)
OWN = TOKENS.map(lambda name: f"x-h-{name}")
HEADERS = st.lists(st.tuples(OWN, VALUES), max_size=6)
COOKIES = st.lists(st.tuples(TOKENS, VALUES.filter(lambda value: ";" not in value)), max_size=5).map(
    lambda pairs: [f"{name}={value}" for name, value in pairs]
)
TEXT_TYPES = st.sampled_from(["application/json", "application/json; charset=utf-8", "text/plain", "application/xml"])
BINARY_TYPES = st.sampled_from(
    [None, "image/png", "application/x-www-form-urlencoded", "application/problem+json", "application/json; x=1"]
)
CONTENTS = st.one_of(
    st.tuples(TEXT_TYPES, st.text(st.characters(exclude_categories=["Cs"]), max_size=60).map(str.encode)),
    st.tuples(BINARY_TYPES, st.binary(max_size=60)),
)


def echo(event: dict[str, Any], _context: object) -> dict[str, Any]:
    """Answers the body and the cookies it got, and all that it saw in one header."""
    seen = {"event": {key: value for key, value in event.items() if key != "body"}}
    return {
        "statusCode": 200,
        "headers": {"x-seen": json.dumps(seen), "content-type": "application/octet-stream"},
        "cookies": event.get("cookies", []),
        "body": event.get("body", ""),
        "isBase64Encoded": event["isBase64Encoded"],
    }


@given(METHODS, PATHS, QUERIES, HEADERS, COOKIES, CONTENTS)
def test_a_request_and_its_echo_survive(  # noqa: PLR0913, PLR0917 - one for each part of a request
    method: str,
    path: str,
    query: str,
    headers: list[tuple[str, str]],
    cookies: list[str],
    content: tuple[str | None, bytes],
) -> None:
    """Method, path, every query value, headers, cookies and bytes reach the handler, and its answer the client."""
    content_type, body = content
    sent = [*headers, *(("cookie", cookie) for cookie in cookies)]
    if content_type:
        sent.append(("content-type", content_type))
    request = Request(method=method, target=f"{path}?{query}" if query else path, headers=tuple(sent), body=body)
    returned = gateway_handler(echo)(json.loads(json.dumps(envoy_model.event(request))), None)
    answer = envoy_model.answer(request, json.loads(json.dumps(returned)))

    assert answer.status == 200
    assert answer.cookies == tuple(cookies)
    assert answer.body == (b"" if method == "HEAD" else body)
    seen = json.loads(answer.headers["x-seen"])["event"]
    assert seen["requestContext"]["http"]["method"] == method
    assert seen["requestContext"]["http"]["path"] == path
    assert seen["rawPath"] == unquote(path)
    assert seen["rawQueryString"] == query
    values: dict[str, list[str]] = {}
    for name, value in parse_qsl(query, keep_blank_values=True):
        values.setdefault(name, []).append(value)
    assert seen.get("queryStringParameters", {}) == {name: ",".join(each) for name, each in values.items()}
    own = [(name, value) for name, value in sent if name != "cookie"]
    length = [("content-length", str(len(body)))] if body else []
    assert seen["headers"] == envoy_model.joined([*own, *length])


@given(st.integers(200, 599), HEADERS, COOKIES, st.binary(max_size=60), METHODS)
def test_an_answer_survives(
    status: int, headers: list[tuple[str, str]], cookies: list[str], body: bytes, method: str
) -> None:
    """Any status, repeated headers, cookies and bytes of a handler reach the client."""
    several: dict[str, list[str]] = {}
    for name, value in headers:
        several.setdefault(name, []).append(value)
    returned = {
        "statusCode": status,
        "multiValueHeaders": several,
        "cookies": cookies,
        "body": base64.b64encode(body).decode(),
        "isBase64Encoded": True,
    }
    request = Request(method=method)
    value = gateway_handler(lambda _event, _context: returned)(envoy_model.event(request), None)
    answer = envoy_model.answer(request, json.loads(json.dumps(value)))
    empty = method == "HEAD" or status in {204, 205, 304}
    assert answer.status == status
    assert answer.cookies == tuple(cookies)
    assert answer.body == (b"" if empty else body)
    assert {name: answer.headers[name] for name in several} == {name: ", ".join(each) for name, each in several.items()}

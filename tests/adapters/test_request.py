"""Envoy's event becomes the event that an HTTP API would have sent."""

import base64
import hmac
import json
from typing import Any
from urllib.parse import parse_qsl

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.events import BodyDamaged, EventUnreadable, GatewayEvent, body_of, to_gateway

from .envoy_model import Request, event


def shown(*headers: tuple[str, str], method: str = "GET", target: str = "/", body: bytes = b"") -> GatewayEvent:
    return to_gateway(event(Request(method=method, target=target, headers=headers, body=body)), now=1_583_348_638.25)


def test_an_event_has_the_fields_of_payload_format_2() -> None:
    """Every field that frameworks read is there, with the router's knowledge in API Gateway's places."""
    seen = shown(
        ("x-fig-host", "shop.example:8443"),
        ("x-fig-client", "192.0.2.7"),
        ("x-request-id", "r-1"),
        ("user-agent", "curl/8"),
        ("traceparent", "00-a-b-01"),
        method="DELETE",
        target="/books/7?a=1&a=2&b=%26",
    )
    assert seen["version"] == "2.0"
    assert seen["routeKey"] == "$default"
    assert seen["rawPath"] == "/books/7"
    assert seen["rawQueryString"] == "a=1&a=2&b=%26"
    assert seen.get("queryStringParameters") == {"a": "1,2", "b": "&"}
    assert seen["headers"]["host"] == "shop.example:8443"
    assert seen["headers"]["traceparent"] == "00-a-b-01"
    assert seen["isBase64Encoded"] is False
    assert "body" not in seen
    assert "cookies" not in seen
    assert seen["requestContext"] == {
        "accountId": "anonymous",
        "apiId": "fig",
        "domainName": "shop.example",
        "domainPrefix": "shop",
        "http": {
            "method": "DELETE",
            "path": "/books/7",
            "protocol": "HTTP/1.1",
            "sourceIp": "192.0.2.7",
            "userAgent": "curl/8",
        },
        "requestId": "r-1",
        "routeKey": "$default",
        "stage": "$default",
        "time": "04/Mar/2020:19:03:58 +0000",
        "timeEpoch": 1583348638250,
        "fig": {"shadow": False},
    }


def test_raw_path_is_decoded_and_the_context_keeps_what_the_client_sent() -> None:
    """`rawPath` is decoded, as HTTP APIs send it; `requestContext.http.path` is not, since Mangum decodes that one."""
    seen = shown(target="/a%20b/%C3%A9/100%2525")
    assert seen["rawPath"] == "/a b/é/100%25"
    assert seen["requestContext"]["http"]["path"] == "/a%20b/%C3%A9/100%2525"


def test_no_query_leaves_no_query_parameters() -> None:
    """Without a query there is an empty raw query and no parameter map, as API Gateway has it."""
    seen = shown(target="/x?")
    assert seen["rawQueryString"] == ""
    assert "queryStringParameters" not in seen


@given(st.text(alphabet="ab=&+%;2c3f\u00e9 ", max_size=30))
def test_a_query_is_read_as_the_standard_library_reads_it(query: str) -> None:
    """Whatever a client writes, names and values are those of `parse_qsl`."""
    expected: dict[str, list[str]] = {}
    for name, value in parse_qsl(query, keep_blank_values=True, errors="replace"):
        expected.setdefault(name, []).append(value)
    found = to_gateway({"raw_path": f"/?{query}", "method": "GET"}).get("queryStringParameters") or {}
    assert found == {name: ",".join(values) for name, values in expected.items()}


def test_a_question_mark_in_the_query_stays_in_the_query() -> None:
    """Only the first question mark ends the path."""
    seen = shown(target="/x?a=b?c&d")
    assert seen["rawPath"] == "/x"
    assert seen.get("queryStringParameters") == {"a": "b?c", "d": ""}


def test_cookies_become_a_list() -> None:
    """Cookies leave the headers for a list; a comma is part of a value, since the inner hop joins with a semicolon."""
    seen = shown(("cookie", "a=1; b=2"), ("cookie", "c=3,x=9"))
    assert seen.get("cookies") == ["a=1", "b=2", "c=3,x=9"]
    assert "cookie" not in seen["headers"]


def test_repeated_headers_are_joined_with_commas() -> None:
    """A repeated header is one value with commas, as in payload format 2.0."""
    assert shown(("x-a", "1"), ("x-a", "2"))["headers"]["x-a"] == "1,2"


def test_pseudo_headers_are_read_and_removed() -> None:
    """Should a version of Envoy send pseudo-headers, `:authority` is the host and none reaches the handler."""
    seen = shown((":authority", "shop.example"), (":scheme", "http"))
    assert seen["headers"] == {"host": "shop.example"}


def test_the_router_s_host_wins_over_the_authority() -> None:
    """The host that the client asked for wins over one that the router rewrote."""
    assert shown((":authority", "lambda"), ("x-fig-host", "shop"))["requestContext"]["domainName"] == "shop"


@pytest.mark.parametrize(
    ("host", "domain"), [("shop", "shop"), ("[::1]:80", "[::1]"), ("[::1]", "[::1]"), ("a.b:1", "a.b")]
)
def test_the_domain_name_has_no_port(host: str, domain: str) -> None:
    """`domainName` is the host without its port, IPv6 literals included."""
    assert shown(("x-fig-host", host))["requestContext"]["domainName"] == domain


def test_without_the_router_s_header_the_last_recorded_hop_is_the_client() -> None:
    """The client's own entries come first in `x-forwarded-for`; only the last was written by a proxy."""
    assert shown(("x-forwarded-for", "6.6.6.6, 192.0.2.9"))["requestContext"]["http"]["sourceIp"] == "192.0.2.9"


def test_the_router_s_knowledge_is_under_fig() -> None:
    """Route, side, user and shadow mark are under `requestContext.fig`."""
    headers = (("x-fig-route", "books"), ("x-fig-side", "lambda"), ("x-fig-user", "s:alice"), ("x-fig-shadow", "1"))
    assert shown(*headers)["requestContext"]["fig"] == {
        "route": "books",
        "side": "lambda",
        "user": "s:alice",
        "shadow": True,
    }


CLAIMS = {"sub": "é", "exp": 12, "admin": True, "groups": ["a", "b"], "nested": {"x": 1}}


@pytest.mark.parametrize(
    "written",
    [
        json.dumps(CLAIMS),
        base64.urlsafe_b64encode(json.dumps(CLAIMS, ensure_ascii=False).encode()).decode().rstrip("="),
    ],
)
def test_claims_become_a_jwt_authorizer(written: str) -> None:
    """Claims are strings under the JWT authorizer, as an HTTP API writes them, and JSON values under `fig`."""
    context = shown(("x-fig-claims", written))["requestContext"]
    assert context["fig"].get("claims") == CLAIMS
    assert context.get("authorizer") == {
        "jwt": {
            "claims": {"sub": "é", "exp": "12", "admin": "true", "groups": "[a b]", "nested": '{"x":1}'},
            "scopes": None,
        }
    }


def signed(claims: object, key: str, head: str = '{"alg":"HS256","typ":"JWT"}') -> str:
    """A compact JWS of the claims."""

    def text(data: bytes) -> str:
        return base64.urlsafe_b64encode(data).decode().rstrip("=")

    content = f"{text(head.encode())}.{text(json.dumps(claims).encode())}"
    return f"{content}.{text(hmac.digest(key.encode(), content.encode(), 'sha256'))}"


def test_signed_claims_are_read_and_believed_by_their_key(monkeypatch: pytest.MonkeyPatch) -> None:
    """What the router signs is read; with a key only what it or the one before it signed, while it is valid."""
    alice = {"sub": "alice", "exp": 2**40}
    assert shown(("x-fig-claims", signed(alice, "anything")))["requestContext"]["fig"].get("claims") == alice
    monkeypatch.setenv("ADAPTERS_CLAIMS_KEY", "new" * 11)
    monkeypatch.setenv("ADAPTERS_CLAIMS_KEY_FORMER", "old" * 11)
    for key in ("new" * 11, "old" * 11):
        assert shown(("x-fig-claims", signed(alice, key)))["requestContext"]["fig"].get("claims") == alice
    none = '{"alg":"none"}'
    for wrong in (
        signed(alice, "another" * 5),
        signed(alice, "new" * 11, none),
        signed({"sub": "alice", "exp": 1}, "new" * 11),
        signed(alice, "new" * 11)[:-2] + "AA",
        json.dumps(alice),
    ):
        with pytest.raises(EventUnreadable, match="x-fig-claims"):
            shown(("x-fig-claims", wrong))


@pytest.mark.parametrize(
    "written",
    [
        "{",
        "[]",
        "W10",
        "a.b.c",
        "é",
        "null",
        "_w",
        *('{"a":' + "[" * depth + "]" * depth + "}" for depth in (700, 9999)),
    ],
    ids=range(9),
)
def test_claims_that_cannot_be_read_are_no_anonymous_request(written: str) -> None:
    """A request whose claims are damaged is refused, never shown as one without an identity."""
    with pytest.raises(EventUnreadable, match="x-fig-claims"):
        shown(("x-fig-claims", written))


@pytest.mark.parametrize(
    "content_type",
    ["application/json", "application/json; charset=utf-8", "application/xml;charset=UTF-8", "text/csv", "Text/HTML"],
)
def test_text_bodies_are_text(content_type: str) -> None:
    """What an HTTP API hands over as text is text here, with parameters too, although Envoy encoded some of it."""
    seen = shown(("content-type", content_type), method="POST", body="é€\n".encode())
    assert (seen.get("body"), seen["isBase64Encoded"]) == ("é€\n", False)


@pytest.mark.parametrize(
    "content_type",
    ["image/png", "application/x-www-form-urlencoded", "application/problem+json", "multipart/form-data"],
)
def test_other_bodies_are_base64(content_type: str) -> None:
    """What an HTTP API hands over as base64 is base64 here: forms and +json types too, whatever their bytes."""
    seen = shown(("content-type", content_type), method="POST", body=b"a=1")
    assert (seen.get("body"), seen["isBase64Encoded"]) == ("YT0x", True)


def test_a_body_without_content_type_is_base64() -> None:
    """A body whose type is not known is base64."""
    assert shown(method="POST", body=b"abc")["isBase64Encoded"] is True


def test_text_that_is_not_utf8_stays_base64() -> None:
    """Bytes that are no UTF-8 stay base64, whatever the content type says."""
    seen = shown(("content-type", "application/json; x=1"), method="POST", body=b"\xff")
    assert (seen.get("body"), seen["isBase64Encoded"]) == ("/w==", True)


def test_compressed_json_stays_base64() -> None:
    """A compressed body is bytes, even where they happen to be UTF-8."""
    headers = (("content-type", "application/json; charset=utf-8"), ("content-encoding", "gzip"))
    assert shown(*headers, method="POST", body=b"abc")["isBase64Encoded"] is True


@pytest.mark.parametrize(
    ("headers", "body"),
    [
        ((("content-type", "text/plain"),), b"caf\xe9 noir"),
        ((("content-type", "application/json"),), '{"a": "Genève"}'.encode("latin-1")),
        ((("content-type", "application/json"), ("content-encoding", "gzip")), b"\x1f\x8b\x08"),
        ((("content-type", "text/plain; charset=iso-8859-1"),), b"caf\xe9"),
        ((("content-type", 'text/plain; charset="UTF-16"'),), "a".encode("utf-16")),
    ],
)
def test_a_body_that_envoy_damaged_is_refused(headers: tuple[tuple[str, str], ...], body: bytes) -> None:
    """Envoy writes spaces for what is no UTF-8 in what it takes for text; such a body reaches no handler."""
    with pytest.raises(BodyDamaged, match="serve it on legacy"):
        shown(*headers, method="POST", body=body)


def test_another_character_set_without_spaces_is_whole() -> None:
    """Where Envoy wrote no space, nothing was lost, whatever the character set."""
    assert (
        shown(("content-type", "text/plain; charset=iso-8859-1"), method="POST", body=b"plain").get("body") == "plain"
    )


@pytest.mark.parametrize(
    "damaged",
    [
        {"raw_path": 1, "method": "GET"},
        {"raw_path": "", "method": "GET"},
        {"raw_path": "/", "method": None},
        {"raw_path": "/", "method": "GET", "headers": []},
        {"raw_path": "/", "method": "GET", "headers": {"a": ["b"]}},
        {"raw_path": "/", "method": "GET", "body": {}},
        {
            "raw_path": "/",
            "method": "POST",
            "headers": {"content-type": "application/json;v=1"},
            "body": "no base64!",
            "is_base64_encoded": True,
        },
    ],
)
def test_an_event_that_is_not_envoy_s_is_refused(damaged: dict[str, Any]) -> None:
    """An event with Envoy's keys and other types is a typed error that says what was found."""
    with pytest.raises(EventUnreadable):
        to_gateway(damaged)


def test_an_event_may_lack_what_is_empty() -> None:
    """Headers and body may be missing or null."""
    seen = to_gateway({"raw_path": "/", "method": "GET", "headers": None, "body": None})
    assert seen["headers"] == {}
    assert seen["requestContext"]["timeEpoch"] > 0


def test_the_bytes_of_a_body() -> None:
    """What the client sent comes back as bytes, however the event has it."""
    for body, kind in ((b"\xff\x00", "image/png"), ("é".encode(), "text/plain"), (b"", "text/plain")):
        assert body_of(shown(("content-type", kind), body=body)) == body
    assert body_of({"body": "é"}) == "é".encode()
    with pytest.raises(EventUnreadable, match="is not"):
        body_of({"body": "é", "isBase64Encoded": True})

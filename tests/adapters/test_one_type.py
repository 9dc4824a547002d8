"""Whoever sends a request: the function sees one type and believes the router alone; the sender can read the answer."""

import base64
import json
from typing import Any

import pytest

from adapters import handler, is_shadow
from adapters.errors import AnswerInvalid
from adapters.events.kinds import Kind, kind_of
from adapters.events.one_type import PRINCIPALS

from .envoy_model import Request
from .envoy_model import event as envoy_event

ROUTER = "arn:aws:sts::123456789012:assumed-role/router/i-1"
FORGED = {"x-fig-shadow": "1", "x-fig-user": "eve", "x-fig-claims": '{"sub":"admin"}', "X-Fig-Route": "orders"}


def v2(*, url: bool = False, principal: str = "", headers: dict[str, str] | None = None) -> dict[str, Any]:
    """API Gateway's format 2.0, or a function URL's."""
    context: dict[str, Any] = {
        "accountId": "123456789012",
        "apiId": "abc",
        "domainName": "abc.lambda-url.eu-west-1.on.aws" if url else "abc.execute-api.eu-west-1.amazonaws.com",
        "domainPrefix": "abc",
        "http": {
            "method": "POST",
            "path": "/books/é",
            "protocol": "HTTP/1.1",
            "sourceIp": "192.0.2.1",
            "userAgent": "u",
        },
        "requestId": "r-1",
        "routeKey": "$default",
        "stage": "$default",
        "time": "12/Mar/2020:19:03:58 +0000",
        "timeEpoch": 1583348638390,
    }
    if principal:
        context["authorizer"] = {"iam": {"userArn": principal}}
    return {
        "version": "2.0",
        "routeKey": "$default",
        "rawPath": "/books/é",
        "rawQueryString": "a=1&a=2&b=%20",
        "cookies": ["s=1", "t=2"],
        "headers": {"host": "shop.example", "content-type": "text/plain", **(headers or {})},
        "queryStringParameters": {"a": "1,2", "b": " "},
        "requestContext": context,
        "body": "hé",
        "isBase64Encoded": False,
    }


def v1(headers: dict[str, str] | None = None) -> dict[str, Any]:
    """API Gateway's format 1.0."""
    given = {"Host": ["shop.example"], "Content-Type": ["text/plain"], "Cookie": ["s=1; t=2"]}
    given |= {name: [value] for name, value in (headers or {}).items()}
    return {
        "resource": "/{proxy+}",
        "path": "/books/é",
        "httpMethod": "POST",
        "headers": {name: values[-1] for name, values in given.items()},
        "multiValueHeaders": given,
        "queryStringParameters": {"a": "2", "b": " "},
        "multiValueQueryStringParameters": {"a": ["1", "2"], "b": [" "]},
        "requestContext": {
            "accountId": "123456789012",
            "apiId": "abc",
            "stage": "prod",
            "requestId": "r-1",
            "protocol": "HTTP/1.1",
            "identity": {"sourceIp": "192.0.2.1"},
            "requestTimeEpoch": 1583348638390,
        },
        "body": base64.b64encode("hé".encode()).decode(),
        "isBase64Encoded": True,
    }


def alb(headers: dict[str, str] | None = None, *, multiple: bool = True) -> dict[str, Any]:
    """A load balancer's event; it does not decode the query."""
    given = {
        "host": "shop.example",
        "content-type": "text/plain",
        "cookie": "s=1; t=2",
        "x-forwarded-for": "9.9.9.9, 192.0.2.1",
    }
    given |= headers or {}
    found: dict[str, Any] = {
        "requestContext": {"elb": {"targetGroupArn": "arn:aws:elasticloadbalancing:..."}},
        "httpMethod": "POST",
        "path": "/books/é",
        "body": "hé",
        "isBase64Encoded": False,
    }
    if multiple:
        return found | {
            "multiValueHeaders": {name: [value] for name, value in given.items()},
            "multiValueQueryStringParameters": {"a": ["1", "2"], "b": ["%20"]},
        }
    return found | {"headers": given, "queryStringParameters": {"a": "2", "b": "%20"}}


MAKERS: dict[str, Any] = {
    "gateway-v2": lambda headers=None: v2(headers=headers),
    "gateway-v1": v1,
    "function-url": lambda headers=None: v2(url=True, headers=headers),
    "load-balancer": alb,
}


def seen_by_the_function(event: Any) -> Any:
    """The event that the function gets."""
    seen: list[Any] = []

    @handler
    def function(one: Any, _context: Any) -> Any:
        seen.append(one | {"shadow": is_shadow()} if isinstance(one, dict) else one)
        return {"statusCode": 204}

    function(event, None)
    return seen[0]


@pytest.mark.parametrize("name", MAKERS)
def test_every_sender_s_request_is_the_same(name: str) -> None:
    """Method, path, query, headers, cookies, body and client are where format 2.0 has them."""
    event = MAKERS[name]()
    assert kind_of(event).value == name
    one = seen_by_the_function(event)
    body = base64.b64decode(one["body"]).decode() if one["isBase64Encoded"] else one["body"]
    assert (one["version"], one["rawPath"], one["cookies"], body) == ("2.0", "/books/é", ["s=1", "t=2"], "hé")
    assert one["queryStringParameters"] == {"a": "1,2", "b": " "}
    assert one["headers"]["host"] == "shop.example"
    assert one["headers"]["content-type"] == "text/plain"
    assert one["requestContext"]["http"]["method"] == "POST"
    assert one["requestContext"]["http"]["sourceIp"] == "192.0.2.1"


@pytest.mark.parametrize("name", MAKERS)
def test_nobody_else_writes_the_router_s_headers(name: str) -> None:
    """What a client sends under the router's names is removed, in any case, and marks nothing."""
    event = MAKERS[name](FORGED)
    event["requestContext"]["fig"] = {"shadow": True, "user": "eve"}
    one = seen_by_the_function(event)
    assert not [header for header in one["headers"] if header.lower().startswith("x-fig-")]
    assert (one["shadow"], "fig" in one["requestContext"]) == (False, False)


@pytest.mark.parametrize(
    ("known", "principal", "believed"),
    [
        (ROUTER, ROUTER, True),
        ("arn:aws:sts::123456789012:assumed-role/router/*", ROUTER, True),
        (f"arn:aws:iam::1:user/x, {ROUTER}", ROUTER, True),
        ("arn:aws:sts::123456789012:assumed-role/router", ROUTER, False),
        ("arn:aws:sts::999999999999:assumed-role/router/*", ROUTER, False),
        ("*", ROUTER, False),
        ("", ROUTER, False),
        ("", "", False),
        (ROUTER, "", False),
    ],
)
def test_the_router_is_known_by_its_principal(
    monkeypatch: pytest.MonkeyPatch,
    known: str,
    principal: str,
    believed: bool,  # noqa: FBT001 - a case
) -> None:
    """Behind a function URL the router's headers count where IAM names the caller as the router, and only there."""
    monkeypatch.setenv(PRINCIPALS, known)
    one = seen_by_the_function(v2(url=True, principal=principal, headers=FORGED))
    assert one["shadow"] is believed
    assert one["requestContext"].get("fig", {}).get("user") == ("eve" if believed else None)


def test_the_router_s_unreadable_claims_are_left_to_legacy(monkeypatch: pytest.MonkeyPatch) -> None:
    """Claims that cannot be read are answered in the form that the sender reads, and the function does not run."""
    monkeypatch.setenv(PRINCIPALS, ROUTER)

    @handler
    def function(_event: Any, _context: Any) -> Any:
        pytest.fail("the function ran")

    answer = function(v2(url=True, principal=ROUTER, headers={"x-fig-claims": "[]"}), None)
    assert (answer["statusCode"], answer["headers"]["x-fig-fallback"]) == (502, "safe")


ANSWER = {
    "statusCode": 201,
    "headers": {"content-type": "application/json", "vary": ["a", "b"], "x-number": 1},
    "cookies": ["a=1; Path=/", "b=2"],
    "body": "{}",
}


def answer_to(event: Any, answer: Any) -> Any:
    """What the sender gets."""

    @handler
    def function(_event: Any, _context: Any) -> Any:
        return answer

    return function(event, None)


@pytest.mark.parametrize("name", ["gateway-v1", "load-balancer"])
def test_answers_are_what_the_sender_reads(name: str) -> None:
    """Several values and cookies arrive as lists where the sender reads lists."""
    answer = answer_to(MAKERS[name](), ANSWER)
    assert (answer["statusCode"], answer["body"], answer["isBase64Encoded"]) == (201, "{}", False)
    assert answer["multiValueHeaders"] == {
        "content-type": ["application/json"],
        "vary": ["a", "b"],
        "x-number": ["1"],
        "set-cookie": ["a=1; Path=/", "b=2"],
    }
    json.dumps(answer)


def test_a_load_balancer_of_single_values(caplog: pytest.LogCaptureFixture) -> None:
    """Where it reads single values lists are joined; a second cookie cannot be sent, and the log says so."""
    answer = answer_to(alb(multiple=False), ANSWER)
    assert answer["headers"]["vary"] == "a, b"
    assert answer["headers"]["set-cookie"] == "a=1; Path=/"
    assert "1 cookies are lost" in caplog.text


@pytest.mark.parametrize("name", ["gateway-v2", "function-url"])
def test_format_2_passes_as_it_is(name: str) -> None:
    """Who speaks format 2.0 gets the function's own answer."""
    assert answer_to(MAKERS[name](), ANSWER) == ANSWER


def test_a_bare_value_is_json_for_everybody() -> None:
    """A value without a status is a 200 with a JSON body for senders that know no such thing."""
    answer = answer_to(v1(), {"id": 7})
    assert (answer["statusCode"], json.loads(answer["body"])) == (200, {"id": 7})
    assert answer["multiValueHeaders"]["content-type"] == ["application/json"]


@pytest.mark.parametrize(
    "event", [None, "ping", {"Records": []}, {"requestContext": "x"}, {"requestContext": {}}, {"source": "aws.events"}]
)
def test_what_is_no_request_is_left_as_it_is(event: Any) -> None:
    """A schedule, a queue, and a direct call reach the function unchanged."""
    assert kind_of(event) is Kind.OTHER
    found = seen_by_the_function(event)
    assert (found if not isinstance(found, dict) else {key: found[key] for key in event}) == event


def test_the_router_s_own_event_is_believed() -> None:
    """Envoy's event comes from whoever may invoke the function: its headers count."""
    one = seen_by_the_function(envoy_event(Request(headers=(("x-fig-shadow", "1"), ("x-fig-user", "alice")))))
    assert (one["shadow"], one["requestContext"]["fig"]["user"]) == (True, "alice")


@pytest.mark.parametrize("name", MAKERS)
@pytest.mark.parametrize(
    "wrong",
    [
        {"statusCode": 99},
        {"statusCode": "20x"},
        {"statusCode": None},
        {"statusCode": 200, "headers": {"x": None}},
        {"statusCode": 200, "headers": {"x": "a\r\nset-cookie: b=1"}},
        {"statusCode": 200, "headers": ["x"]},
        {"statusCode": 200, "headers": {"location": ["/a", "/b"]}},
        {"statusCode": 200, "cookies": "a=1"},
        {"statusCode": 200, "body": b"bytes"},
        {"statusCode": 200, "body": "no base64!", "isBase64Encoded": True},
        {"status_code": 200},
        {"ratio": float("nan")},
        {"when": object()},
    ],
)
def test_what_is_no_answer_is_none_for_anybody(name: str, wrong: Any) -> None:
    """What the router would refuse fails the function for every sender, instead of reaching a client half right."""
    with pytest.raises(AnswerInvalid):
        answer_to(MAKERS[name](), wrong)


def test_an_answer_that_never_ends_is_none() -> None:
    """A value that holds itself, or is nested too deeply, is our error for every sender, for shadows too."""
    endless: list[Any] = []
    endless.append(endless)
    deep: Any = None
    for _ in range(100_000):
        deep = [deep]
    shadow = envoy_event(Request(headers=(("x-fig-shadow", "1"),)))
    for event in (v1(), alb(), v2(), envoy_event(Request()), shadow):
        for wrong in (endless, {"deep": deep}):
            with pytest.raises(AnswerInvalid, match="is no JSON"):
                answer_to(event, wrong)


def test_what_is_null_is_not_there() -> None:
    """Null headers and null values of a query, as test consoles send them, do not become the text None."""
    for event in (v1(), alb()):
        event["multiValueHeaders"] |= {"x-none": None, "x-some": [None, "a"]}
        event["multiValueQueryStringParameters"] |= {"none": None, "some": [None, "a"]}
        one = seen_by_the_function(event)
        assert "None" not in json.dumps({key: one[key] for key in ("headers", "queryStringParameters")})
        assert (one["headers"]["x-some"], one["queryStringParameters"]["some"]) == ("a", "a")
    for event in (
        alb(multiple=False),
        v2(),
        v1() | {"multiValueHeaders": None, "multiValueQueryStringParameters": None},
    ):
        event["headers"]["x-none"] = None
        event["queryStringParameters"]["none"] = None
        assert "x-none" not in seen_by_the_function(event)["headers"]


@pytest.mark.parametrize("name", MAKERS)
@pytest.mark.parametrize("change", [{"headers": ["x"]}, {"headers": {"x": ["y"]}}, {"body": {"a": 1}}])
def test_an_event_of_no_shape_is_not_handled(name: str, change: dict[str, Any]) -> None:
    """What cannot be read is answered in the sender's form, and the function does not run."""
    event = MAKERS[name]() | {"multiValueHeaders": None} | change

    @handler
    def function(_event: Any, _context: Any) -> Any:
        pytest.fail("the function ran")

    assert function(event, None)["statusCode"] == 502


def test_odd_contexts_do_no_harm() -> None:
    """A context whose parts have another form loses them, no more."""
    event = v1()
    event["requestContext"] |= {"identity": ["x"], "requestTimeEpoch": "soon"}
    one = seen_by_the_function(event)
    assert (one["requestContext"]["http"]["sourceIp"], one["requestContext"]["timeEpoch"]) == ("", 0)

"""A handler's v2 answer becomes the answer that Envoy reads, or a typed error; never a silent 200."""

import pytest

from adapters.events import AnswerInvalid, from_gateway


def test_a_full_answer_keeps_everything() -> None:
    """Status, headers in lower case, cookies, body and its encoding arrive."""
    answer = {
        "statusCode": 201,
        "headers": {"Content-Type": "image/png", "X-Count": 3, "X-Ratio": 0.5, "X-On": True},
        "cookies": ["a=1; Path=/", "b=2"],
        "body": "/w==",
        "isBase64Encoded": True,
    }
    assert from_gateway(answer) == {
        "status_code": 201,
        "headers": {"content-type": "image/png", "x-count": "3", "x-ratio": "0.5", "x-on": "true"},
        "cookies": ["a=1; Path=/", "b=2"],
        "body": "/w==",
        "is_base64_encoded": True,
    }


@pytest.mark.parametrize(
    ("answer", "body"),
    [("hello", "hello"), ({"id": 1}, '{"id": 1}'), ([1, 2], "[1, 2]"), ({}, "{}"), ({"body": "x"}, '{"body": "x"}')],
)
def test_an_answer_without_status_is_inferred(answer: object, body: str) -> None:
    """A string, a list or an object without `statusCode` is a 200 with a JSON body, as API Gateway infers it."""
    read = from_gateway(answer)
    assert (read["status_code"], read["headers"], read["body"]) == (200, {"content-type": "application/json"}, body)


@pytest.mark.parametrize("status", [200, "200", 200.0])
def test_a_status_may_be_written_as_text(status: object) -> None:
    """A status in digits or as a whole float is that status."""
    assert from_gateway({"statusCode": status})["status_code"] == 200


def test_an_answer_without_content_type_is_text() -> None:
    """Without a content type an answer is plain text, as an HTTP API serves it; Envoy alone would call it JSON."""
    assert from_gateway({"statusCode": 200, "body": "x"})["headers"] == {"content-type": "text/plain;charset=UTF-8"}


@pytest.mark.parametrize("status", [204, 205, 304])
def test_statuses_without_content_have_no_body(status: int) -> None:
    """204, 205 and 304 lose their body: Envoy would write it to the connection."""
    read = from_gateway({"statusCode": status, "body": "eA==", "isBase64Encoded": True, "headers": {"ETag": "e"}})
    assert (read["body"], read["is_base64_encoded"], read["headers"]) == ("", False, {"etag": "e"})


@pytest.mark.parametrize("encoded", [True, False])
def test_an_answer_to_head_has_no_body(encoded: bool) -> None:  # noqa: FBT001 - a case
    """An answer to HEAD keeps its headers and loses its body, on which Envoy would break the client's connection."""
    answer = {"statusCode": 200, "headers": {"etag": "e", "content-type": "a/b"}, "isBase64Encoded": encoded}
    read = from_gateway({**answer, "body": "eA=="}, "HEAD")
    assert (read["body"], read["is_base64_encoded"], read["headers"]) == (
        "",
        False,
        {"etag": "e", "content-type": "a/b"},
    )
    assert from_gateway({"title": "inferred"}, "HEAD")["body"] == ""


def test_the_length_is_envoy_s_business() -> None:
    """A `content-length` of the handler is dropped: Envoy counts the body itself."""
    assert "content-length" not in from_gateway({"statusCode": 200, "headers": {"Content-Length": 7}})["headers"]


def test_set_cookie_headers_become_cookies() -> None:
    """Set-Cookie is never joined: each value is a cookie, wherever the handler put it."""
    read = from_gateway(
        {
            "statusCode": 200,
            "headers": {"Set-Cookie": "a=1", "set-cookie": "b=2; Expires=Mon, 1 Jan"},
            "multiValueHeaders": {"x": ["y"]},
            "cookies": ["c=3"],
        }
    )
    assert read["cookies"] == ["a=1", "b=2; Expires=Mon, 1 Jan", "c=3"]
    assert "set-cookie" not in read["headers"]


def test_several_values_are_joined_where_a_list_is_legal() -> None:
    """`multiValueHeaders`, which Envoy would drop, win over `headers` of the same name and are joined with a comma."""
    read = from_gateway(
        {
            "statusCode": 200,
            "headers": {"vary": "lost", "Link": ["<a>", "<b>"], "X-A": "1", "x-a": "2"},
            "multiValueHeaders": {"Vary": ["Accept", "Cookie"], "Set-Cookie": ["a=1", "b=2"]},
        }
    )
    assert read["headers"]["vary"] == "Accept, Cookie"
    assert read["headers"]["link"] == "<a>, <b>"
    assert read["headers"]["x-a"] == "1, 2"
    assert read["cookies"] == ["a=1", "b=2"]


def test_a_single_header_may_be_told_twice() -> None:
    """The same value twice is one value; two different ones are refused."""
    same = {"statusCode": 200, "headers": {"ETag": "e", "etag": "e"}}
    assert from_gateway(same)["headers"]["etag"] == "e"
    with pytest.raises(AnswerInvalid, match="content-type has 2 values"):
        from_gateway({"statusCode": 200, "headers": {"content-type": ["a/b", "c/d"]}})


def test_reserved_headers_do_not_leave_the_function() -> None:
    """Headers that steer the router, the Lambda service or one connection are dropped; the fallback mark passes."""
    dropped = ["X-Amz-Meta", "x-amzn-trace-id", "X-Fig-Side", "x-envoy-overloaded", "Connection", "Transfer-Encoding"]
    headers = {**dict.fromkeys(dropped, "x"), "x-fig-fallback": "safe", "content-type": "a/b"}
    assert from_gateway({"statusCode": 503, "headers": headers})["headers"] == {
        "x-fig-fallback": "safe",
        "content-type": "a/b",
    }


def test_values_lose_the_white_space_around_them() -> None:
    """Envoy would write white space around a value to the wire."""
    assert from_gateway({"statusCode": 200, "headers": {"a": " b \n"}})["headers"]["a"] == "b"


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (None, "NoneType"),
        (3, "int"),
        (b"x", "bytes"),
        ({"status_code": 200}, "Envoy's spelling"),
        ({"x": object()}, "no JSON"),
        ({"x": {1, 2}}, "no JSON"),
        ({"statusCode": None}, "statusCode is None"),
        ({"statusCode": True}, "statusCode is True"),
        ({"statusCode": 99}, "statusCode is 99"),
        ({"statusCode": 101}, "statusCode is 101"),
        ({"statusCode": 600}, "statusCode is 600"),
        ({"statusCode": 200.5}, "statusCode is 200.5"),
        ({"statusCode": "20x"}, "statusCode is '20x'"),
        ({"statusCode": "²00"}, "statusCode is '²00'"),
        ({"statusCode": "9" * 5000}, "statusCode"),
        ({"statusCode": float("nan")}, "statusCode is nan"),
        ({"statusCode": 200, "body": {"a": 1}}, "body is dict"),
        ({"statusCode": 200, "body": b"x"}, "body is bytes"),
        ({"statusCode": 200, "body": "\ud800"}, "body is not Unicode text"),
        ("\ud800", "body is not Unicode text"),
        ({"statusCode": 200, "body": "no base64!", "isBase64Encoded": True}, "body is no base64"),
        ({"statusCode": 200, "body": "eA==\n", "isBase64Encoded": True}, "body is no base64"),
        ({"statusCode": 200, "body": "é", "isBase64Encoded": True}, "body is no base64"),
        ({"statusCode": 200, "isBase64Encoded": "true"}, "isBase64Encoded is 'true'"),
        ({"statusCode": 200, "headers": []}, "headers is list"),
        ({"statusCode": 200, "headers": {"a": None}}, "header a is NoneType"),
        ({"statusCode": 200, "headers": {"a": {}}}, "header a is dict"),
        ({"statusCode": 200, "headers": {"a b": "c"}}, "'a b' is no header name"),
        ({"statusCode": 200, "headers": {":status": "404"}}, "':status' is no header name"),
        ({"statusCode": 200, "headers": {1: "c"}}, "1 is no header name"),
        ({"statusCode": 200, "headers": {"a": "b\r\nc: d"}}, "control character"),
        ({"statusCode": 200, "headers": {"a": "\ud800"}}, "not Unicode"),
        ({"statusCode": 200, "cookies": ["a=1\r\nx: y"]}, "control character"),
        ({"statusCode": 200, "cookies": "a=1"}, "cookies is str"),
        ({"statusCode": 200, "cookies": [None]}, "a cookie is NoneType"),
    ],
)
def test_what_is_no_answer_is_an_error(answer: object, said: str) -> None:
    """What API Gateway or Envoy could not serve faithfully makes the function fail, with a sentence that says why."""
    with pytest.raises(AnswerInvalid, match=said):
        from_gateway(answer)

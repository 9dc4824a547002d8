"""What an event says: the same of one request, whoever sent it; and whose word is believed."""

from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from observability.instrument.event import PRINCIPALS, told

from .events import SHAPES, client_context, event, traceparent

TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"
FORGED = {"X-Fig-Shadow": "1", "X-Fig-Route": "books-read"}
ROUTER = "arn:aws:sts::123456789012:assumed-role/router/i-1"
KEYS = st.sampled_from(
    [
        *(
            "version",
            "headers",
            "multiValueHeaders",
            "requestContext",
            "http",
            "method",
            "raw_path",
            "path",
            "identity",
        ),
        *("authorizer", "iam", "userArn", "fig", "elb", "httpMethod", "rawPath", "Records", "source", "traceparent"),
        *("routeKey", "resource", "shadow"),
    ]
)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=5),
    max_leaves=12,
)


def context(shape: str = "", trace: str = TRACE) -> Any:
    custom = (client_context(shape, trace) or {}).get("custom")
    return SimpleNamespace(client_context=SimpleNamespace(custom=custom) if custom else None)


@pytest.mark.parametrize("shape", SHAPES)
def test_every_shape_carries_its_trace(shape: str) -> None:
    """The trace is found whoever sent the request, however the header is spelled."""
    found = told(event(shape, TRACE), context(shape))
    assert found.headers["traceparent"] == traceparent(TRACE)
    assert found.is_http == (shape != "direct")
    assert found.trigger == ("http" if found.is_http else "other")


@pytest.mark.parametrize("shape", SHAPES[:-1])
def test_a_request_is_told_without_its_query(shape: str) -> None:
    """Method, path and host are told under stable names; values of the query string are not."""
    found = told(event(shape, TRACE), context()).attributes
    assert found["http.request.method"] == "GET"
    assert found["url.path"] == "/books/7"
    assert found["server.address"] == "shop.example"
    assert "planted-secret" not in str(found)


@pytest.mark.parametrize(
    ("shape", "route"), [("gateway-v1", "/books/{id}"), ("gateway-v2", "/books/{id}"), ("envoy", "")]
)
def test_the_route_is_the_gateways_template(shape: str, route: str) -> None:
    """`http.route` is a template or nothing, never the path."""
    assert told(event(shape, TRACE), context()).attributes.get("http.route", "") == route


@pytest.mark.parametrize("shape", SHAPES[:-1])
def test_only_the_router_is_believed(shape: str) -> None:
    """A client that reaches a gateway cannot mark its request as a shadow, nor name its route."""
    found = told(event(shape, TRACE, **FORGED), context())
    assert (found.is_shadow, found.route) == ((True, "books-read") if shape == "envoy" else (False, ""))


@pytest.mark.parametrize(
    ("principals", "is_believed"),
    [("", False), ("*", False), (ROUTER, True), ("arn:aws:sts::*", True), ("arn:b*", False)],
)
def test_a_named_principal_is_the_router(principals: str, is_believed: bool, monkeypatch: pytest.MonkeyPatch) -> None:  # noqa: FBT001
    """A function URL that IAM guards believes the callers that the same variable names as for the adapters."""
    monkeypatch.setenv(PRINCIPALS, principals)
    sent = event("function-url", TRACE, **FORGED)
    sent["requestContext"]["authorizer"] = {"iam": {"userArn": ROUTER}}
    assert told(sent, context()).is_shadow == is_believed


def test_below_the_adapters_their_word_counts() -> None:
    """`requestContext.fig`, which only `adapters.handler` writes, says route and role."""
    sent = event("gateway-v2", TRACE)
    sent["requestContext"]["fig"] = {"shadow": True, "route": "books-read"}
    found = told(sent, context())
    assert (found.is_shadow, found.route) == (True, "books-read")


@pytest.mark.parametrize(
    ("sent", "trigger"),
    [
        ({"source": "aws.events"}, "timer"),
        ({"Records": [{"eventSource": "aws:sqs"}]}, "pubsub"),
        ({"Records": [{"eventSource": "aws:s3"}]}, "datasource"),
        ({"Records": [7]}, "other"),
        ([], "other"),
        (None, "other"),
    ],
)
def test_what_is_no_request(sent: Any, trigger: str) -> None:
    """Schedules, queues and whatever else have a trigger, and no attributes of HTTP."""
    found = told(sent, context())
    assert (found.trigger, found.is_http, dict(found.attributes)) == (trigger, False, {})


@settings(max_examples=60, deadline=None)
@given(JSON)
def test_no_event_raises(sent: Any) -> None:
    """Whatever a caller sends, telling does not fail for it."""
    assert told(sent, context()).trigger

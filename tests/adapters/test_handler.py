"""One wrapped handler serves the router and every other caller."""

import logging
import re
from pathlib import Path
from typing import Any

import pytest

from adapters import handler
from adapters.events import FALLBACK_HEADERS, AnswerInvalid, fallback_safe, gateway_handler

from .envoy_model import Request, event


def test_an_event_of_another_service_passes_unchanged() -> None:
    """API Gateway's events, a schedule's and a queue's reach the handler as they are, and so do its answers to them."""
    wrapped = gateway_handler(lambda event, context: (event, context))
    others: tuple[Any, ...] = ({"version": "2.0", "requestContext": {}}, {"Records": []}, "ping", None)
    for other in others:
        assert wrapped(other, "context") == (other, "context")


def test_the_router_s_event_is_translated_both_ways() -> None:
    """The handler sees API Gateway's event and the context; Envoy gets its own form of the answer."""

    @gateway_handler
    def handler(event: dict[str, Any], context: object) -> dict[str, Any]:
        """Answers with what it saw."""
        return {"statusCode": 200, "body": f"{event['rawPath']} {context}"}

    assert handler(event(Request(target="/x")), "ctx")["body"] == "/x ctx"
    assert handler.__name__ == "handler"
    assert handler.__doc__ == "Answers with what it saw."


def test_a_handler_that_is_an_object_can_be_wrapped() -> None:
    """A handler without a name, as Mangum is, is wrapped and keeps its attributes to itself."""

    class Handler:
        secret = "x"  # noqa: S105 - an attribute, not a password

        def __call__(self, event: Any, _context: Any) -> Any:
            return event["rawPath"]

    wrapped = gateway_handler(Handler())
    assert wrapped(event(Request(target="/x")), None)["body"] == "/x"
    assert not hasattr(wrapped, "secret")


def test_an_exception_of_the_handler_passes_through() -> None:
    """The handler's exception is the function's error."""

    def broken(_event: Any, _context: Any) -> Any:
        message = "mine"
        raise LookupError(message)

    with pytest.raises(LookupError, match="mine"):
        gateway_handler(broken)(event(Request()), None)


def test_an_answer_that_is_none_fails_the_function() -> None:
    """A handler that forgets to return makes the function fail, so that the router can fall back."""
    with pytest.raises(AnswerInvalid):
        gateway_handler(lambda _event, _context: None)(event(Request()), None)


def test_an_unreadable_event_is_left_to_legacy(caplog: pytest.LogCaptureFixture) -> None:
    """The handler did not run, so legacy may serve any method; the log says why."""
    headers = (("content-type", "application/json"), ("content-encoding", "gzip"))
    damaged = event(Request(method="POST", headers=headers, body=b"\x1f\x8b"))
    with caplog.at_level(logging.WARNING):
        answer = gateway_handler(lambda _event, _context: pytest.fail("the handler ran"))(damaged, None)
    assert answer["status_code"] == 415
    assert answer["headers"]["x-fig-fallback"] == "safe"
    assert "serve it on legacy" in caplog.text


def test_a_handler_can_leave_a_request_to_legacy() -> None:
    """`fallback_safe` answers with the mark, and a framework's answer can carry it by `FALLBACK_HEADERS`."""
    wrapped = gateway_handler(lambda _event, _context: fallback_safe("the table is not migrated"))
    answer = wrapped(event(Request(method="POST")), None)
    assert answer["status_code"] == 503
    assert answer["headers"]["x-fig-fallback"] == "safe"
    assert answer["body"] == "the table is not migrated"
    assert dict(FALLBACK_HEADERS) == {"x-fig-fallback": "safe"}


async def begun(_event: Any, _context: Any) -> Any:
    """Does nothing until it is awaited."""


def in_parts(_event: Any, _context: Any) -> Any:
    """Does nothing until it is asked for more."""
    yield {"statusCode": 200}


@pytest.mark.parametrize("wrap", [handler, handler(route="r"), gateway_handler])
@pytest.mark.parametrize("wrong", [begun, in_parts, "orders-read", 7])
def test_what_lambda_could_not_call_is_refused_where_it_is_written(wrap: Any, wrong: Any) -> None:
    """A coroutine, a generator, and a route without its name fail when the module is loaded."""
    with pytest.raises(TypeError, match=r"a handler is a function|Lambda calls a plain function"):
        wrap(wrong)


def test_the_guide_s_example_runs() -> None:
    """The code in the guide does what the guide says."""
    guide = (Path(__file__).parents[2] / "docs" / "adapters-events.md").read_text(encoding="utf-8")
    names: dict[str, Any] = {}
    for block in re.findall(r"```python\n(.*?)```", guide, re.DOTALL):
        exec(compile(block, "adapters-events.md", "exec"), names)  # noqa: S102 - our own documentation
    assert names["handler"](event(Request(target="/books/7")), None)["body"] == '{"id":"7"}'
    answer = gateway_handler(names["not_yet"])(event(Request(method="POST")), None)
    assert answer["headers"]["x-fig-fallback"] == "safe"

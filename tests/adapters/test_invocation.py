"""`handler`: deadline, shadow mark and trace of a request in force, and what a failure means for the router."""

import logging
from typing import Any

import pytest

from adapters import effects, handler, is_shadow
from adapters.deadline import bounded, current
from adapters.errors import (
    AnswerInvalid,
    ConflictRetryable,
    ConnectionLost,
    CredentialsRefused,
    DeadlineExceeded,
    Overloaded,
    ProxyRefused,
    Rejected,
    ShadowSuppressed,
    StatementTimedOut,
    TargetFailed,
    TlsUnverified,
    Unreachable,
)

from .envoy_model import Request, event
from .test_deadline import Context

SHADOW = (("x-fig-shadow", "1"),)


def raising(error: Exception, *notes: str) -> Any:
    """A function that may have changed these, and fails."""

    @handler(route="orders")
    def function(_event: Any, _context: Any) -> Any:
        for one in notes:
            effects.note(one)
        raise error

    return function


def test_the_function_runs_within_what_the_invocation_has_left() -> None:
    """The deadline is the invocation's less the reserve, and is gone with the invocation."""
    left: list[float] = []

    @handler(reserve=1.0)
    def function(_event: Any, _context: Any) -> Any:
        deadline = current()
        assert deadline is not None
        left.append(deadline.remaining())
        return {"statusCode": 204}

    function(event(Request()), Context(5000))
    assert 3.5 < left[0] <= 4.0
    assert current() is None


def test_a_schedule_has_a_deadline_too() -> None:
    """An event that is no request reaches the function as it is, but bounded; its failures are the function's."""

    @handler
    def function(_event: Any, _context: Any) -> Any:
        return bounded(None, "x")

    assert 4.0 < function({"source": "aws.events"}, Context(5000)) < 5.0
    with pytest.raises(Unreachable):
        raising(Unreachable("x"))({"Records": []}, None)


def test_what_the_invocation_has_no_time_for_says_what_it_was(caplog: pytest.LogCaptureFixture) -> None:
    """A call that the invocation has no time for is a 504, and the log says what it was."""

    @handler(route="orders-read")
    def function(_event: Any, _context: Any) -> Any:
        return bounded(3.0, "asking core: GET /rates")

    with caplog.at_level(logging.WARNING):
        answer = function(event(Request()), Context(100))
    assert answer["status_code"] == 504
    assert "orders-read: DeadlineExceeded: the invocation's time was over while asking core: GET /rates" in caplog.text
    assert "core" not in answer["body"], "names of what is inside are nobody's business outside"


DONE_NOTHING = [
    Unreachable("x"),
    ProxyRefused("x"),
    TlsUnverified("x"),
    Overloaded("x"),
    CredentialsRefused("x"),
    ConflictRetryable("x"),
    DeadlineExceeded("x", nothing_done=True),
]
UNKNOWN = [ConnectionLost("x"), StatementTimedOut("x"), Rejected("x"), DeadlineExceeded("x"), TargetFailed("x")]


@pytest.mark.parametrize("error", DONE_NOTHING, ids=lambda one: type(one).__name__)
def test_a_refused_call_leaves_the_request_to_legacy(error: TargetFailed) -> None:
    """Where nothing was done legacy may answer, whatever the method."""
    answer = raising(error)(event(Request(method="POST")), None)
    assert (answer["status_code"], answer["headers"]["x-fig-fallback"]) == (error.status, "safe")


@pytest.mark.parametrize("error", DONE_NOTHING, ids=lambda one: type(one).__name__)
def test_not_when_something_was_done_before(error: TargetFailed) -> None:
    """A call that did nothing is not all: something that was committed or sent before keeps legacy away."""
    answer = raising(error, "committing")(event(Request(method="POST")), None)
    assert answer["status_code"] == error.status
    assert "x-fig-fallback" not in answer["headers"]


@pytest.mark.parametrize("error", UNKNOWN, ids=lambda one: type(one).__name__)
def test_not_when_it_is_not_known(error: TargetFailed) -> None:
    """A call that may have been done keeps legacy away."""
    answer = raising(error)(event(Request(method="POST")), None)
    assert answer["status_code"] == error.status
    assert "x-fig-fallback" not in answer["headers"]


def test_one_invocation_s_effects_are_not_the_next_one_s() -> None:
    """A new invocation in the same environment begins with nothing done."""
    raising(Unreachable("x"), "committing")(event(Request(method="POST")), None)
    answer = raising(Unreachable("x"))(event(Request(method="POST")), None)
    assert answer["headers"]["x-fig-fallback"] == "safe"
    effects.note("outside of an invocation nobody asks")
    assert effects.noted() == ()


def test_other_exceptions_fail_the_function() -> None:
    """What is not about a target is the function's own fault, and passes through."""
    with pytest.raises(ZeroDivisionError):
        raising(ZeroDivisionError())(event(Request()), None)


@pytest.mark.parametrize(
    ("answer", "status", "body"),
    [
        ({"statusCode": 201, "body": "x"}, 201, "x"),
        ({"statusCode": 200, "headers": None, "body": "x"}, 200, "x"),
        ({"books": []}, 200, '{"books": []}'),
        (["a"], 200, '["a"]'),
        ("text", 200, "text"),
    ],
)
def test_a_shadow_is_honoured_whatever_the_answer(answer: Any, status: int, body: str) -> None:
    """Every answer to a shadow says that it was honoured, and is otherwise the one that a request gets."""

    @handler
    def function(_event: Any, _context: Any) -> Any:
        return answer

    primary, shadow = function(event(Request()), None), function(event(Request(headers=SHADOW)), None)
    assert (shadow["status_code"], shadow["body"]) == (status, body)
    assert shadow["headers"].pop("x-fig-shadow") == "honoured"
    assert shadow == primary


def test_a_shadow_that_would_have_sent_something_ends_well() -> None:
    """Where a shadow would have changed something it ends there, honoured."""
    answer = raising(ShadowSuppressed("core", "POST"))(event(Request(method="POST", headers=SHADOW)), None)
    assert (answer["status_code"], answer["headers"]["x-fig-shadow"]) == (204, "honoured")


def test_a_shadow_never_sends_legacy_to_work() -> None:
    """Legacy has answered the request already: the failure of a shadow does not ask it again."""
    compressed = (("content-type", "application/json"), ("content-encoding", "gzip"), *SHADOW)
    unreadable = event(Request(method="POST", headers=compressed, body=b"\x1f\x8b"))
    for answer in (
        raising(Unreachable("x"))(event(Request(method="POST", headers=SHADOW)), None),
        raising(Unreachable("x"))(unreadable, None),
    ):
        assert answer["headers"]["x-fig-shadow"] == "honoured"
        assert "x-fig-fallback" not in answer["headers"]


def test_a_shadow_s_mark_ends_with_it() -> None:
    """The mark is on while the shadow is handled, and on nothing after it."""
    seen: list[bool] = []

    @handler
    def function(_event: Any, _context: Any) -> Any:
        seen.append(is_shadow())
        return {"statusCode": 204}

    function(event(Request(headers=SHADOW)), None)
    answer = function(event(Request()), None)
    assert seen == [True, False]
    assert "x-fig-shadow" not in answer["headers"]


@pytest.mark.parametrize("answer", [None, 7, {"statusCode": 99}, {"statusCode": 200, "headers": ["x"]}])
@pytest.mark.parametrize("headers", [(), SHADOW])
def test_what_is_no_answer_fails_the_function(answer: Any, headers: tuple[tuple[str, str], ...]) -> None:
    """A shadow's wrong answer is as wrong as any."""

    @handler
    def function(_event: Any, _context: Any) -> Any:
        return answer

    with pytest.raises(AnswerInvalid):
        function(event(Request(headers=headers)), None)


def test_it_stacks_with_others_and_keeps_the_name() -> None:
    """The decorated function keeps its name and text, with and without parentheses."""

    @handler
    def one(_event: Any, _context: Any) -> Any:
        """Says something."""

    @handler(route="x")
    def other(_event: Any, _context: Any) -> Any:
        """Says more."""

    assert (one.__name__, one.__doc__, other.__name__) == ("one", "Says something.", "other")

"""The router is told of the invocation that waited for its environment's start, and of no other."""

import itertools
from typing import Any

import pytest

from adapters import coldstart, handler
from adapters.events import gateway_handler

from .envoy_model import Request, event

_ANSWER: dict[str, Any] = {"statusCode": 204}


def _fresh(monkeypatch: pytest.MonkeyPatch, kind: str | None) -> None:
    monkeypatch.setattr(coldstart, "_invocations", itertools.count())
    if kind is None:
        monkeypatch.delenv("AWS_LAMBDA_INITIALIZATION_TYPE", raising=False)
    else:
        monkeypatch.setenv("AWS_LAMBDA_INITIALIZATION_TYPE", kind)


@pytest.mark.parametrize("wrap", [handler, gateway_handler])
def test_the_first_answer_of_an_environment_says_so(wrap: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """The mark is on the first answer to the router alone."""
    _fresh(monkeypatch, "on-demand")
    wrapped = wrap(lambda _event, _context: _ANSWER)
    marks = [wrapped(event(Request(target="/x")), None)["headers"].get("x-fig-cold-start") for _ in range(3)]
    assert marks == ["1", None, None]


@pytest.mark.parametrize("kind", ["provisioned-concurrency", "snap-start", None])
def test_who_did_not_wait_is_not_told_of(kind: str | None, monkeypatch: pytest.MonkeyPatch) -> None:
    """An environment that was made ahead, or that is none of Lambda's, has no cold start."""
    _fresh(monkeypatch, kind)
    answer = handler(lambda _event, _context: _ANSWER)(event(Request(target="/x")), None)
    assert "x-fig-cold-start" not in answer["headers"]


def test_an_event_of_another_service_uses_the_first_one_up(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where a schedule began the environment, the router's first request finds it warm; others never see the mark."""
    _fresh(monkeypatch, "on-demand")

    def answer(event: Any, _context: Any) -> Any:
        return event if "Records" in event else _ANSWER

    wrapped = handler(answer)
    assert wrapped({"Records": []}, None) == {"Records": []}
    assert "x-fig-cold-start" not in wrapped(event(Request(target="/x")), None)["headers"]

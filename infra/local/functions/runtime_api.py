"""The Runtime API, which a runtime polls for events: paths and headers, no state.

Source: AWS Lambda developer guide, "Using the Lambda runtime API for custom runtimes" (version 2018-06-01).
"""

import json
from typing import Protocol

from .http_server import Exchange
from .invocation import Invocation

MAX_BODY = 8 * 2**20
"""Bytes that are taken from a runtime: more than an answer may have."""

_ROOT = "/2018-06-01/runtime/"
_NEXT = _ROOT + "invocation/next"
_INIT_ERROR = _ROOT + "init/error"
_INVOCATION = _ROOT + "invocation/"
_JSON = {"Content-Type": "application/json"}
_ACCEPTED = b'{"status":"OK"}\n'


class Runtime(Protocol):
    """The environment that a runtime's calls are about. Each call answers its exchange, now or later."""

    def asks_for_next(self, exchange: Exchange) -> None:
        """The runtime is ready for an event, and waits."""

    def answers(self, exchange: Exchange, request_id: str, *, failed: bool) -> None:
        """The runtime has the answer of an invocation, or its error document."""

    def failed_to_start(self, exchange: Exchange) -> None:
        """The runtime could not import the handler; the body is its error document."""


def serve(runtime: Runtime, exchange: Exchange) -> None:
    """Hand a runtime's request to its environment."""
    target = exchange.target
    if target == _NEXT:
        runtime.asks_for_next(exchange)
    elif exchange.method == "POST" and target.startswith(_INVOCATION):
        request_id, _, verb = target[len(_INVOCATION) :].partition("/")
        if verb not in ("response", "error"):
            refuse(exchange, 404, "NotFound", f"no such path: {target}")
        else:
            runtime.answers(exchange, request_id, failed=verb == "error")
    elif exchange.method == "POST" and target == _INIT_ERROR:
        runtime.failed_to_start(exchange)
    else:
        refuse(exchange, 404, "NotFound", f"no such path: {target}")


def deliver(exchange: Exchange, invocation: Invocation, *, deadline_ms: int) -> None:
    """Answer a waiting `next` with an event; the deadline is in milliseconds since 1970."""
    headers = {
        "Content-Type": "application/json",
        "Lambda-Runtime-Aws-Request-Id": invocation.request_id,
        "Lambda-Runtime-Deadline-Ms": str(deadline_ms),
        "Lambda-Runtime-Invoked-Function-Arn": invocation.arn,
        "Lambda-Runtime-Trace-Id": invocation.trace_id,
    }
    if invocation.client_context is not None:
        headers["Lambda-Runtime-Client-Context"] = invocation.client_context
    exchange.answer(200, headers, invocation.payload)


def accept(exchange: Exchange) -> None:
    """Say that an answer or an error was taken."""
    exchange.answer(202, _JSON, _ACCEPTED)


def refuse(exchange: Exchange, status: int, error_type: str, message: str) -> None:
    """Say that a call was not understood, or came at the wrong time."""
    exchange.answer(status, _JSON, json.dumps({"errorType": error_type, "errorMessage": message}).encode())

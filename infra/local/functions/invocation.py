"""One invocation on its way from the Invoke API to a handler."""

from collections.abc import Callable
from dataclasses import dataclass

from .outcome import Outcome


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Invocation:
    """An event for one version of a function; `done` is called exactly once, with its outcome.

    `arn` is as the caller named the function, qualifier and all; `client_context` is JSON on one line.
    """

    request_id: str
    payload: bytes
    version: str
    arn: str
    trace_id: str
    client_context: str | None
    wants_log: bool
    done: Callable[["Invocation", Outcome], None]

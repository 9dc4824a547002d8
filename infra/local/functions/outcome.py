"""What an invocation came to, and the documents that the service writes when the runtime could not.

Source for the wording: answers of the real service recorded by others, as in github.com/floci-io/floci issue 3314
(September 2026): `Sandbox.Timedout`, `Runtime.ExitError`; 6,291,556 bytes: `Function.ResponseSizeTooLarge`.
"""

import json
import signal
from collections.abc import Callable
from dataclasses import dataclass

MAX_ANSWER = 6_291_556
"""Bytes of a function's answer: 6 MiB and 100. Source: the service's own message."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """The payload for the caller; `failed` is the header X-Amz-Function-Error; `log` is the tail, if asked for."""

    payload: bytes
    failed: bool = False
    timed_out: bool = False
    log: bytes | None = None


Ending = Callable[[str], Outcome]
"""Why an environment ended, as the outcome of the invocation with that request id."""


def timed_out(seconds: float) -> Ending:
    """The handler did not answer within its timeout."""
    return lambda request_id: Outcome(
        payload=_document(
            "Sandbox.Timedout", f"RequestId: {request_id} Error: Task timed out after {seconds:.2f} seconds"
        ),
        failed=True,
        timed_out=True,
    )


def exited(return_code: int) -> Ending:
    """The process ended; the code is negative for a signal, as `subprocess` has it."""
    if return_code == 0:
        reason = "Runtime exited without providing a reason"
    elif return_code > 0:
        reason = f"Runtime exited with error: exit status {return_code}"
    else:
        name = signal.strsignal(-return_code) or f"signal {-return_code}"
        reason = f"Runtime exited with error: signal: {name.lower()}"
    return lambda request_id: Outcome(
        payload=_document("Runtime.ExitError", f"RequestId: {request_id} Error: {reason}"), failed=True
    )


def reported(payload: bytes) -> Ending:
    """The runtime reported why it could not start (an import error, as a rule); its own document is the answer."""
    return lambda _request_id: Outcome(payload=payload, failed=True)


def not_started(reason: str) -> Ending:
    """This machine could not start the process; the real service has no such case."""
    return lambda _request_id: Outcome(payload=_document("Runtime.Unknown", reason), failed=True)


def answer_too_large() -> Outcome:
    """The function's answer is longer than `MAX_ANSWER`."""
    message = f"Response payload size exceeded maximum allowed payload size ({MAX_ANSWER} bytes)."
    return Outcome(payload=_document("Function.ResponseSizeTooLarge", message), failed=True)


def _document(error_type: str, message: str) -> bytes:
    return json.dumps({"errorType": error_type, "errorMessage": message}, separators=(",", ":")).encode()

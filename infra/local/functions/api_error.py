"""The errors of the Invoke API: status, type and document, as the service writes them.

Source: Lambda API reference, Invoke, "Errors", and "Common Errors"; wording from answers of the service that others
recorded.
"""

import json
from dataclasses import dataclass

from .http_server import Exchange

MAX_PAYLOAD = 6_291_456
"""Bytes of a payload. Source: the service's message, "Request must be smaller than 6291456 bytes"."""

MAX_EVENT = 1_048_576
"""Bytes of an Event's payload. Source: API reference, Invoke: "For asynchronous invocations, the maximum payload size
is 1 MB"; the service's message names 1048576 bytes (seen in 2026)."""


@dataclass(frozen=True, slots=True)
class ApiError:
    """An answer of the API itself: no handler ran."""

    status: int
    type: str
    message: str
    reason: str | None = None
    message_key: str = "Message"

    def send(self, exchange: Exchange, request_id: str) -> None:
        """Answer the exchange with this error."""
        reason = {"Reason": self.reason} if self.reason else {}
        document = {**reason, "Type": "Service" if self.status >= 500 else "User", self.message_key: self.message}  # noqa: PLR2004 - HTTP
        headers = {
            "Content-Type": "application/json",
            "x-amzn-RequestId": request_id,
            "x-amzn-ErrorType": self.type,
        }
        exchange.answer(self.status, headers, json.dumps(document, separators=(",", ":")).encode())


THROTTLED = ApiError(
    429,
    "TooManyRequestsException",
    "Rate Exceeded.",
    reason="ReservedFunctionConcurrentInvocationLimitExceeded",
    message_key="message",
)
EVENT_QUEUE_FULL = ApiError(
    429, "TooManyRequestsException", "Rate Exceeded.", reason="CallerRateLimitExceeded", message_key="message"
)
# The type is what callers of the service see on the wire; its model of the API says RequestTooLargeException.
PAYLOAD_TOO_LARGE = ApiError(
    413,
    "RequestEntityTooLargeException",
    f"Request must be smaller than {MAX_PAYLOAD} bytes for the InvokeFunction operation",
)
SERVICE_FAILED = ApiError(500, "ServiceException", "The service encountered an internal error.")
UNKNOWN_OPERATION = ApiError(404, "UnknownOperationException", "This process answers Invoke only.")


def event_too_large(size: int) -> ApiError:
    """An Event's payload over `MAX_EVENT`."""
    message = f"{size} byte payload is too large for the Event invocation type (limit {MAX_EVENT} bytes)"
    return ApiError(413, "RequestEntityTooLargeException", message)


def not_found(arn: str, detail: str = "") -> ApiError:
    """No such function, version or alias."""
    return ApiError(404, "ResourceNotFoundException", f"Function not found: {arn}{detail}")


def invalid_content(detail: str) -> ApiError:
    """The payload is not JSON."""
    message = f"Could not parse request body into json: {detail}"
    return ApiError(400, "InvalidRequestContentException", message, message_key="message")


def invalid_parameter(detail: str) -> ApiError:
    """A header or the qualifier is wrong."""
    return ApiError(400, "InvalidParameterValueException", detail, message_key="message")


def denied(error_type: str, detail: str) -> ApiError:
    """The signature, the key or the permission is wrong."""
    return ApiError(403, error_type, detail, message_key="message")

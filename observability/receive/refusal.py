"""What is wrong with a request, as values that become its answer."""

import enum


class Reason(enum.Enum):
    """Why a request was not taken; health counts them by these names."""

    NOT_FOUND = "not_found"
    WRONG_TYPE = "wrong_type"
    WRONG_ENCODING = "wrong_encoding"
    TOO_LARGE = "too_large"
    MALFORMED = "malformed"
    NO_TOKEN = "no_token"  # noqa: S105 - a reason, no password
    STRANGER = "stranger"
    FULL = "full"
    NOT_STORED = "not_stored"
    GONE = "gone"


class BadRequest(Exception):  # noqa: N818 - named as who meets it would
    """The sender's fault, or a passing want of room; `status` is HTTP's."""

    def __init__(self, status: int, reason: Reason, message: str, *, retry_after_seconds: int | None = None) -> None:
        super().__init__(message)
        self.status = status
        self.reason = reason
        self.message = message
        self.retry_after_seconds = retry_after_seconds

"""What a service answered: read whole, within a limit, before anybody sees it."""

import json
from collections.abc import Mapping
from typing import Any

from ..errors import Rejected, TargetFailed

_FIRST_ERROR = 400
UNWELL = frozenset({502, 503, 504})
"""Statuses by which a service, or a proxy before it, says that it cannot serve now."""


class Answer:
    """A status, headers (names in lower case; repeated ones joined with a comma), and the whole body."""

    __slots__ = ("body", "headers", "profile", "status")

    def __init__(self, *, profile: str, status: int, headers: Mapping[str, str], body: bytes) -> None:
        self.profile = profile
        self.status = status
        self.headers = headers
        self.body = body

    def json(self) -> Any:
        """The body as JSON. Raises `Rejected` where it is none."""
        try:
            return json.loads(self.body)
        except (ValueError, RecursionError) as error:
            message = f"{self.profile} answered {self.status} with a body that is not JSON"
            raise Rejected(message) from error

    def text(self) -> str:
        """The body as UTF-8 text; what is none is replaced."""
        return self.body.decode(errors="replace")

    def expect(self, *statuses: int) -> "Answer":
        """The answer itself, if its status is one of these, or below 400 where none is given. Raises `Rejected`."""
        if self.status in statuses or (not statuses and self.status < _FIRST_ERROR):
            return self
        message = f"{self.profile} answered {self.status}"
        raise Rejected(message)


class Unwell(TargetFailed):
    """An answer that a guard counts as a failure, while the caller gets it like any other."""

    def __init__(self, answer: Answer) -> None:
        self.answer = answer
        super().__init__(f"{answer.profile} answered {answer.status}")

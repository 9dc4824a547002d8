"""How callers name a function: its name, its ARN or part of it, with or without a qualifier.

Source: Lambda API reference, Invoke, FunctionName.
"""

import re
from dataclasses import dataclass

_PATTERN = re.compile(
    r"(?:(?:arn:(?P<partition>aws[a-zA-Z-]*):lambda:(?P<region>[a-z]{2}(?:-[a-z]+)+-[0-9]):)?(?P<account>[0-9]{12}):function:"
    r"|function:)?(?P<name>[a-zA-Z0-9_-]{1,64})(?::(?P<qualifier>\$LATEST|[a-zA-Z0-9_-]{1,128}))?"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class FunctionReference:
    """A function as a caller named it; what the caller left out is None."""

    name: str
    qualifier: str | None
    region: str | None
    account: str | None

    @classmethod
    def parse(cls, text: str) -> "FunctionReference | None":
        """The reference that a path segment (decoded) is, or None."""
        found = _PATTERN.fullmatch(text)
        if not found:
            return None
        return cls(name=found["name"], qualifier=found["qualifier"], region=found["region"], account=found["account"])

"""Ids in hexadecimal. Those that are none (of another length than W3C's, or all zero) are emptied and counted.

Nothing is joined by an empty id, and nothing would be right that was joined by a wrong one.
"""

_TRACE, _SPAN = 16, 8
_NO_TRACE, _NO_SPAN = bytes(_TRACE), bytes(_SPAN)


def is_trace(raw: bytes) -> bool:
    """Whether it is a trace's id."""
    return len(raw) == _TRACE and raw != _NO_TRACE


def is_span(raw: bytes) -> bool:
    """Whether it is a span's id."""
    return len(raw) == _SPAN and raw != _NO_SPAN


def is_no_parent(raw: bytes) -> bool:
    """Whether it says that there is no parent: some emitters send zeros for that, which is no fault."""
    return not raw or raw == _NO_SPAN


class Ids:
    """The ids of one request in hexadecimal, and how many of them were none. An empty one is none and no fault."""

    __slots__ = ("_traces", "invalid")

    def __init__(self) -> None:
        self.invalid = 0
        self._traces: dict[bytes, str] = {}

    def trace(self, raw: bytes) -> str:
        """A trace's id; the same text each time, as a request's spans are often of the same trace."""
        known = self._traces.get(raw)
        if known is None:
            if not is_trace(raw):
                self.invalid += bool(raw)
                return ""
            known = self._traces[raw] = raw.hex()
        return known

    def span(self, raw: bytes) -> str:
        """A span's id."""
        if len(raw) == _SPAN and raw != _NO_SPAN:
            return raw.hex()
        self.invalid += bool(raw)
        return ""

    def parent(self, raw: bytes) -> str:
        """The id of a span's parent; zeros are none, and no fault."""
        return "" if is_no_parent(raw) else self.span(raw)

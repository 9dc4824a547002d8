"""Whether the request at hand is a shadow: shown to this side for comparison, answered by the other.

`handler` sets the mark from the router's header. What a shadow does must leave no trace: transactions are rolled back,
nothing is sent, and a profile may name another target for shadows.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

_shadow: ContextVar[bool] = ContextVar("adapters_shadow", default=False)


def is_shadow() -> bool:
    """Whether the request at hand is a shadow."""
    return _shadow.get()


@contextmanager
def marked(*, shadow: bool) -> Iterator[None]:
    """Handle a request with this mark until the block ends."""
    token = _shadow.set(shadow)
    try:
        yield
    finally:
        _shadow.reset(token)

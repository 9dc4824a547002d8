"""Whether this invocation has changed anything yet: only a function that did nothing may leave a request to legacy.

Whatever commits or sends notes it here, before it does. `handler` begins a new page for each invocation.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

_noted: ContextVar[list[str] | None] = ContextVar("adapters_effects", default=None)


def note(what: str) -> None:
    """Something may be changed from now on: `what` says where."""
    page = _noted.get()
    if page is not None:
        page.append(what)


def noted() -> tuple[str, ...]:
    """What may have been changed in this invocation, in order."""
    return tuple(_noted.get() or ())


@contextmanager
def new_page() -> Iterator[None]:
    """Begin with nothing noted until the block ends."""
    token = _noted.set([])
    try:
        yield
    finally:
        _noted.reset(token)

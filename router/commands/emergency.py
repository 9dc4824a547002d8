"""What to say to somebody who wants everybody on legacy while control is away."""

import contextlib
from collections.abc import Iterator

_EXIT = "to send users to legacy without control, run fig node rollback --reason ... on each router host (README)"


@contextlib.contextmanager
def emergency_exit(*, is_needed: bool) -> Iterator[None]:
    """Let a command towards legacy say, where control is not reachable, what works without it."""
    from ..errors import ControlUnreachable  # noqa: PLC0415 - errors of the router cost start-up time

    try:
        yield
    except ControlUnreachable as error:
        if not is_needed:
            raise
        message = f"{error}\n  hint: {_EXIT}"
        raise ControlUnreachable(message) from error

"""Failures of the world around the telemetry store: the class says who must act and whether to retry.

    Failed                       the root of every package's tree; exit code 1
    └── ObservabilityFailed      anything below failed while telemetry was received, kept or asked for
        ├── StoreFailed          the database cannot be opened or written; free the disk, or name another file
        │   ├── StoreHeld        another process owns the file; stop that one, or ask it over HTTP
        │   └── StoreFull        the queue or the disk is full; retry after `retry_after_seconds`
        └── ObserveUnreachable   no `fig observe` answers; start it, or name its address

What is wrong with a user's text is a `Diagnostic`; what is wrong with a request is `receive.refusal.BadRequest`.
"""

from strangler_fig.diagnostics import Failed


class ObservabilityFailed(Failed):
    """The world failed while telemetry was received, kept or asked for."""


class StoreFailed(ObservabilityFailed):
    """The store's file cannot be opened, read or written."""


class StoreHeld(StoreFailed):
    """Another process owns the store's file."""


class StoreFull(StoreFailed):
    """There is no room at the moment; nothing of the batch was stored."""

    def __init__(self, message: str, *, retry_after_seconds: int) -> None:
        super().__init__(message)
        self.retry_after_seconds = retry_after_seconds


class ObserveUnreachable(ObservabilityFailed):
    """No `fig observe` answers."""

"""Waiting no longer than a bound for what has no timeout of its own: name look-ups, AWS's clients."""

import queue
import threading
from collections.abc import Callable
from typing import Any, TypeVar

Result = TypeVar("Result")


def call_within(seconds: float | None, call: Callable[[], Result]) -> Result:
    """What `call` returns or raises, if that takes no longer than `seconds`; else it is left to itself.

    It runs in a thread of its own, without the caller's context. Raises `TimeoutError`, and what `call` raises.
    """
    if seconds is None:
        return call()
    answers: queue.SimpleQueue[tuple[Any, BaseException | None]] = queue.SimpleQueue()

    def run() -> None:
        try:
            answers.put((call(), None))
        except BaseException as error:  # noqa: BLE001 - raised where it is awaited
            answers.put((None, error))

    threading.Thread(target=run, daemon=True).start()
    try:
        result, error = answers.get(timeout=max(0.0, seconds))
    except queue.Empty:
        message = f"no answer within {seconds:.1f} s"
        raise TimeoutError(message) from None
    if error is not None:
        raise error
    return result  # type: ignore[no-any-return]

"""A question to the store from a request: in a thread of its own, and given up when the asker has gone.

A page that asks anew on every change of its form closes the connection of the question before: without this, two
forgotten searches over much time would hold both of the store's threads.
"""

import asyncio
import contextvars
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from starlette.requests import Request

from ..query.reader import STOP, Stop

Result = TypeVar("Result")
_LOOK_SECONDS = 0.2


async def ask(request: Request, workers: ThreadPoolExecutor, question: Callable[[], Result]) -> Result:
    """What the question gives."""
    stop = Stop()
    context = contextvars.copy_context()
    context.run(STOP.set, stop)
    answer = asyncio.get_running_loop().run_in_executor(workers, lambda: context.run(question))
    is_gone = False
    try:
        while not (await asyncio.wait({answer}, timeout=_LOOK_SECONDS))[0]:
            is_gone = is_gone or await request.is_disconnected()
            if is_gone:
                stop.set()  # again each time: a statement that was about to begin would not notice the first
    finally:
        stop.set()
    return answer.result()

"""A question ends when its asker has gone: forgotten ones would hold the store's threads."""

import asyncio
import threading
from typing import Any, cast

import pytest
from sqlalchemy import SelectBase
from starlette.applications import Starlette

from observability.api.endpoints import Api
from observability.api.sessions import Sessions
from observability.errors import StoreFailed
from observability.query.reader import STOP, DuckDbReader, Record

TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"


class Slow:
    """A store that answers nothing until it is interrupted."""

    def __init__(self) -> None:
        self.ended = threading.Event()

    def rows(self, _statement: SelectBase) -> list[Record]:
        """Wait for the interruption."""
        stop = STOP.get()
        assert stop is not None, "nothing could end this question"
        interrupted = threading.Event()
        with stop.over(interrupted.set):
            assert interrupted.wait(20)
        self.ended.set()
        message = "interrupted"
        raise StoreFailed(message)

    columns = rows


@pytest.mark.parametrize(
    "path",
    [
        "/api/routes",
        "/api/routes/books/series",
        "/api/routes/books/slowest",
        "/api/traces",
        f"/api/traces/{TRACE}",
        f"/api/traces/{TRACE}/outline",
        "/api/logs",
        "/api/health",
    ],
)
def test_a_question_ends_with_its_asker(path: str) -> None:
    """Whoever closes the connection interrupts what is read for him, whatever he asked."""
    store = Slow()
    api = Api(reader=cast(DuckDbReader, store), sessions=Sessions("x"), condition=dict)
    app = Starlette(routes=api.routes())
    scope: dict[str, Any] = {"type": "http", "method": "GET", "path": path, "query_string": b"", "headers": []}

    async def gone() -> dict[str, Any]:
        return {"type": "http.disconnect"}

    async def send(_message: Any) -> None:
        """Nobody reads."""

    with pytest.raises(StoreFailed):
        asyncio.run(app(scope, gone, send))
    assert store.ended.is_set()
    api.workers.shutdown()

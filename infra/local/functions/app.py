"""The local Lambda put together: opens the port, and ends every process when it stops."""

import asyncio
import datetime as dt
import sys
from typing import Self

from ..errors import EnvironmentsLeft
from . import admin
from .api_error import MAX_PAYLOAD
from .event_queue import EventQueue
from .fault import FaultSwitch
from .function import Function
from .http_server import Connection, Exchange
from .invoke_api import InvokeApi, Served
from .log_stream import Sink
from .settings import Settings
from .sigv4 import Verifier

_STOP_SECONDS = 10.0
_BACKLOG = 1024


def _to_stderr(text: str) -> None:
    sys.stderr.write(text)
    sys.stderr.flush()


class LocalLambda:
    """Functions behind the Invoke API; an asynchronous context manager. Port 0: the system chooses."""

    def __init__(self, settings: Settings, *, host: str = "127.0.0.1", port: int = 0, sink: Sink = _to_stderr) -> None:
        self._settings = settings
        self._address = (host, port)
        self._sink = sink
        self._served: dict[str, Served] = {}
        self._connections: set[Connection] = set()
        self._server: asyncio.Server | None = None
        self.url = ""

    async def __aenter__(self) -> Self:
        """Listen. Raises `OSError` when the address cannot be had."""
        settings = self._settings
        for name, one in settings.functions.items():
            function = Function(one, settings, sink=self._sink)
            events = EventQueue(function, retry_delay_seconds=settings.retry_delay_seconds)
            self._served[name] = Served(function=function, events=events, faults=FaultSwitch())
        verifier = None
        if settings.credentials:
            verifier = Verifier(settings.credentials, settings.region, now=lambda: dt.datetime.now(dt.UTC))
        api = InvokeApi(settings, self._served, verifier)

        def serve(exchange: Exchange) -> None:
            if exchange.target.startswith(admin.ROOT):
                admin.serve(self._served, exchange)
            else:
                api.serve(exchange)

        def connection() -> Connection:
            made = Connection(serve, max_body=MAX_PAYLOAD, closed=self._connections.discard)
            self._connections.add(made)
            return made

        host, port = self._address
        self._server = await asyncio.get_running_loop().create_server(connection, host, port, backlog=_BACKLOG)
        bound = self._server.sockets[0].getsockname()
        shown = f"[{bound[0]}]" if ":" in bound[0] else bound[0]
        self.url = f"http://{shown}:{bound[1]}"
        return self

    async def __aexit__(self, *_exception: object) -> None:
        """Stop listening and kill every process. Raises `EnvironmentsLeft` when one does not go."""
        if self._server is not None:
            self._server.close()
        for served in self._served.values():
            served.events.stop()
        for connection in tuple(self._connections):
            connection.abort()
        try:
            async with asyncio.timeout(_STOP_SECONDS):
                await asyncio.gather(*(served.function.stop() for served in self._served.values()))
        except TimeoutError as error:
            left = [str(pid) for served in self._served.values() for pid in served.function.process_ids]
            message = f"handler processes that were killed are still there: {', '.join(left) or 'unknown ids'}"
            raise EnvironmentsLeft(message) from error

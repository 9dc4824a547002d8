"""Two listeners in one process, their signals, and their end: every request is answered before the process goes."""

import asyncio
import contextlib
import errno
import gc
import signal
import socket
from collections.abc import Callable, Iterator

import uvicorn
from starlette.types import ASGIApp

from strangler_fig.diagnostics import Diagnostic, Refused

_GRACE_SECONDS = 3
_BACKLOG = 512
_COLLECTIONS = (100_000, 20, 20)
"""How many new objects there are before Python looks for circles among them, and so on: rows come by the thousand and
have none. Source: measured; by default that look is a third of an ingest's processor time."""
_NOT_HERE = {
    errno.EADDRINUSE: "is in use",
    errno.EACCES: "may not be used by this user",
    errno.EADDRNOTAVAIL: "is not an address of this machine",
}


class _Server(uvicorn.Server):
    """A server that leaves signals to its owner, and says when it listens."""

    def __init__(self, app: ASGIApp, on_ready: Callable[[], None]) -> None:
        settings = uvicorn.Config(
            app,
            log_config=None,
            access_log=False,
            lifespan="off",
            timeout_graceful_shutdown=_GRACE_SECONDS,
            timeout_keep_alive=60,
            server_header=False,
            ws="none",
            proxy_headers=False,
        )
        super().__init__(settings)
        self._on_ready = on_ready

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self._on_ready()


def listen(host: str, port: int, option: str) -> socket.socket:
    """A listening socket; port 0 lets the system choose. Raises `Refused` when the address cannot be had."""
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
        listener = socket.socket(family, kind, protocol)
    except OSError as error:
        message = f"{host}:{port} cannot be listened on: {error.strerror or error}"
        raise Refused([Diagnostic(code="OB104", message=message)]) from error
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(address)
        listener.listen(_BACKLOG)
    except OSError as error:
        listener.close()
        why = _NOT_HERE.get(error.errno or 0, f"cannot be listened on: {error.strerror}")
        hint = f"name another with {option}; 0 lets the system choose" if error.errno == errno.EADDRINUSE else None
        raise Refused([Diagnostic(code="OB104", message=f"the address {host}:{port} {why}", hint=hint)]) from error
    return listener


def url_of(listener: socket.socket) -> str:
    """The URL at which the socket listens; for every address of the machine, the loopback one."""
    host, port = listener.getsockname()[:2]
    host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)  # noqa: S104 - compared, not bound
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def serve(
    applications: list[tuple[ASGIApp, socket.socket]],
    on_ready: Callable[[], None],
    on_end: Callable[[], None] = lambda: None,
) -> None:
    """Serve each application on its socket until SIGTERM or SIGINT; returns when every request has ended.

    `on_end` is called in the loop when the end begins: streams without an end of their own end there.
    """
    before = gc.get_threshold()
    gc.collect()
    gc.freeze()  # what is there now stays to the end
    gc.set_threshold(*_COLLECTIONS)
    try:
        asyncio.run(_serve(applications, on_ready, on_end))
    finally:
        gc.unfreeze()
        gc.set_threshold(*before)


async def _serve(
    applications: list[tuple[ASGIApp, socket.socket]], on_ready: Callable[[], None], on_end: Callable[[], None]
) -> None:
    waiting = len(applications)

    def one_listens() -> None:
        nonlocal waiting
        waiting -= 1
        if not waiting:
            on_ready()

    servers = [(_Server(app, one_listens), listener) for app, listener in applications]

    def end() -> None:
        for server, _ in servers:
            server.should_exit = True
        on_end()

    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, end)
    await asyncio.gather(*(server.serve(sockets=[listener]) for server, listener in servers))

"""The control process: its socket, its signals, its ready line, and its end within a second."""

import asyncio
import errno
import signal
import socket
from collections.abc import Callable
from types import FrameType

import uvicorn

from strangler_fig.diagnostics import Diagnostic, Refused

from .app import Control

_GRACE_SECONDS = 1
_BACKLOG = 512
_NOT_HERE = {
    errno.EADDRINUSE: "is in use",
    errno.EACCES: "may not be used by this user",
    errno.EADDRNOTAVAIL: "is not an address of this machine",
}


class _Server(uvicorn.Server):
    """A server that says when it listens, and lets waiting nodes go before it stops."""

    def __init__(self, control: Control, on_ready: Callable[[], None]) -> None:
        settings = uvicorn.Config(
            control.app,
            log_config=None,
            access_log=False,
            lifespan="on",
            timeout_graceful_shutdown=_GRACE_SECONDS,
            timeout_keep_alive=60,
            server_header=False,
            ws="none",
        )
        super().__init__(settings)
        self._control = control
        self._on_ready = on_ready

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self._on_ready()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        self._control.close()
        await super().shutdown(sockets)


def listen(host: str, port: int) -> socket.socket:
    """A listening socket; port 0 lets the system choose. Raises `Refused` when the address cannot be had."""
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
        listener = socket.socket(family, kind, protocol)
    except OSError as error:
        message = f"{host}:{port} cannot be listened on: {error.strerror or error}"
        raise Refused([Diagnostic(code="CT104", message=message)]) from error
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(address)
        listener.listen(_BACKLOG)
    except OSError as error:
        listener.close()
        why = _NOT_HERE.get(error.errno or 0, f"cannot be listened on: {error.strerror}")
        hint = "name another with --port; 0 lets the system choose" if error.errno == errno.EADDRINUSE else None
        raise Refused([Diagnostic(code="CT104", message=f"the address {host}:{port} {why}", hint=hint)]) from error
    return listener


def url_of(listener: socket.socket) -> str:
    """The URL at which the socket listens; for every address of the machine, the loopback one."""
    host, port = listener.getsockname()[:2]
    host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)  # noqa: S104 - compared, not bound
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def serve(control: Control, listener: socket.socket, on_ready: Callable[[], None]) -> None:
    """Serve until SIGTERM or SIGINT; returns when everything has ended."""
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, _ended)  # uvicorn raises the signal once more at its end; the exit code is still 0
    asyncio.run(_Server(control, on_ready).serve(sockets=[listener]))


def _ended(_number: int, _frame: FrameType | None) -> None:
    """Take note of a signal that was acted on."""

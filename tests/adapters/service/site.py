"""A service of the tests' own: HTTP or HTTPS on a free port, whose answers, and failures, are scripted."""

import contextlib
import select
import socket
import ssl
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from adapters.profiles.document import service
from adapters.service import HttpService

LONG = 30.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """A request as it arrived; names in lower case."""

    method: str
    target: str
    headers: dict[str, str]
    body: bytes


Act = Callable[[BaseHTTPRequestHandler], None]


@dataclass(slots=True, kw_only=True)
class Site:
    """What runs: its port, what it saw, and what it does next (an empty list: 200 and a JSON body)."""

    port: int
    seen: list[Seen] = field(default_factory=list)
    acts: list[Act] = field(default_factory=list)
    connections: int = 0
    ended: threading.Event = field(default_factory=threading.Event)

    def service(self, **changes: Any) -> HttpService:
        """The service as a function has it; `changes` differ from the usual profile."""
        guard = {"guard": changes.pop("guard")} if "guard" in changes else {}
        usual = {"endpoints": [f"127.0.0.1:{self.port}"], "tls": {"mode": "off"}, "connect_timeout": "1s"}
        return HttpService(service("core", usual | changes), **guard)


def answer(status: int, body: bytes = b"", *headers: tuple[str, str]) -> Act:
    """Answer like this."""

    def act(one: BaseHTTPRequestHandler) -> None:
        one.send_response(status)
        for name, value in headers:
            one.send_header(name, value)
        one.send_header("content-length", str(len(body)))
        one.end_headers()
        if one.command != "HEAD":
            one.wfile.write(body)

    return act


def drop(one: BaseHTTPRequestHandler) -> None:
    """Close without an answer: what was done is not known."""
    one.close_connection = True
    one.connection.shutdown(socket.SHUT_RDWR)


@contextmanager
def site(context: ssl.SSLContext | None = None) -> Iterator[Site]:
    """A site that serves until the block ends."""
    found = Site(port=0)

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True

        def setup(self) -> None:
            super().setup()
            found.connections += 1

        def handle(self) -> None:
            with contextlib.suppress(OSError):
                super().handle()

        def finish(self) -> None:
            with contextlib.suppress(OSError):
                super().finish()

        def serve(self) -> None:
            headers = {name.lower(): value for name, value in self.headers.items()}
            body = self.rfile.read(int(headers.get("content-length", 0)))
            found.seen.append(Seen(method=self.command, target=self.path, headers=headers, body=body))
            act = (
                found.acts.pop(0) if found.acts else answer(200, b'{"ok": true}', ("content-type", "application/json"))
            )
            act(self)

        do_GET = do_HEAD = do_POST = do_PUT = do_DELETE = serve  # noqa: N815 - the standard library's names

        def log_message(self, *_args: object) -> None:
            """Say nothing."""

    class Server(ThreadingHTTPServer):
        daemon_threads = True

        def finish_request(self, request: Any, client_address: Any) -> None:
            """Shake hands in the connection's own thread, so that a failing one hinders nobody."""
            if context is None:
                super().finish_request(request, client_address)
                return
            with contextlib.suppress(OSError), context.wrap_socket(request, server_side=True) as secure:
                super().finish_request(secure, client_address)

    with Server(("127.0.0.1", 0), Handler) as server:
        found.port = server.server_port
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        try:
            yield found
        finally:
            found.ended.set()
            server.shutdown()
            thread.join()


Script = Callable[[socket.socket], None]


@contextmanager
def peer(script: Script) -> Iterator[str]:
    """The place of a server that runs the script on each connection."""

    def run(accepted: socket.socket) -> None:
        with accepted, contextlib.suppress(OSError):
            script(accepted)

    with socket.create_server(("127.0.0.1", 0)) as listener:

        def serve() -> None:
            while True:
                try:
                    accepted, _ = listener.accept()
                except OSError:
                    return
                threading.Thread(target=run, args=(accepted,), daemon=True).start()

        threading.Thread(target=serve, daemon=True).start()
        try:
            yield f"127.0.0.1:{listener.getsockname()[1]}"
        finally:
            listener.shutdown(socket.SHUT_RDWR)


def silent(accepted: socket.socket) -> None:
    """Say nothing until the peer goes."""
    accepted.settimeout(LONG)
    while accepted.recv(65536):
        pass


def dripping(accepted: socket.socket) -> None:
    """Send a byte now and then, for long."""
    for _ in range(1000):
        accepted.sendall(b"x")
        time.sleep(0.02)


@contextmanager
def connect_proxy(port: int) -> Iterator[tuple[int, list[str]]]:
    """An HTTP CONNECT proxy that leads everything to `port` of this machine; its own port, and what it was asked."""
    asked: list[str] = []

    def pump(client: socket.socket) -> None:
        with client, contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port)) as server:
            asked.append(client.recv(65536).decode().partition("\r\n")[0])
            client.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
            while True:
                for one in select.select([client, server], [], [], LONG)[0]:
                    data = one.recv(65536)
                    if not data:
                        return
                    (server if one is client else client).sendall(data)

    with socket.create_server(("127.0.0.1", 0)) as listener:

        def serve() -> None:
            while True:
                try:
                    client, _ = listener.accept()
                except OSError:
                    return
                threading.Thread(target=pump, args=(client,), daemon=True).start()

        threading.Thread(target=serve, daemon=True).start()
        try:
            yield listener.getsockname()[1], asked
        finally:
            listener.shutdown(socket.SHUT_RDWR)


def client_certificate(folder: Path) -> None:
    """Write client.pem and client.key, signed by the CA of `folder`."""
    for arguments in (
        "req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj /CN=function -keyout client.key -out client.csr",
        "x509 -req -in client.csr -CA ca.pem -CAkey ca.key -CAcreateserial -days 2 -out client.pem",
    ):
        command = ["openssl", *arguments.split()]
        subprocess.run(command, cwd=folder, check=True, capture_output=True)

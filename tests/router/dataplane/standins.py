"""Stand-ins for both sides: a legacy application and a Lambda Invoke API whose answers a test chooses."""

import base64
import json
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


@dataclass
class Seen:
    """One request as a stand-in received it."""

    method: str
    path: str
    headers: list[tuple[str, str]]
    body: bytes

    def header(self, name: str) -> str | None:
        """The first value of that header."""
        return next((value for key, value in self.headers if key.lower() == name), None)


@dataclass
class Reply:
    """What a stand-in answers; `hang` never answers, `reset` closes the connection.

    `stream` is sent as chunks; an event in it is waited for.
    """

    status: int = 200
    headers: list[tuple[str, str]] = field(default_factory=list)
    body: bytes = b""
    hang: bool = False
    reset: bool = False
    stream: list[bytes | threading.Event] = field(default_factory=list)


class StandIn:
    """An HTTP server on a free loopback port; `answer` decides, `seen` remembers."""

    def __init__(self, answer: Callable[[Seen], Reply], *, tls: ssl.SSLContext | None = None) -> None:
        self.answer = answer
        self.seen: list[Seen] = []
        self.released = threading.Event()
        self._server = _Server(("127.0.0.1", 0), _handler(self))
        self.port: int = self._server.server_address[1]
        if tls is not None:
            self._server.socket = tls.wrap_socket(self._server.socket, server_side=True, do_handshake_on_connect=False)

    @contextmanager
    def running(self) -> Iterator["StandIn"]:
        """Serve until the block ends."""
        thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
        thread.start()
        try:
            yield self
        finally:
            self.released.set()
            self._server.shutdown()
            self._server.server_close()
            thread.join(5)


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False
    request_queue_size = 4096

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A peer that went away is what some of the tests are about."""


def _handler(owner: StandIn) -> type[BaseHTTPRequestHandler]:
    return type("Handler", (_Handler,), {"owner": owner})


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    owner: StandIn

    def handle_one_request(self) -> None:
        """Every method is served alike."""
        self.raw_requestline = self.rfile.readline(65537)
        if not self.raw_requestline or not self.parse_request():
            self.close_connection = True
            return
        self._serve()
        if not self.wfile.closed:
            self.wfile.flush()

    def _serve(self) -> None:
        seen = Seen(self.command, self.path, list(self.headers.items()), self._body())
        self.owner.seen.append(seen)
        reply = self.owner.answer(seen)
        if reply.hang:
            self.owner.released.wait(30)
        if reply.hang or reply.reset:
            self.close_connection = True
            self.connection.close()
            return
        self.send_response_only(reply.status)
        for name, value in reply.headers:
            self.send_header(name, value)
        if reply.stream:
            self._stream(reply.stream)
            return
        if reply.status not in (204, 304):
            self.send_header("content-length", str(len(reply.body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(reply.body)

    def _stream(self, parts: list[bytes | threading.Event]) -> None:
        self.send_header("transfer-encoding", "chunked")
        self.end_headers()
        for part in parts:
            if isinstance(part, threading.Event):
                part.wait(20)
            else:
                self.wfile.write(b"%x\r\n%s\r\n" % (len(part), part))
        self.wfile.write(b"0\r\n\r\n")

    def _body(self) -> bytes:
        if self.headers.get("transfer-encoding", "").lower() == "chunked":
            chunks = []
            while size := int(self.rfile.readline().split(b";")[0], 16):
                chunks.append(self.rfile.read(size))
                self.rfile.readline()
            self.rfile.readline()
            return b"".join(chunks)
        return self.rfile.read(int(self.headers.get("content-length", 0)))

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the base class's name
        pass


def echo(seen: Seen) -> Reply:
    """Answer with what was received, as JSON; `side` says who answered."""
    content = {
        "side": "legacy",
        "method": seen.method,
        "path": seen.path,
        "headers": seen.headers,
        "body": base64.b64encode(seen.body).decode(),
    }
    return Reply(headers=[("content-type", "application/json")], body=json.dumps(content).encode())


@dataclass
class Event:
    """An invocation as the Invoke API stand-in received it."""

    request: Seen
    event: dict[str, Any]


class InvokeApi(StandIn):
    """The Lambda Invoke API with one function, whose answer (Envoy's shape) a test chooses by `function`.

    `api` replaces the API's own reply: errors, hanging, resets. `events` are the invocations that ran.
    """

    def __init__(self, *, tls: ssl.SSLContext | None = None) -> None:
        super().__init__(self._invoke, tls=tls)
        self.events: list[Event] = []
        self.function: Callable[[dict[str, Any]], Any] = self.echo
        self.api: Reply | None = None

    @staticmethod
    def echo(event: dict[str, Any]) -> dict[str, Any]:
        """A function that answers its event."""
        return {
            "status_code": 200,
            "headers": {"content-type": "application/json"},
            "body": json.dumps({"side": "lambda", "event": event}),
        }

    def _invoke(self, seen: Seen) -> Reply:
        if self.api is not None:
            return self.api
        event = json.loads(seen.body)
        self.events.append(Event(seen, event))
        answer = self.function(event)
        if isinstance(answer, Reply):
            return answer
        headers = [("content-type", "application/json"), ("x-amzn-requestid", "r-1"), ("x-amz-executed-version", "7")]
        body = answer if isinstance(answer, bytes) else json.dumps(answer).encode()
        return Reply(headers=headers, body=body)


def api_error(status: int, kind: str) -> Reply:
    """An error of the Invoke API, as the real one writes it."""
    body = json.dumps({"Type": "User", "message": f"{kind} happened, account 123456789012"}).encode()
    return Reply(status, [("x-amzn-errortype", kind), ("content-type", "application/json")], body)


def function_error() -> Reply:
    """A function that raised: HTTP 200 with the error document and X-Amz-Function-Error."""
    body = b'{"errorMessage": "secret detail", "errorType": "ValueError", "stackTrace": ["line 1"]}'
    return Reply(200, [("x-amz-function-error", "Unhandled"), ("content-type", "application/json")], body)

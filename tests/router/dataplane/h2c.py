"""HTTP/2 without TLS, by prior knowledge: a client and a legacy application, as gRPC has them."""

import socket
import socketserver
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import h2.config
import h2.connection
import h2.events

Headers = list[tuple[str, str]]


class AnswerMissingError(Exception):
    """The connection or the stream ended before the answer did."""


@dataclass
class Message:
    """What one side of a stream sent: its headers, its data frame by frame, its trailers."""

    headers: Headers = field(default_factory=list)
    data: list[bytes] = field(default_factory=list)
    trailers: Headers = field(default_factory=list)

    def header(self, name: str) -> str | None:
        """The first value of that header."""
        return next((value for key, value in self.headers if key == name), None)


class Http2:
    """One end of a connection; streams are read until they end."""

    def __init__(self, connection: socket.socket, *, is_client: bool) -> None:
        config = h2.config.H2Configuration(client_side=is_client, header_encoding="utf-8")
        self.socket = connection
        self.h2 = h2.connection.H2Connection(config)
        self.h2.initiate_connection()
        self.flush()

    def flush(self) -> None:
        """Send what the protocol has to say."""
        self.socket.sendall(self.h2.data_to_send())

    def events(self) -> Iterator[Any]:
        """What arrives, until the peer closes."""
        while data := self.socket.recv(65536):
            for event in self.h2.receive_data(data):
                if isinstance(event, h2.events.DataReceived):
                    self.h2.acknowledge_received_data(event.flow_controlled_length, event.stream_id)
                yield event
            self.flush()

    def exchange(self, headers: Headers, data: list[bytes], trailers: Headers) -> Message:
        """Send one request and read its answer."""
        stream = self.h2.get_next_available_stream_id()
        self.h2.send_headers(stream, headers, end_stream=not data and not trailers)
        for number, part in enumerate(data):
            self.h2.send_data(stream, part, end_stream=not trailers and number == len(data) - 1)
        if trailers:
            self.h2.send_headers(stream, trailers, end_stream=True)
        self.flush()
        answer = Message()
        for event in self.events():
            if _collect(event, answer):
                return answer
        raise AnswerMissingError


Answer = Callable[[Message], Message]


@dataclass
class Http2Server:
    """A legacy application that speaks HTTP/2 alone; `answer` decides, `seen` remembers."""

    answer: Answer
    seen: list[Message] = field(default_factory=list)

    @contextmanager
    def running(self) -> Iterator["Http2Server"]:
        """Serve until the block ends."""
        owner = self

        class Handler(socketserver.BaseRequestHandler):
            def handle(self) -> None:
                owner._serve(self.request)

        with socketserver.ThreadingTCPServer(("127.0.0.1", 0), Handler) as server:
            server.daemon_threads = True
            server.block_on_close = False
            self.port: int = server.server_address[1]
            thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
            thread.start()
            try:
                yield self
            finally:
                server.shutdown()
                thread.join(5)

    def _serve(self, connection: socket.socket) -> None:
        peer = Http2(connection, is_client=False)
        streams: dict[int, Message] = {}
        for event in peer.events():
            stream = getattr(event, "stream_id", None)
            if stream and _collect(event, message := streams.setdefault(stream, Message())):
                self.seen.append(message)
                reply = self.answer(message)
                peer.h2.send_headers(stream, reply.headers)
                for part in reply.data:
                    peer.h2.send_data(stream, part, end_stream=not reply.trailers and part is reply.data[-1])
                if reply.trailers:
                    peer.h2.send_headers(stream, reply.trailers, end_stream=True)
                peer.flush()


def _collect(event: Any, message: Message) -> bool:
    """Put the event into the message; whether the message is whole now."""
    match event:
        case h2.events.RequestReceived() | h2.events.ResponseReceived():
            message.headers = [(str(name), str(value)) for name, value in event.headers]
        case h2.events.DataReceived():
            message.data.append(event.data)
        case h2.events.TrailersReceived():
            message.trailers = [(str(name), str(value)) for name, value in event.headers]
        case h2.events.StreamEnded():
            return True
        case h2.events.StreamReset():
            raise AnswerMissingError(event.error_code)
    return False


@contextmanager
def http2_client(port: int) -> Iterator[Http2]:
    """A client's connection to that loopback port."""
    with socket.create_connection(("127.0.0.1", port), 20) as connection:
        yield Http2(connection, is_client=True)

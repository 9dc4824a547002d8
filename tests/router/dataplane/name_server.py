"""A name server on a free loopback port whose answers a test changes while it runs."""

import socket
import struct
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

_A, _NO_ERROR, _SERVER_FAILURE, _NO_SUCH_NAME = 1, 0, 2, 3


@dataclass
class NameServer:
    """Answers questions for A records from `names`; `mood` says what else it does.

    `mood`: "answers", "fails" (SERVFAIL), "silent" (nothing at all). `asked` are the questions for A records.
    """

    names: dict[str, str] = field(default_factory=dict)
    ttl_seconds: int = 1
    mood: str = "answers"
    asked: list[str] = field(default_factory=list)

    @contextmanager
    def running(self) -> Iterator["NameServer"]:
        """Serve until the block ends."""
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as server:
            server.bind(("127.0.0.1", 0))
            server.settimeout(0.05)
            self.port: int = server.getsockname()[1]
            ended = threading.Event()
            thread = threading.Thread(target=self._serve, args=(server, ended), daemon=True)
            thread.start()
            try:
                yield self
            finally:
                ended.set()
                thread.join(5)

    def resolver(self) -> str:
        """The text of a cluster's fields that ask this server."""
        address = f'{{"socket_address":{{"address":"127.0.0.1","port_value":{self.port}}}}}'
        kind = "type.googleapis.com/envoy.extensions.network.dns_resolver.cares.v3.CaresDnsResolverConfig"
        config = f'{{"@type":"{kind}","resolvers":[{address}],"query_timeout_seconds":1,"query_tries":1}}'
        return f'"typed_dns_resolver_config":{{"name":"cares","typed_config":{config}}}'

    def _serve(self, server: socket.socket, ended: threading.Event) -> None:
        while not ended.is_set():
            try:
                question, peer = server.recvfrom(4096)
            except TimeoutError:
                continue
            answer = self._answer(question)
            if answer:
                server.sendto(answer, peer)

    def _answer(self, question: bytes) -> bytes | None:
        labels, at = [], 12
        while size := question[at]:
            labels.append(question[at + 1 : at + 1 + size].decode())
            at += 1 + size
        name = ".".join(labels).lower()
        (kind,) = struct.unpack("!H", question[at + 1 : at + 3])
        if kind == _A:
            self.asked.append(name)
        address = self.names.get(name) if self.mood == "answers" else None
        if self.mood == "silent":
            return None
        code = _SERVER_FAILURE if self.mood == "fails" else _NO_ERROR if name in self.names else _NO_SUCH_NAME
        has = address is not None and kind == _A
        head = question[:2] + struct.pack("!HHHHH", 0x8180 | code, 1, int(has), 0, 0)
        record = struct.pack("!HHHIH", 0xC00C, _A, 1, self.ttl_seconds, 4) + socket.inet_aton(address or "127.0.0.1")
        return head + question[12 : at + 5] + (record if has else b"")

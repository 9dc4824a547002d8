"""Proxies of the tests' own, as they stand between a function and what stayed on-premises: on free ports, ended by id.

tinyproxy speaks CONNECT, dante SOCKS5, HAProxy the PROXY protocol. The first two get an /etc/hosts of their own: a name
that only they know shows who resolves it.
"""

import os
import signal
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

ONLY_THERE = "db.only-there.example"
"""A name of 127.0.0.1 that the proxies know and this process does not."""
_START_SECONDS = 30
_OWN_HOSTS = 'mount --bind "$0" /etc/hosts && exec "$@"'


@dataclass(kw_only=True)
class RealProxy:
    """A proxy that runs; `port` stays over restarts."""

    command: tuple[str, ...]
    port: int
    log: Path
    process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start it, and wait until it accepts."""
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(self.command, stdout=log, stderr=log, start_new_session=True)
        deadline = time.monotonic() + _START_SECONDS
        while not self._accepts():
            assert self.process.poll() is None, self.log.read_text()
            assert time.monotonic() < deadline, self.log.read_text()
            time.sleep(0.02)

    def stop(self) -> None:
        """End it and its children, by the id of their session."""
        if self.process is not None:
            with suppress(ProcessLookupError):
                os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait(10)
            self.process = None

    def _accepts(self) -> bool:
        with suppress(OSError), socket.create_connection(("127.0.0.1", self.port), timeout=1):
            return True
        return False


@contextmanager
def tinyproxy(folder: Path, *, login: str = "", allowed: int | None = None) -> Iterator[RealProxy]:
    """An HTTP proxy; `login` is `user password`, `allowed` the one port that it tunnels to."""
    port = free_port()
    lines = [f"Port {port}", "Listen 127.0.0.1", "Timeout 600", "MaxClients 100", "LogLevel Connect"]
    lines += [f"BasicAuth {login}"] if login else []
    lines += [f"ConnectPort {allowed}"] if allowed else []
    yield from _running(folder, port, "tinyproxy", lines, ("tinyproxy", "-d", "-c"))


@contextmanager
def dante(folder: Path, *, blocked: int = 1) -> Iterator[RealProxy]:
    """A SOCKS5 proxy that refuses the port `blocked`."""
    port = free_port()
    lines = ["logoutput: stderr", f"internal: 127.0.0.1 port = {port}", "external: 127.0.0.1"]
    lines += ["clientmethod: none", "socksmethod: none", "user.privileged: root", "user.unprivileged: nobody"]
    anywhere = " from: 127.0.0.0/8 to: 0.0.0.0/0"
    lines += ["client pass {", anywhere, "}", "socks block {", f"{anywhere} port = {blocked}", "}"]
    lines += ["socks pass {", anywhere, " protocol: tcp", " log: connect error", "}"]
    yield from _running(folder, port, "dante", lines, ("danted", "-N", "1", "-p", str(folder / "dante.pid"), "-f"))


@contextmanager
def haproxy(folder: Path, server: int, *, accepts: bool = True, sends: str = "") -> Iterator[RealProxy]:
    """A TCP proxy to the port `server`; it `accepts` the PROXY protocol's header and `sends` one (`send-proxy-v2`)."""
    port = free_port()
    lines = ["global", " maxconn 200", "defaults", " mode tcp", " timeout connect 5s", " timeout client 60s"]
    lines += [" timeout server 60s", "frontend in", f" bind 127.0.0.1:{port}{' accept-proxy' if accepts else ''}"]
    lines += [" default_backend db", "backend db", f" server one 127.0.0.1:{server} {sends}"]
    yield from _running(folder, port, "haproxy", lines, ("haproxy", "-db", "-f"), own_hosts=False)


def _running(  # noqa: PLR0913, PLR0917 - the three that differ
    folder: Path,
    port: int,
    name: str,
    lines: list[str],
    command: tuple[str, ...],
    own_hosts: bool = True,  # noqa: FBT001, FBT002
) -> Iterator[RealProxy]:
    file, hosts = folder / f"{name}-{port}.conf", folder / "hosts"
    file.write_text("\n".join(lines) + "\n")
    hosts.write_text(f"127.0.0.1 localhost\n127.0.0.1 {ONLY_THERE}\n")
    front = ("unshare", "--mount", "sh", "-c", _OWN_HOSTS, str(hosts)) if own_hosts else ()
    proxy = RealProxy(command=(*front, *command, str(file)), port=port, log=folder / f"{name}-{port}.log")
    try:
        proxy.start()
        yield proxy
    finally:
        proxy.stop()


def free_port() -> int:
    """A port that is free now."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])

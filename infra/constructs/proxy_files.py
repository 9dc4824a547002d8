"""What proxies run: HAProxy, Envoy and Squid configuration as text, from the allow-list of targets or of domains."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from ..artefacts.agreement import HEALTH_PORT


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """One way to on-premises: what arrives on `port` goes to `host:to`, and nowhere else.

    `within`: the blocks that a name resolves into; without them it may be anywhere on-premises.
    """

    name: str
    port: int
    host: str
    to: int
    within: tuple[str, ...] = ()


EGRESS_PORT = 3128
METRICS = "StranglerFig/Hosts"
"""The namespace of the metrics that hosts publish themselves."""
_ENDPOINT_TLV = 0xEA


def haproxy(targets: tuple[Target, ...], endpoint_ids: tuple[str, ...] = ()) -> str:
    """HAProxy's configuration, for any release since 2.2. With `endpoint_ids` those VPC endpoints alone may connect.

    The endpoint's id stands in the PROXY header's type 0xEA. A first frontend looks for it inside the header, whose
    length the header says itself, so that nothing that a client sends after it counts, and hands the connection on as
    it came. Source: NLB user guide, "Proxy protocol", 2025.
    """
    lines = [
        "global",
        "  maxconn 40000",
        "  log stdout format raw local0",
        "defaults",
        "  mode tcp",
        "  log global",
        "  option tcplog",
        "  option dontlognull",
        "  option clitcpka",
        "  timeout connect 3s",
        "  timeout client 1h",
        "  timeout server 1h",
        "frontend health",
        "  mode http",
        f"  bind :{HEALTH_PORT}",
        "  timeout client 5s",
        "  monitor-uri /health",
    ]
    known = [_endpoint_tlv(one) for one in endpoint_ids]
    for one in targets:
        if known:
            lines += _doorkeeper(one, known)
        lines += [
            f"frontend {one.name}",
            f"  bind {f'abns@{one.name}' if known else f':{one.port}'} accept-proxy",
            f"  default_backend {one.name}",
            f"backend {one.name}",
            f"  server {one.name} {one.host}:{one.to} check inter 10s resolvers system init-addr none,libc,last",
        ]
    return "\n".join([*lines, "resolvers system", "  parse-resolv-conf", "  hold valid 10s", ""])


def _doorkeeper(target: Target, known: list[str]) -> list[str]:
    """A frontend that lets through what comes from a known endpoint, and the way to the frontend that does the work."""
    return [
        f"frontend {target.name}.door",
        f"  bind :{target.port}",
        "  tcp-request inspect-delay 5s",
        f"  acl known req.payload_lv(14,2),hex -m sub {' '.join(known)}",
        "  tcp-request content accept if known",
        "  tcp-request content reject",
        f"  default_backend {target.name}.inside",
        f"backend {target.name}.inside",
        f"  server {target.name} abns@{target.name}",
    ]


def _endpoint_tlv(endpoint_id: str) -> str:
    """The bytes, in hexadecimal, that name an endpoint in a PROXY header: type, length, kind 1, the id."""
    value = b"\x01" + endpoint_id.encode()
    return (bytes([_ENDPOINT_TLV]) + len(value).to_bytes(2, "big") + value).hex().upper()


def envoy(targets: tuple[Target, ...]) -> str:
    """Envoy's configuration, JSON. Its circuit breakers would stop at 1,024 connections, so they are raised."""
    listeners = [_listener(one) for one in targets]
    health = {
        "name": "health",
        "address": _address("0.0.0.0", HEALTH_PORT),  # noqa: S104 - the security group lets the balancer in alone
        "filter_chains": [{"filters": [_tcp_proxy("health", "none")]}],
    }
    clusters = [_cluster(one) for one in targets]
    nowhere = {"name": "none", "type": "STATIC", "connect_timeout": "1s"}
    values = {"static_resources": {"listeners": [health, *listeners], "clusters": [nowhere, *clusters]}}
    return json.dumps(values, indent=1) + "\n"


def squid(domains: tuple[str, ...]) -> str:
    """Squid's configuration: CONNECT to port 443 of listed domains (`.example.com`: with all below it) alone."""
    allowed = " ".join(domains) or "invalid.invalid"
    return "\n".join(
        [
            f"http_port {EGRESS_PORT} require-proxy-header",
            f"http_port {HEALTH_PORT}",
            f"acl health localport {HEALTH_PORT}",
            "acl balancer src all",
            "proxy_protocol_access allow balancer",
            "acl CONNECT method CONNECT",
            "acl tls port 443",
            f"acl allowed dstdomain {allowed}",
            "http_access deny health",
            "http_access deny !CONNECT",
            "http_access deny !tls",
            "http_access allow CONNECT allowed",
            "http_access deny all",
            "cache deny all",
            f"access_log stdio:{_RECORDS} combined",
            "logfile_rotate 0",
            "via off",
            "forwarded_for delete",
            "",
        ]
    )


_AGENT_FILE = "/opt/aws/amazon-cloudwatch-agent/etc/amazon-cloudwatch-agent.json"
_SYSCTL = """net.ipv4.ip_local_port_range = 1024 65535
net.ipv4.tcp_tw_reuse = 1
net.core.somaxconn = 4096
net.ipv4.ip_local_reserved_ports = {ports}
"""


_RECORDS = "/var/log/fig-access.log"
"""Where a fleet's proxy writes who connected; the agent sends it on."""
_TO_FILE = f"[Service]\nStandardOutput=append:{_RECORDS}\n"
_ROTATE = f"{_RECORDS} {{\n  daily\n  maxsize 200M\n  rotate 3\n  missingok\n  copytruncate\n}}\n"


@dataclass(frozen=True, slots=True, kw_only=True)
class Reports:
    """What a host's agent sends to CloudWatch for its fleet: sockets as metrics, and who connected as log records."""

    fleet: str
    has_metrics: bool = False
    has_records: bool = True


def access_group(fleet: str) -> str:
    """The log group of the records of who connected."""
    return f"/{fleet}/access"


def agent(reports: Reports) -> str:
    """The CloudWatch agent's configuration: a host's sockets, once a minute, added up over the fleet; its records.

    Without the host's name and tags as dimensions it asks nothing of EC2's API, to which there is no way from here.
    """
    values: dict[str, Any] = {
        "agent": {"metrics_collection_interval": 60, "omit_hostname": True, "run_as_user": "cwagent"}
    }
    if reports.has_metrics:
        sockets = {"measurement": ["tcp_established", "tcp_time_wait"], "append_dimensions": {"fleet": reports.fleet}}
        values["metrics"] = {"namespace": METRICS, "metrics_collected": {"netstat": sockets}}
    if reports.has_records:
        group = {"log_group_name": access_group(reports.fleet), "log_stream_name": "{instance_id}"}
        values["logs"] = {"logs_collected": {"files": {"collect_list": [{"file_path": _RECORDS, **group}]}}}
    return json.dumps(values, indent=1) + "\n"


def script(package: str, files: Mapping[str, str], ports: Iterable[int], reports: Reports) -> str:
    """A host's first script: install from the distribution (through S3's endpoint), write the files, start the unit.

    The port range is what the planner calls `linux_ephemeral_ports`: widened, a host has 64,512 to one destination,
    those kept out that it listens on itself. The CloudWatch agent sends what `reports` says.
    """
    listening = ",".join(str(port) for port in sorted({HEALTH_PORT, *ports}))
    unit = f"/etc/systemd/system/{package}.service.d"
    all_files = {
        "/etc/sysctl.d/60-proxies.conf": _SYSCTL.format(ports=listening),
        f"{unit}/records.conf": _TO_FILE,
        "/etc/logrotate.d/fig-access": _ROTATE,
        **files,
    }
    parts = ["#!/bin/bash", "set -euo pipefail", f"rpm -q {package} || dnf install -y {package}"]
    parts += ["dnf install -y logrotate", "systemctl enable --now logrotate.timer", f"mkdir -p {unit}"]
    if package == "squid":  # it opens the file by itself, as its own user
        parts += [f"install -o squid -g squid -m 0644 /dev/null {_RECORDS}"]
    for path, text in all_files.items():
        parts += [f"cat > {path} <<'END_OF_FILE'", text.rstrip("\n"), "END_OF_FILE"]
    parts += ["sysctl --system", "systemctl daemon-reload", f"systemctl enable --now {package}"]
    if reports.has_metrics or reports.has_records:
        parts += ["dnf install -y amazon-cloudwatch-agent", f"cat > {_AGENT_FILE} <<'END_OF_FILE'"]
        parts += [agent(reports).rstrip("\n"), "END_OF_FILE", "systemctl enable --now amazon-cloudwatch-agent"]
    return "\n".join([*parts, ""])


def _listener(one: Target) -> dict[str, Any]:
    proxy = {
        "name": "envoy.filters.listener.proxy_protocol",
        "typed_config": {
            "@type": "type.googleapis.com/envoy.extensions.filters.listener.proxy_protocol.v3.ProxyProtocol"
        },
    }
    return {
        "name": one.name,
        "address": _address("0.0.0.0", one.port),  # noqa: S104 - the security group lets the balancer in alone
        "listener_filters": [proxy],
        "filter_chains": [{"filters": [_tcp_proxy(one.name, one.name)]}],
    }


def _tcp_proxy(prefix: str, cluster: str) -> dict[str, Any]:
    kind = "type.googleapis.com/envoy.extensions.filters.network.tcp_proxy.v3.TcpProxy"
    settings: dict[str, Any] = {"@type": kind, "stat_prefix": prefix, "cluster": cluster, "idle_timeout": "3600s"}
    if cluster != "none":  # the balancer's health checks are nobody who connected
        console = "type.googleapis.com/envoy.extensions.access_loggers.stream.v3.StdoutAccessLog"
        settings |= {"access_log": [{"name": "envoy.access_loggers.stdout", "typed_config": {"@type": console}}]}
    return {"name": "envoy.filters.network.tcp_proxy", "typed_config": settings}


def _cluster(one: Target) -> dict[str, Any]:
    many = 60_000
    return {
        "name": one.name,
        "type": "STRICT_DNS",
        "connect_timeout": "3s",
        "circuit_breakers": {"thresholds": [{"max_connections": many, "max_pending_requests": many}]},
        "load_assignment": {
            "cluster_name": one.name,
            "endpoints": [{"lb_endpoints": [{"endpoint": {"address": _address(one.host, one.to)}}]}],
        },
    }


def _address(host: str, port: int) -> dict[str, Any]:
    return {"socket_address": {"address": host, "port_value": port}}

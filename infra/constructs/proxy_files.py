"""What proxies run: HAProxy, Envoy and Squid configuration as text, from the allow-list of targets or of domains."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from .fleet import HEALTH_PORT


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """One way to on-premises: what arrives on `port` goes to `host:to`, and nowhere else."""

    name: str
    port: int
    host: str
    to: int


EGRESS_PORT = 3128
_ENDPOINT_TLV = "0xEA"


def haproxy(targets: tuple[Target, ...], endpoint_ids: tuple[str, ...] = ()) -> str:
    """HAProxy's configuration. With `endpoint_ids` (HAProxy 2.9) only those VPC endpoints may connect at all.

    The id of the endpoint comes in the PROXY header's type 0xEA, after one byte that says which kind it is.
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
    known = " ".join(endpoint_ids)
    allowed = (
        [f"  tcp-request session reject unless {{ fc_pp_tlv({_ENDPOINT_TLV}),bytes(1) -m str {known} }}"]
        if known
        else []
    )
    for one in targets:
        lines += [
            f"frontend {one.name}",
            f"  bind :{one.port} accept-proxy",
            *allowed,
            f"  default_backend {one.name}",
            f"backend {one.name}",
            f"  server {one.name} {one.host}:{one.to} check inter 10s resolvers system init-addr none,libc,last",
        ]
    return "\n".join([*lines, "resolvers system", "  parse-resolv-conf", "  hold valid 10s", ""])


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
            "access_log stdio:/dev/stdout combined",
            "via off",
            "forwarded_for delete",
            "",
        ]
    )


_SYSCTL = """net.ipv4.ip_local_port_range = 1024 65535
net.ipv4.tcp_tw_reuse = 1
net.core.somaxconn = 4096
net.ipv4.ip_local_reserved_ports = {ports}
"""


def script(package: str, files: Mapping[str, str], ports: Iterable[int]) -> str:
    """A host's first script: install from the distribution (through S3's endpoint), write the files, start the unit.

    The port range is what the planner calls `linux_ephemeral_ports`: widened, a host has 64,512 to one destination,
    those kept out that it listens on itself.
    """
    listening = ",".join(str(port) for port in sorted({HEALTH_PORT, *ports}))
    parts = ["#!/bin/bash", "set -euo pipefail", f"rpm -q {package} || dnf install -y {package}"]
    for path, text in {"/etc/sysctl.d/60-proxies.conf": _SYSCTL.format(ports=listening), **files}.items():
        parts += [f"cat > {path} <<'END_OF_FILE'", text.rstrip("\n"), "END_OF_FILE"]
    return "\n".join([*parts, "sysctl --system", f"systemctl enable --now {package}", ""])


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
    settings = {"@type": kind, "stat_prefix": prefix, "cluster": cluster, "idle_timeout": "3600s"}
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

"""Where clusters lead: endpoints by address or by name, and TLS that is always verified."""

from collections.abc import Iterable, Mapping

from ..estate import Endpoint, Tls
from ..hosts import is_ip
from . import tls_files
from .proto import Json, seconds, socket_address

# Envoy keeps the last addresses while a look-up fails.
_BY_NAME = {
    "type": "STRICT_DNS",
    "respect_dns_ttl": True,
    "dns_refresh_rate": "5s",  # for answers without a time to live
    "dns_failure_refresh_rate": {"base_interval": "1s", "max_interval": "5s"},
    "dns_jitter": "0.5s",
    "dns_lookup_family": "V4_PREFERRED",
}


def cluster(name: str, endpoints: Iterable[Endpoint], facts: Mapping[str, str], connect_seconds: float) -> Json:
    """The fields of a cluster that leads to `endpoints`; `facts` is what loggers may say of each of them."""
    hosts = tuple(endpoints)
    numeric = all(is_ip(one.host) for one in hosts)
    return {
        "name": name,
        "connect_timeout": seconds(connect_seconds),
        **({"type": "STATIC"} if numeric else _BY_NAME),
        "load_assignment": {
            "cluster_name": name,
            "endpoints": [{"lb_endpoints": [endpoint({"address": socket_address(one)}, facts) for one in hosts]}],
        },
    }


def endpoint(address: Json, facts: Mapping[str, str]) -> Json:
    """One endpoint of a cluster, with what loggers may say of it."""
    return {"endpoint": address, "metadata": {"filter_metadata": {"fig": dict(facts)}}}


def tls(wanted: Tls | None) -> Json:
    """The fields of a cluster that speak TLS and verify the peer; none without `wanted`."""
    return {} if wanted is None else tls_files.to_upstream(wanted)

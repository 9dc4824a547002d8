"""How many proxies each AZ needs where the demand file leaves it open: by ports, by connections and by memory.

Sized to survive the lost AZs. Sources: the limits that it names; the arithmetic is that of ports in TIME_WAIT.
"""

from collections import defaultdict
from collections.abc import Iterable

from ..arithmetic import up
from ..demand.network import Proxies, ProxyTls, Way
from ..demand.values import Demand, FunctionDemand
from ..interfaces import live
from ..limits.values import Limits

_MEMORY = {
    ProxyTls.NONE: "haproxy_connections_per_gb",
    ProxyTls.CLIENT: "haproxy_tls_connections_per_gb",
    ProxyTls.BOTH: "haproxy_tls_both_connections_per_gb",
}
_ANYTHING = ""


def proxies_per_az(demand: Demand, environments: Iterable[tuple[FunctionDemand, int]], limits: Limits) -> int:
    """The proxies that each AZ needs at the horizon, so that the AZs that are left carry all.

    What the demand file says goes first; it is today's count, and grows as the demand does.
    """
    proxies = demand.path.proxies
    if proxies.per_az is not None:
        return up(proxies.per_az * demand.growth.factor)
    opened, held = _loads(demand, environments)
    ports = proxies.ports or limits["linux_ephemeral_ports"].whole
    wait = proxies.time_wait_seconds or limits["linux_time_wait_seconds"].value
    at_once = min(ports * proxies.addresses, proxies.max_connections or ports * proxies.addresses)
    needed = max(
        1,
        *(up(rate * wait / (ports * proxies.addresses)) for rate in opened.values()),
        *(up(connections / at_once) for connections in held.values()),
        up(sum(held.values()) / _fits_memory(proxies, limits)),
    )
    return up(needed / live(len(demand.azs), demand.account.lost_azs))


def _loads(
    demand: Demand, environments: Iterable[tuple[FunctionDemand, int]]
) -> tuple[dict[str, float], dict[str, float]]:
    """What goes to each address and port on-premises through the proxies: new connections per second, and held ones.

    A function's connections spread evenly over what it calls, and over the addresses of each.
    """
    width = {one.name: one.endpoints for one in demand.databases} | {one.name: one.endpoints for one in demand.services}
    opened: dict[str, float] = defaultdict(float)
    held: dict[str, float] = defaultdict(float)
    for function, count in environments:
        if function.way is not Way.ENDPOINT:
            continue
        called = [*(name for name, _ in function.database_sessions), *function.services] or [_ANYTHING]
        for name in called:
            share = 1 / (len(called) * width.get(name, 1))
            opened[name] += function.rate * demand.growth.factor * function.new_connections_per_request * share
            held[name] += count * function.connections * share
    return opened, held


def _fits_memory(proxies: Proxies, limits: Limits) -> float:
    return limits[_MEMORY[proxies.tls]].value * proxies.memory_bytes / 2**30

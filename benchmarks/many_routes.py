"""What 10,000 routes cost: latency of the first, the middle and the last, Envoy's memory, and the time until it serves.

    python benchmarks/many_routes.py [--quick] [--routes 10000] [--rounds 5] [--seconds 2]

One keep-alive connection sends one request at a time, so the latency is that of the path, not of a queue. The three
routes are of one kind (a prefix, two sides, sticky by header, at weight 0) and one host, so that they differ by their
place in the order of matching alone; behind them stands a request that no route takes. The aim: all the same, and an
Envoy below 200 MB.
"""

import argparse
import re
import sys
import time
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent))  # a script's folder is on the path, the repository's is not

import orjson

from benchmarks.backends import legacy
from benchmarks.estates import large_estate
from benchmarks.measuring import (
    Request,
    Subject,
    compared,
    cores,
    end_cleanly,
    folders,
    free_port,
    resident_mb,
    table,
)
from benchmarks.routers import admin, compiled, envoy_version, serving
from router.precedence import virtual_hosts
from router.source.load import load_estate
from tests.router.dataplane.harness import link

_HOST = "books.example"
_PUBLISHES = 3
_BUDGET_MB = 200


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--routes", type=int, default=10_000)
    parser.add_argument("--rounds", type=int, default=5, help="rounds of which the median is shown")
    parser.add_argument("--seconds", type=float, default=2, help="length of one round, whole seconds")
    parser.add_argument("--quick", action="store_true", help="1,000 routes and one round of one second")
    options = parser.parse_args()
    end_cleanly()
    routes, rounds, seconds = options.routes, options.rounds, options.seconds
    if options.quick:
        routes, rounds, seconds = 1000, 1, 1.0
    print(f"{routes:,} routes, Envoy {envoy_version()}, one connection, median of {rounds} rounds of {seconds:.0f} s\n")
    proxies, others = cores()
    with ExitStack() as stack:
        folder = stack.enter_context(folders())
        backend = stack.enter_context(legacy(folder("legacy"), core=others))
        port, state, text = free_port(), folder("router"), _estate(routes, backend)
        manifest, files = compiled(text, {"ENTRY_PORT": str(port)}, {})
        size = len(orjson.dumps(files["routes.json"])) / 1e6
        started = time.perf_counter()
        pid = stack.enter_context(serving(manifest, files, state, core=proxies, moving={}, port=port))
        _until(lambda: admin(state, "/ready").strip() == "LIVE")
        live = time.perf_counter() - started
        at_start = resident_mb(pid)
        subjects = [
            Subject(name=name, port=port, pid=pid, requests=[_request(path)]) for name, path in _places(text).items()
        ]
        rows = compared(subjects, rounds=rounds, seconds=seconds, connections=1)
        print(table(rows, base=subjects[0].name))
        loaded = resident_mb(pid)
        published = [_publish(state, text, port, number) for number in range(_PUBLISHES)]
        print(f"\nLIVE {live:.1f} s after the start; a publish of all routes in force after {_listed(published)} s")
        memory = f"{at_start:.0f} MB after the start, {loaded:.0f} MB under load, {resident_mb(pid):.0f} MB"
        print(f"resident memory of Envoy: {memory} after {_PUBLISHES} publishes (aim below {_BUDGET_MB})")
        print(f"routes.json: {size:.1f} MB")


def _places(text: str) -> dict[str, str]:
    """The paths to ask for, by the place of their routes in the order of matching."""
    loaded = load_estate(text, file="estate.yaml", environment={"ENTRY_PORT": "1"})
    if loaded.estate is None:
        raise SystemExit("\n".join(str(one) for one in loaded.diagnostics[:5]))
    order = [route for group in virtual_hosts(loaded.estate.routes)[_HOST] for route in group]
    alike = [
        (place, route)
        for place, route in enumerate(order, 1)
        if (number := int(route.name.rpartition("-")[2])) % 60 == 21 and number % 11 and route.match.hosts == (_HOST,)
    ]
    chosen = {"first": alike[0], "middle": min(alike, key=lambda one: abs(one[0] - len(order) / 2)), "last": alike[-1]}
    paths = {
        f"{name}: place {place:,} of {len(order):,}": f"{route.match.path.value}/7"
        for name, (place, route) in chosen.items()
    }
    return {**paths, "none: the default route": "/nothing/here"}


def _request(path: str) -> Request:
    return Request(path=path, headers={"Host": _HOST, "X-User": "alice"})


def _publish(state: Path, text: str, port: int, number: int) -> float:
    """Replace the whole route table by another one; the seconds until it is in force."""
    weight = {"route-21": 100 * (number + 1)}
    _manifest, files = compiled(text, {"ENTRY_PORT": str(port)}, weight)
    target = state / f"routes-{number}.json"
    target.write_bytes(orjson.dumps(files["routes.json"]))
    before = _updates(state)
    started = time.perf_counter()
    link(state / "live" / "rds" / "current", target)
    _until(lambda: _updates(state) > before)
    return time.perf_counter() - started


def _updates(state: Path) -> int:
    """How many route tables Envoy has put in force. Raises `SystemExit` when it refused one."""
    stats = {
        name: int(value)
        for name, _colon, value in (
            line.partition(": ") for line in admin(state, "/stats?filter=rds.*update_(success|rejected)").splitlines()
        )
    }
    if any(count for name, count in stats.items() if name.endswith("rejected")):
        message = "Envoy refused the routes"
        raise SystemExit(message)
    return sum(stats.values())


def _until(condition: Callable[[], bool], seconds: float = 60) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            message = f"not so after {seconds:.0f} s"
            raise SystemExit(message)
        time.sleep(0.01)


def _listed(values: list[float]) -> str:
    return ", ".join(f"{value:.1f}" for value in values)


def _estate(routes: int, backend: int) -> str:
    """The large estate with every legacy service at the backend, and the functions nowhere."""
    text = large_estate(routes)
    text = re.sub(r"10\.0\.\d+\.1:8080", f"127.0.0.1:{backend}", text)
    text = re.sub(r"      - 10\.0\.\d+\.2:8080\n", "", text)
    return text.replace("https://vpce-0123456789abcdef0.lambda.eu-west-1.vpce.amazonaws.com", "http://127.0.0.1:9")


if __name__ == "__main__":
    main()

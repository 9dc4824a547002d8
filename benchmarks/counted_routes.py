"""What it costs that moving routes are counted by bucket of users, second by second, along the way of the evidence.

    python benchmarks/counted_routes.py [ROUTES ...]

A real Envoy, all of whose routes move and are counted, whatever their number. So many users ask each route as fill
two thirds of the buckets of both sides. Then: what Envoy holds; how long it takes for one answer, during which its main
thread does nothing else and weights wait, by the clock and by its processor time; what the node's Python makes of the
answer; and what control takes to read it, to compare it with the last, and to look at each route.
"""

import asyncio
import os
import statistics
import sys
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from http.client import HTTPConnection
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parent.parent))  # a script's folder is on the path, the repository's is not

import orjson

from benchmarks.backends import invoke_api, legacy
from benchmarks.measuring import cores, end_cleanly, folders, resident_mb
from benchmarks.routers import Files, router
from router.control.evidence import Evidence
from router.gate import wire
from router.gate.judge import judge
from router.gate.values import Gate
from router.gate.verdict import Outcome
from router.gate.window import Window
from router.node.admin import Admin
from router.node.evidence import evidence
from router.node.samples import samples
from router.node.traffic import TARGET, parse
from router.snapshot.compiler import compile_estate
from router.snapshot.manifest import Manifest
from router.source.load import load_estate
from router.weight import MOST_COUNTED, Weight

_USERS = 128
_AT_ONCE = 8
_ROUTE = """\
  r{number}:
    match: {{path: {{prefix: /r{number}/}}}}
    legacy: shop
    lambda: books
    sticky: {{header: X-User, without_key: legacy}}
"""
_ESTATE = """\
version: 1
entry: {{address: "127.0.0.1:${{ENTRY_PORT:-8080}}", default: shop}}
legacy:
  shop: {{endpoints: ["127.0.0.1:{legacy}"]}}
lambda:
  books:
    arn: arn:aws:lambda:eu-west-1:123456789012:function:books:live
    endpoint: http://127.0.0.1:{api}
    timeout: 5s
routes:
"""
_KEY = ("release", "ramp", 1)


def main() -> None:
    """Print the table."""
    end_cleanly()
    counts = sorted(map(int, sys.argv[1:])) or [24, 64, 128, 200]
    proxies, others = cores()
    with ExitStack() as stack:
        folder = stack.enter_context(folders())
        ports = {
            "legacy": stack.enter_context(legacy(folder("legacy"), core=others)),
            "api": stack.enter_context(invoke_api(folder("api"), core=others)),
        }
        text = _ESTATE.format(**ports) + "".join(_ROUTE.format(number=number) for number in range(counts[-1]))
        moving = {f"r{number}": 5_000 for number in range(counts[-1])}
        state = folder("router")
        port, pid = stack.enter_context(router(text, state, core=proxies, moving=moving, edit=_unbounded))
        manifest = _manifest(text)
        print("| routes | lines | MB of text | answer ms | of it CPU | node ms | control ms | looks ms | Envoy MB |")
        print("|---:|---:|---:|---:|---:|---:|---:|---:|---:|")
        done = 0
        for number in counts:
            _ask(port, range(done, number))
            done = number
            time.sleep(2)  # histograms are there after the flush of a second
            before = _cpu_ms(pid)
            texts = asyncio.run(_texts(state))
            spent = (_cpu_ms(pid) - before) / len(texts)
            print(_row(number, (texts, spent), manifest, resident_mb(pid)), flush=True)


def _unbounded(files: Files) -> None:
    text = orjson.dumps(files["listeners.json"]).replace(
        f"MOST_IN_BUCKETS = {MOST_COUNTED}".encode(), b"MOST_IN_BUCKETS = 100000"
    )
    files["listeners.json"] = orjson.loads(text)


def _manifest(text: str) -> Manifest:
    loaded = load_estate(text, file="estate.yaml", environment={"ENTRY_PORT": "1"})
    assert loaded.estate is not None
    return compile_estate(loaded.estate, {}).manifest


def _ask(port: int, routes: range) -> None:
    """Let every user ask each of the routes once."""

    def ask(users: range) -> None:
        connection = HTTPConnection("127.0.0.1", port, timeout=60)
        for route in routes:
            for user in users:
                connection.request("GET", f"/r{route}/1", headers={"X-User": f"user-{user}"})
                if connection.getresponse().read()[:1] != b"{":
                    message = f"user {user} got no answer of route {route}"
                    raise SystemExit(message)
        connection.close()

    with ThreadPoolExecutor(_AT_ONCE) as pool:
        list(pool.map(ask, (range(start, _USERS, _AT_ONCE) for start in range(_AT_ONCE))))


async def _texts(state: Path) -> list[tuple[bytes, float]]:
    """Some answers of Envoy to what a node asks each second, each with the seconds it took."""
    admin, found = Admin(state / "admin.sock"), []
    for _ in range(5):
        began = time.perf_counter()
        text = await admin.text(TARGET)
        found.append((text, time.perf_counter() - began))
    admin.close()
    return found


def _cpu_ms(pid: int) -> float:
    """The processor time of the process so far."""
    fields = Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) * 1000 / os.sysconf("SC_CLK_TCK")


def _row(routes: int, told_by: tuple[list[tuple[bytes, float]], float], manifest: Manifest, envoy_mb: float) -> str:
    (texts, spent), text = told_by, told_by[0][0][0]
    found = text.count(b"\n")
    node = _median(lambda: _read(text, manifest))
    told = orjson.dumps(_read(text, manifest))
    reading = wire.from_json(orjson.loads(told))
    clock = [0.0]
    kept = Evidence(clock=lambda: clock[0])
    kept.heard(reading)
    kept.open(_KEY, warm_up_seconds=0.0)

    def heard() -> None:
        clock[0] += 1
        kept.heard(wire.from_json(orjson.loads(told)))

    control = _median(heard)
    look = _median(lambda: [_look(kept, route) for route in reading.routes])
    answer = statistics.median(seconds for _, seconds in texts) * 1e3
    figures = " | ".join(f"{one:.0f}" for one in (answer, spent, node, control, look, envoy_mb))
    return f"| {routes} | {found:,} | {len(text) / 1e6:.1f} | {figures} |"


def _read(text: bytes, manifest: Manifest) -> Any:
    found = list(samples(text))
    parse(found)
    return evidence(found, epoch="1", serving=manifest).to_json(node="n1", weights_version=1)


def _look(kept: Evidence, route: str) -> Outcome:
    seen = kept.seen(_KEY, route, ("n1",))
    window = Window(evidence=seen.evidence, weight=Weight(5_000), elapsed_seconds=600.0, recent=seen.recent)
    return judge(Gate(), window).outcome


def _median(do: Callable[[], Any]) -> float:
    """Milliseconds of processor time of doing it, the median of five times."""
    found = []
    for _ in range(5):
        began = time.process_time()
        do()
        found.append((time.process_time() - began) * 1e3)
    return statistics.median(found)


if __name__ == "__main__":
    main()

"""What a request costs a proxy: this router on a route that moves, bare Envoy, and other proxies that do the same work.

    python benchmarks/proxy_cost.py [--quick] [--rounds 5] [--seconds 2] [--ablate [PATTERN]]

Each proxy has one worker on one core; the client (wrk) and the backend (nginx) share the other. All requests are of
users that legacy serves at a weight of 50 %, so every proxy has the same upstream. The aim: header-sticky at most 1.15
times bare Envoy, cookie-sticky 1.25 times.
"""

import argparse
import sys
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent))  # a script's folder is on the path, the repository's is not

from benchmarks.ablation import ablation
from benchmarks.backends import legacy
from benchmarks.measuring import CONNECTIONS, Request, Subject, compared, cores, end_cleanly, folders, table
from benchmarks.peers import caddy, haproxy, nginx_proxy
from benchmarks.routers import bare_envoy, envoy_version, router
from benchmarks.split_estate import ESTATE, SPLIT, by_cookie, by_header, new_users

BARE = "bare Envoy: weighted route by a header's hash"
HEADER, COOKIE = "this router, header-sticky", "this router, cookie-sticky"
_NEW, _DEFAULT = "this router, a new user each time (cookie issued)", "this router, default route"
_AIMS = {HEADER: 1.15, COOKIE: 1.25}


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--rounds", type=int, default=5, help="rounds of which the median is shown")
    parser.add_argument("--seconds", type=float, default=2, help="length of one round of one proxy, whole seconds")
    parser.add_argument("--quick", action="store_true", help="one round of one second: does it run at all?")
    parser.add_argument("--ablate", nargs="?", const="", metavar="PATTERN", help="what the configuration's parts cost")
    options = parser.parse_args()
    end_cleanly()
    rounds, seconds = (1, 1.0) if options.quick else (options.rounds, options.seconds)
    print(f"Envoy {envoy_version()}, {CONNECTIONS} connections, median of {rounds} rounds of {seconds:.0f} s\n")
    if options.ablate is not None:
        print(ablation(rounds=rounds, seconds=seconds, only=options.ablate))
        return
    rows = costs(rounds=rounds, seconds=seconds)
    print(table(rows, base=BARE))
    print()
    for name, aim in _AIMS.items():
        print(f"{name}: {rows[name].cpu_us / rows[BARE].cpu_us:.2f} × bare Envoy (aim {aim:.2f})")


def costs(*, rounds: int, seconds: float):  # type: ignore[no-untyped-def]  # noqa: ANN201 - see compared
    """The medians of every proxy."""
    proxies, others = cores()
    with ExitStack() as stack:
        folder = stack.enter_context(folders())
        backend = stack.enter_context(legacy(folder("legacy"), core=others))
        found: list[Subject] = []

        def add(name: str, running: tuple[int, int], requests: Sequence[Request]) -> None:
            found.append(Subject(name=name, port=running[0], pid=running[1], requests=requests))

        environment = {"LEGACY_PORT": str(backend), "LAMBDA_PORT": "9"}
        ours = router(ESTATE, folder("router"), core=proxies, moving=SPLIT, environment=environment)
        running = stack.enter_context(ours)
        headers, cookies = by_header("legacy"), by_cookie("legacy")
        add(BARE, stack.enter_context(bare_envoy(backend, folder("bare"), core=proxies)), headers)
        add(HEADER, running, headers)
        add(COOKIE, running, cookies)
        add(_NEW, running, new_users())
        add(_DEFAULT, running, [Request(path="/other", headers=one.headers) for one in headers])
        for works, words in ((True, "the same work"), (False, "bare")):
            for name, peer in (("nginx", nginx_proxy), ("HAProxy", haproxy), ("Caddy", caddy)):
                one = peer(backend, folder(f"{name}-{works}"), core=proxies, works=works)
                add(f"{name}, {words}", stack.enter_context(one), cookies)
        return compared(found, rounds=rounds, seconds=seconds)


if __name__ == "__main__":
    main()

"""What an invocation costs: the router's whole Lambda path, Envoy's `aws_lambda` alone, and a hand-written gateway.

    python benchmarks/lambda_path.py [--quick] [--rounds 5] [--seconds 2]

The router's path has stickiness, the inner hop, the composite that falls back to legacy, counters and the JSON log. The
gateway is Starlette with aiobotocore on uvicorn (uvloop, httptools) and has none of these. Each has one core and one
worker; the client (wrk) and the Invoke API (nginx, one answer for all) share the other. The aim: at least 6 times the
gateway, 8 times is the goal.
"""

import argparse
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent))  # a script's folder is on the path, the repository's is not

from benchmarks.backends import invoke_api
from benchmarks.measuring import (
    CONNECTIONS,
    PEERS,
    Round,
    Subject,
    compared,
    cores,
    end_cleanly,
    folders,
    free_port,
    process,
    table,
)
from benchmarks.routers import bare_envoy_lambda, envoy_version, router
from benchmarks.split_estate import ESTATE, SPLIT, by_cookie, by_header

GATEWAY, ROUTER, BARE = (
    "Starlette, aiobotocore, uvicorn: GET",
    "this router: GET, header-sticky",
    "bare aws_lambda: GET",
)
_GATEWAY_POST, _ROUTER_POST = "Starlette, aiobotocore, uvicorn: POST", "this router: POST, header-sticky"
_AIM, _GOAL = 6, 8


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--rounds", type=int, default=5, help="rounds of which the median is shown")
    parser.add_argument("--seconds", type=float, default=2, help="length of one round of one proxy, whole seconds")
    parser.add_argument("--quick", action="store_true", help="one round of one second: does it run at all?")
    options = parser.parse_args()
    end_cleanly()
    rounds, seconds = (1, 1.0) if options.quick else (options.rounds, options.seconds)
    print(f"Envoy {envoy_version()}, {CONNECTIONS} connections, median of {rounds} rounds of {seconds:.0f} s\n")
    rows = costs(rounds=rounds, seconds=seconds)
    print(table(rows, base=BARE))
    print()
    for method, ours, theirs in (("GET", ROUTER, GATEWAY), ("POST", _ROUTER_POST, _GATEWAY_POST)):
        cheaper = rows[theirs].cpu_us / rows[ours].cpu_us
        faster = rows[ours].rate / rows[theirs].rate
        aims = f"(aim {_AIM}, goal {_GOAL})"
        print(f"{method}: {cheaper:.1f} × cheaper and {faster:.1f} × as many requests/s as the gateway {aims}")


def costs(*, rounds: int, seconds: float) -> dict[str, Round]:
    """The medians of each way to invoke."""
    proxies, others = cores()
    get, post = by_header("lambda"), by_header("lambda", method="POST")
    with ExitStack() as stack:
        folder = stack.enter_context(folders())
        api = stack.enter_context(invoke_api(folder("api"), core=others))
        environment = {"LEGACY_PORT": "9", "LAMBDA_PORT": str(api)}
        ours = stack.enter_context(
            router(ESTATE, folder("router"), core=proxies, moving=SPLIT, environment=environment)
        )
        bare = stack.enter_context(bare_envoy_lambda(api, folder("bare"), core=proxies))
        hand = stack.enter_context(_gateway(api, folder("gateway"), core=proxies))
        subjects = [
            Subject(name=BARE, port=bare[0], pid=bare[1], requests=get),
            Subject(name="bare aws_lambda: POST", port=bare[0], pid=bare[1], requests=post),
            Subject(name=ROUTER, port=ours[0], pid=ours[1], requests=get),
            Subject(name="this router: GET, cookie-sticky", port=ours[0], pid=ours[1], requests=by_cookie("lambda")),
            Subject(name=_ROUTER_POST, port=ours[0], pid=ours[1], requests=post),
            Subject(name=GATEWAY, port=hand[0], pid=hand[1], requests=get),
            Subject(name=_GATEWAY_POST, port=hand[0], pid=hand[1], requests=post),
        ]
        return compared(subjects, rounds=rounds, seconds=seconds)


@contextmanager
def _gateway(api: int, folder: Path, *, core: int) -> Iterator[tuple[int, int]]:
    port = free_port()
    script = Path(__file__).parent / "gateway.py"
    command: list[str | Path] = [PEERS / "bin" / "python", script, str(port), str(api)]
    with process(command, core=core, folder=folder, port=port) as pid:
        yield port, pid


if __name__ == "__main__":
    main()

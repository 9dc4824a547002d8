"""What telling of requests costs: the router without telemetry, and with it at several shares of sampled requests.

    python benchmarks/telemetry_cost.py [--quick] [--rounds 9] [--seconds 1]

All requests are of users who are on legacy at 50 %. Every request is logged over OTLP whatever the share is; the
receiver is nginx on the client's core, which takes everything at once.
"""

import argparse
import sys
from contextlib import ExitStack
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent))  # a script's folder is on the path, the repository's is not

from benchmarks.backends import legacy
from benchmarks.measuring import CONNECTIONS, Round, Subject, compared, cores, end_cleanly, folders, table
from benchmarks.routers import envoy_version, router
from benchmarks.split_estate import ESTATE, SPLIT, by_header

WITHOUT = "without telemetry"
_SHARES = ("0%", "10%", "100%")
_TELEMETRY = "\ntelemetry:\n  otlp: http://127.0.0.1:{port}\n  sample: {share}\n"


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--rounds", type=int, default=9, help="rounds of which the best is shown")
    parser.add_argument("--seconds", type=float, default=1, help="length of one round, whole seconds")
    parser.add_argument("--quick", action="store_true", help="one round: does it run at all?")
    options = parser.parse_args()
    end_cleanly()
    rounds = 1 if options.quick else options.rounds
    print(f"Envoy {envoy_version()}, {CONNECTIONS} connections, best of {rounds} rounds of {options.seconds:.0f} s\n")
    print(table(costs(rounds=rounds, seconds=options.seconds), base=WITHOUT))


def costs(*, rounds: int, seconds: float) -> dict[str, Round]:
    """The best round of each."""
    proxies, others = cores()
    requests = by_header("legacy")
    with ExitStack() as stack:
        folder = stack.enter_context(folders())
        backend = stack.enter_context(legacy(folder("legacy"), core=others))
        receiver = stack.enter_context(legacy(folder("receiver"), core=others))
        estates = {WITHOUT: ESTATE} | {
            f"sample: {share}": ESTATE + _TELEMETRY.format(port=receiver, share=share) for share in _SHARES
        }
        environment = {"LEGACY_PORT": str(backend), "LAMBDA_PORT": "9"}
        subjects = []
        for number, (name, text) in enumerate(estates.items()):
            one = router(text, folder(str(number)), core=proxies, moving=SPLIT, environment=environment)
            port, pid = stack.enter_context(one)
            subjects.append(Subject(name=name, port=port, pid=pid, requests=requests))
        return compared(subjects, rounds=rounds, seconds=seconds, best=True)


if __name__ == "__main__":
    main()

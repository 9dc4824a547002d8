"""Eight environments read a database through proxies while logins rotate and everything between is broken.

    python benchmarks/soak_adapters.py [--seconds 60] [--seed 1]

Real processes, MariaDB, tinyproxy, dante, moto's Secrets Manager. What is told: answers, and which were wrong; errors
by class, and which came when nothing was broken; the longest that an invocation took beyond its deadline; connections
that were left. Errors while something is broken are the only ones that may be. Bounded to five minutes.
"""

import argparse
import logging
import os
import random
import signal
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent))  # a script's folder is on the path, the repository's is not

from benchmarks.soak_adapters_site import Bank, bank
from tests.adapters.environment import Environment, Outcome

ENVIRONMENTS = 8
_MOST_SECONDS = 300.0
_DEADLINE, _HASTY = 3.0, 0.3
_READ = "select concat('{}', title) from books where id = 7"
_SLACK = 1.5
"""What a busy machine may add to a deadline, and to the time in which a fault is got over."""
_BROKEN = frozenset(
    {"Unreachable", "ProxyRefused", "ConnectionLost", "DeadlineExceeded", "Overloaded", "StatementTimedOut"}
)
"""What an invocation may fail with while something is broken; anything else is a fault of the adapter at any time."""


@dataclass(slots=True)
class Tally:
    """What came of all invocations."""

    answers: int = 0
    wrong: list[str] = field(default_factory=list)
    errors: Counter[str] = field(default_factory=Counter)
    unexplained: list[str] = field(default_factory=list)
    late: list[str] = field(default_factory=list)
    longest_beyond: float = 0.0
    faults: Counter[str] = field(default_factory=Counter)
    left: list[str] = field(default_factory=list)

    @property
    def is_clean(self) -> bool:
        """Whether nothing happened that must not."""
        return not (self.wrong or self.unexplained or self.late or self.left)


class Soak:
    """The run: a thread for each environment, and this one, which breaks things."""

    def __init__(self, site: Bank, environments: Sequence[Environment], *, seconds: float, seed: int) -> None:
        self.tally = Tally()
        self._site = site
        self._environments = environments
        self._locks = [threading.Lock() for _ in environments]
        self._until = time.monotonic() + seconds
        self._is_over = threading.Event()
        self._pause = min(1.5, seconds / 30)
        self._chance = random.Random(seed)
        self._broken_until = time.monotonic() + _SLACK  # the first invocations connect
        self._counting = threading.Lock()

    def run(self) -> Tally:
        """Serve and break until the time is over, then see what is left."""
        threads = [threading.Thread(target=self._serve, args=(number,)) for number in range(len(self._environments))]
        for thread in threads:
            thread.start()
        faults: tuple[Callable[[], None], ...] = (
            self.rotate,
            self.freeze,
            self.restart_proxies,
            self.lose,
            self.freeze,
            self.restart_database,
        )
        for count in range(10**9):
            if time.monotonic() > self._until and count >= len(faults):  # each of them once, however slow the machine
                break
            fault = faults[count % len(faults)]
            fault()
            self.tally.faults[fault.__name__.replace("_", " ")] += 1
            time.sleep(self._pause)
        self._is_over.set()
        for thread in threads:
            thread.join()
        for one in self._environments:  # nothing is broken any more: all of them answer
            self._count(one.invoke(_READ.format("last"), 10.0), "lastMoss", 10.0, float("inf"))
        return self.tally

    def _serve(self, number: int) -> None:
        """One environment's invocations: reads whose answer is known, and now and then a statement that is too slow."""
        chance = random.Random(number)
        for count in range(10**9):
            if self._is_over.is_set():
                return
            is_slow = chance.random() < 0.02
            expected = f"{number}-{count}"
            sql = "select sleep(20)" if is_slow else _READ.format(expected)
            seconds = _HASTY if is_slow else _DEADLINE
            began = time.monotonic()
            with self._locks[number]:
                found = self._environments[number].invoke(sql, seconds)
            self._count(found, None if is_slow else expected + "Moss", seconds, began)
            time.sleep(chance.uniform(0.02, 0.08))

    def _count(self, found: Outcome, expected: str | None, seconds: float, began: float) -> None:
        with self._counting:
            self.tally.longest_beyond = max(self.tally.longest_beyond, found.seconds - seconds)
            if found.seconds > seconds + _SLACK:
                self.tally.late.append(f"{found.seconds:.2f} s of {seconds} s: {found.error}")
            if not found.error:
                self.tally.answers += 1
                if found.value != expected:
                    self.tally.wrong.append(f"{found.value!r} for {expected!r}")
                return
            self.tally.errors[found.error] += 1
            is_due = expected is None and found.error in {"StatementTimedOut", "DeadlineExceeded"}
            is_explained = found.error in _BROKEN and began < self._broken_until
            if not (is_due or is_explained):
                self.tally.unexplained.append(f"{found.error}: {found.said}")

    @contextmanager
    def _broken(self) -> Iterator[None]:
        """What fails from here until a moment after the block is explained."""
        self._broken_until = time.monotonic() + _MOST_SECONDS
        try:
            yield
        finally:
            self._broken_until = time.monotonic() + _SLACK

    def rotate(self) -> None:
        """Store the other user with a new password, then lock the retired one out: nobody may notice."""
        self._site.rotate()
        with self._broken():  # a statement that runs while its session is killed is lost
            self._site.retire()

    def freeze(self) -> None:
        """Stop some environments between invocations; meanwhile some of their connections die."""
        chosen = self._chance.sample(range(len(self._environments)), 3)
        with ExitStack() as held:
            for number in chosen:
                held.enter_context(self._locks[number])
                os.kill(self._environments[number].id, signal.SIGSTOP)
                held.callback(os.kill, self._environments[number].id, signal.SIGCONT)
            time.sleep(self._pause)
            if self._chance.random() < 0.5:
                with self._broken():
                    self._site.kill_idle()

    def lose(self) -> None:
        """Forget all flows on the way, as a firewall does: both ends believe that they are connected."""
        with self._broken():
            self._site.way.lose()

    def restart_proxies(self) -> None:
        """Restart both proxies."""
        with self._broken():
            for proxy in self._site.proxies:
                proxy.stop()
            time.sleep(self._pause / 2)
            for proxy in self._site.proxies:
                proxy.start()

    def restart_database(self) -> None:
        """Restart the database."""
        with self._broken():
            self._site.server.stop()
            self._site.server.start()


def soak(seconds: float, seed: int, folder: Path) -> Tally:
    """What came of a run of so many seconds."""
    with bank(folder) as site:
        with ExitStack() as stack:
            longest = seconds + 600  # a busy machine takes long to begin and to break things
            environments = [stack.enter_context(site.environment(number, longest)) for number in range(ENVIRONMENTS)]
            for one in environments:  # the imports of eight processes at once take a while
                first = one.invoke("select 1", 60.0)
                assert first.value == 1, first
            tally = Soak(site, environments, seconds=seconds, seed=seed).run()
        site.way.cut()  # what it forgot would stay on the server until its keepalive finds out
        deadline = time.monotonic() + 10
        while (left := site.sessions()) and time.monotonic() < deadline:
            time.sleep(0.05)
        tally.left = [str(one) for one in left]
        return tally


def report(tally: Tally) -> str:
    """The tally as lines."""
    faults = ", ".join(f"{name} ×{count}" for name, count in tally.faults.items())
    errors = ", ".join(f"{name} {count}" for name, count in tally.errors.most_common()) or "none"
    lines = [
        f"broken: {faults}",
        f"answers {tally.answers}, wrong {len(tally.wrong)}",
        f"errors: {errors}",
        f"errors when nothing was broken: {len(tally.unexplained)}",
        f"later than the deadline and {_SLACK} s: {len(tally.late)}; at most {tally.longest_beyond:+.2f} s beyond it",
        f"connections left: {len(tally.left)}",
    ]
    return "\n".join([*lines, *tally.wrong[:5], *tally.unexplained[:5], *tally.late[:5], *tally.left[:5]])


def main() -> int:
    """Run, print, and fail where something happened that must not."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--seconds", type=float, default=60.0)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    logging.getLogger("werkzeug").setLevel(logging.WARNING)  # moto's server tells each request
    with tempfile.TemporaryDirectory() as folder:
        tally = soak(min(options.seconds, _MOST_SECONDS), options.seed, Path(folder))
    print(report(tally))
    return 0 if tally.is_clean else 1


if __name__ == "__main__":
    sys.exit(main())

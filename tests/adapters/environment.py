"""An execution environment as a process: it keeps one `Database`, and answers one invocation at a time.

    python -m tests.adapters.environment < invocations > answers

An invocation is a line of JSON: the seconds that it has, and a statement. Its answer is the value, or the error and
whether nothing was done, and how long it took. The profile `orders` comes from the environment.
"""

import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

REPOSITORY = Path(__file__).parent.parent.parent


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What an invocation came to; `error` is the class's name, "" where there was none."""

    value: Any = None
    error: str = ""
    nothing_done: bool = False
    said: str = ""
    seconds: float = 0.0


class Environment:
    """The process, from outside."""

    def __init__(self, process: "subprocess.Popen[str]") -> None:
        self.process = process

    @property
    def id(self) -> int:
        """The process's id."""
        return self.process.pid

    def invoke(self, sql: str, seconds: float = 5.0) -> Outcome:
        """What the invocation came to."""
        self.begin(sql, seconds)
        return self.end()

    def begin(self, sql: str, seconds: float = 5.0) -> None:
        """Begin an invocation."""
        assert self.process.stdin is not None
        self.process.stdin.write(json.dumps({"sql": sql, "seconds": seconds}) + "\n")
        self.process.stdin.flush()

    def end(self) -> Outcome:
        """Wait for the outcome of the invocation that was begun."""
        assert self.process.stdout is not None
        return Outcome(**json.loads(self.process.stdout.readline()))


@contextmanager
def environment(
    profile: Mapping[str, Any], variables: Mapping[str, str] | None = None, *, longest: float = 60.0
) -> Iterator[Environment]:
    """A process with that profile, until the block ends; it is killed after `longest` seconds, should it hang."""
    own = {"ADAPTERS_DATABASE_ORDERS": json.dumps(profile), "PATH": os.environ["PATH"]}
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.adapters.environment"],
        cwd=REPOSITORY,
        env={**own, **(variables or {})},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    watch = threading.Timer(longest, process.kill)
    watch.start()
    try:
        yield Environment(process)
    finally:
        process.kill()
        process.communicate()
        watch.cancel()


def main() -> None:
    """Answer invocations until there are no more."""
    from sqlalchemy import text  # noqa: PLC0415 - the process's own

    from adapters import Database, Deadline  # noqa: PLC0415
    from adapters.deadline import in_force  # noqa: PLC0415
    from adapters.errors import TargetFailed  # noqa: PLC0415

    orders = Database.named("orders")
    for line in sys.stdin:
        asked = json.loads(line)
        begin = time.monotonic()
        answer: dict[str, Any]
        try:
            with in_force(Deadline(asked["seconds"])), orders.begin() as connection:
                answer = {"value": connection.execute(text(asked["sql"])).scalar()}
        except TargetFailed as error:
            answer = {"error": type(error).__name__, "nothing_done": error.nothing_done, "said": str(error)}
        print(json.dumps({**answer, "seconds": time.monotonic() - begin}), flush=True)  # noqa: T201 - its answer


if __name__ == "__main__":
    main()

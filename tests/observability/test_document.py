"""The commands in docs/observability.md are run as they stand there."""

import shlex
import time
from pathlib import Path

from tests.docs.test_documents import commands
from tests.observability.process import observing
from tests.observability.telemetry import logs, served, span, traces

COMMANDS = commands("docs/observability.md", "observe")


def test_commands_on_a_running_process(tmp_path: Path) -> None:
    """Each command of the document does what it says."""
    with observing(tmp_path) as running:
        now = time.time_ns()
        assert running.send("traces", traces(span(start=now))).is_success
        assert running.send("logs", logs(served("books", "lambda", time=now), service="fig-router")).is_success
        for command in COMMANDS:
            _, _, *arguments = shlex.split(command)
            done = running.fig(*arguments)
            assert done.returncode == 0, done.stderr
            assert done.stdout, command

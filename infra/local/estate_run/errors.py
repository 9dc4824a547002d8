"""What can fail while an estate runs on one machine.

Failed
`-- EstateRunFailed      the run ends, every process with it
    |-- ChildEnded       a process ended by itself: look at its lines; `fig up` again
    |-- NotReady         a process did not become ready in time
    `-- StepFailed       a short step (check, publish) ended with an exit code, which becomes the run's
"""

import signal

from ..errors import LocalFailed


class EstateRunFailed(LocalFailed):
    """The run cannot go on; `exit_code` is the run's."""

    exit_code = 1


class ChildEnded(EstateRunFailed):
    """A process that the estate needs ended by itself."""

    def __init__(self, name: str, returncode: int) -> None:
        super().__init__(f"{name} ended {ending(returncode)}: its last lines are above")


class NotReady(EstateRunFailed):
    """A process started and did not become ready in time."""

    def __init__(self, name: str, *, waited_for: str, seconds: float) -> None:
        super().__init__(f"{name} was not ready after {seconds:g} s (waited for {waited_for}): its lines are above")


class StepFailed(EstateRunFailed):
    """A short command that the run needs did not succeed; `exit_code` is the run's."""

    def __init__(self, name: str, returncode: int) -> None:
        super().__init__(f"{name} ended {ending(returncode)}")
        self.exit_code = returncode if returncode > 0 else 1


def ending(returncode: int) -> str:
    """How a process ended, in words: its exit code, or the signal's name (a negative code)."""
    if returncode >= 0:
        return f"with exit code {returncode}"
    try:
        return f"by signal {signal.Signals(-returncode).name}"
    except ValueError:
        return f"by signal {-returncode}"

"""Golden cases: `tests/golden/<suite>/<idea>.txt` holds the input, a line `----`, and what must come out of it.

Input and output stand in one file, so `--update-golden` leaves no orphans: a case is rewritten, or it is not there.
"""

from collections.abc import Callable
from pathlib import Path

FOLDER = Path(__file__).parent
SEPARATOR = "----\n"
_MOST_LINES = 60


def cases(suite: str) -> list[Path]:
    """The suite's cases, by name. Raises `LookupError` when there is none, which would test nothing."""
    found = sorted((FOLDER / suite).glob("*.txt"))
    if not found:
        message = f"no golden cases in {FOLDER / suite}"
        raise LookupError(message)
    return found


def judge(case: Path, produce: Callable[[str], str], *, update: bool) -> None:
    """Compare what `produce` makes of the case's input with the case's output, or with `update` write it there."""
    given, separator, expected = case.read_text(encoding="utf-8").partition(SEPARATOR)
    actual = produce(given)
    whole = f"{given}{SEPARATOR}{actual}"
    assert whole.count("\n") <= _MOST_LINES, f"{case.name} has more than {_MOST_LINES} lines: one idea for each case"
    if update:
        case.write_text(whole, encoding="utf-8")
        return
    assert separator, f"{case.name} has no line ----; write it with pytest --update-golden"
    assert actual == expected, f"{case.name} gives something else; look, then pytest --update-golden"

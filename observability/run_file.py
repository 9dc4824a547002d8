"""The run file: how a command finds the `fig observe` of its folder, and the token that it wants to hear.

`.fig/observe.json` in the working directory or a parent, for its owner alone. Environment and option come first.
"""

import json
import os
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path

from .errors import ObserveUnreachable

NAME = Path(".fig") / "observe.json"


@dataclass(frozen=True, slots=True, kw_only=True)
class RunFile:
    """Where a running process's pages and receiver are, and its token."""

    pages: str
    otlp: str
    token: str = field(repr=False)


def write(path: Path, run: RunFile) -> None:
    """Write the file, whole or not at all, readable by its owner alone."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    new = path.with_name(f"{path.name}.{os.getpid()}.new")
    new.unlink(missing_ok=True)
    with os.fdopen(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        json.dump(asdict(run), file)
    new.replace(path)


def read(path: Path) -> RunFile | None:
    """The file's content; None where there is none. Raises `ObserveUnreachable` for one that is not whole."""
    try:
        values = json.loads(path.read_text())
        return RunFile(pages=str(values["pages"]), otlp=str(values["otlp"]), token=str(values["token"]))
    except FileNotFoundError:
        return None
    except (OSError, ValueError, KeyError, TypeError) as error:
        message = f"{path} is not a run file of fig observe: remove it, and start fig observe again"
        raise ObserveUnreachable(message) from error


def remove_own(path: Path, run: RunFile) -> None:
    """Remove the file when it is still this process's."""
    try:
        if read(path) == run:
            path.unlink()
    except (OSError, ObserveUnreachable):  # somebody else's by now
        return


def find(url: str | None, environ: Mapping[str, str], start: Path) -> RunFile:
    """Where `fig observe` is: `url`, else FIG_OBSERVE (token: FIG_OBSERVE_TOKEN), else the run file here or above.

    Raises `ObserveUnreachable` when none of them says.
    """
    found = next((run for folder in (start, *start.parents) if (run := read(folder / NAME))), None)
    said = (url or environ.get("FIG_OBSERVE", "")).rstrip("/")
    token = environ.get("FIG_OBSERVE_TOKEN", "")
    if said and (found is None or said != found.pages):
        return RunFile(pages=said, otlp="", token=token)
    if found is None:
        message = "no fig observe is known here: start one, or name it with --observe URL"
        raise ObserveUnreachable(message)
    return RunFile(pages=found.pages, otlp=found.otlp, token=token or found.token)

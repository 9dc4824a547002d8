"""The run file, `.fig/run.json`: where the control process of this folder listens, and the token that it wants.

Written by `fig control` and `fig up` for their owner's eyes only; found from any folder below.
"""

import json
import os
import stat
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from .errors import RouterFailed

NAME = Path(".fig") / "run.json"


@dataclass(frozen=True, slots=True, kw_only=True)
class RunFile:
    """The file's contents. `environment`: what `fig up` chose for the `${NAME}`s of the estate, ports above all."""

    control: str
    token: str = field(repr=False)
    environment: Mapping[str, str] = field(default_factory=dict)


def write(path: Path, run: RunFile) -> None:
    """Write the run file whole, readable by its owner only. Raises `OSError`."""
    path.parent.mkdir(parents=True, exist_ok=True)
    content = {"control": run.control, "token": run.token, "environment": dict(run.environment)}
    descriptor, staging = tempfile.mkstemp(prefix=".run-", dir=path.parent)  # mkstemp makes it 0600
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            json.dump(content, file, indent=2, sort_keys=True)
        Path(staging).replace(path)
    except OSError:
        Path(staging).unlink(missing_ok=True)
        raise


def read(path: Path) -> RunFile:
    """The run file at `path`. Raises `RouterFailed` when it is not one, or when somebody else could have written it."""
    try:
        about = path.stat()
        content: Any = json.loads(path.read_text(encoding="utf-8"))
        run = RunFile(
            control=str(content["control"]),
            token=str(content["token"]),
            environment={str(name): str(value) for name, value in content.get("environment", {}).items()},
        )
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        message = f"{path} does not read as a run file ({error!r}): remove it, or name control with --control URL"
        raise RouterFailed(message) from error
    if about.st_uid not in (os.geteuid(), 0) or about.st_mode & (stat.S_IWGRP | stat.S_IWOTH):
        message = f"{path} can be written by other users: it is not trusted; name control with --control URL"
        raise RouterFailed(message)
    return run


def find(start: Path) -> Path | None:
    """The run file of `start` or of its nearest parent that has one; None where there is none."""
    folder = start.resolve()
    for place in (folder, *folder.parents):
        if (place / NAME).is_file():
            return place / NAME
    return None


def remove_own(path: Path, run: RunFile) -> None:
    """Remove the run file, unless another process has put its own there."""
    try:
        if read(path).control == run.control:
            path.unlink(missing_ok=True)
    except RouterFailed:  # gone or replaced: not ours to remove
        return

"""`run.json` in the state directory: how another terminal in this folder finds what runs here.

    {"control": URL, "token": TEXT, "environment": {NAME: value that fig up chose}, "addresses": {...}, "pid": fig up's}

The control process writes the first two; `fig up` adds the rest and removes the file at the end. Mode 0600: it holds
the token.
"""

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from .errors import EstateRunFailed

NAME = "run.json"


@dataclass(frozen=True, slots=True, kw_only=True)
class ControlAddress:
    """Where the control process listens, and the token that it wants."""

    url: str
    token: str

    def __repr__(self) -> str:
        return f"ControlAddress(url={self.url!r}, token=[redacted])"


def read_control(path: Path) -> ControlAddress:
    """The address that the control process wrote. Raises `EstateRunFailed` when the file is missing or damaged."""
    try:
        values = json.loads(path.read_text())
        return ControlAddress(url=values["control"], token=values["token"])
    except (OSError, ValueError, KeyError, TypeError) as error:
        message = f"the control process left no readable {path}: {error!r}"
        raise EstateRunFailed(message) from error


def complete(
    path: Path, control: ControlAddress, *, environment: Mapping[str, str], addresses: Mapping[str, str]
) -> None:
    """Replace the file, in one step, by one that also has the environment and the addresses."""
    values = {
        "control": control.url,
        "token": control.token,
        "environment": dict(environment),
        "addresses": dict(addresses),
        "pid": os.getpid(),
    }
    beside = path.with_name(f"{path.name}.{os.getpid()}")
    descriptor = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w") as file:
        file.write(json.dumps(values, indent=2, sort_keys=True) + "\n")
    beside.replace(path)


def remove(path: Path) -> None:
    """Remove the file where it is still there."""
    path.unlink(missing_ok=True)

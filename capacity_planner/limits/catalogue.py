"""The one limits file, `aws.json` beside this module, and the user's overrides over it.

JSON, because `fig cidr size` reads it at every start. Adding a limit is adding an entry with its source there.
"""

import functools
import json
from pathlib import Path

from strangler_fig.diagnostics import Refused

from .values import Kind, Limit, Limits

_FILE = Path(__file__).with_name("aws.json")


def load(overrides: Path | None = None) -> Limits:
    """The limits, with those of the file `overrides` in place of the catalogue's.

    Raises `Refused` with every finding where that file is wrong.
    """
    if overrides is None:
        return shipped()
    from .overrides import load_overrides  # noqa: PLC0415 - YAML is imported when there is a file

    limits, found = load_overrides(overrides, shipped())
    if limits is None:
        raise Refused(found)
    return limits


@functools.cache
def shipped() -> Limits:
    """The limits as they come with this release; read once."""
    entries = json.loads(_FILE.read_text(encoding="utf-8"))["limits"]
    return Limits({entry["key"]: Limit(**{**entry, "kind": Kind(entry["kind"])}) for entry in entries})

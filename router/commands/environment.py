"""The values for an estate file's `${NAME}`s, found without the HTTP client that talks to control."""

import os
from pathlib import Path

from .. import run_file


def estate_environment() -> dict[str, str]:
    """Find the variables: this process's own over what `fig up` chose. Raises `RouterFailed` for a damaged run file."""
    path = run_file.find(Path.cwd())
    return {**(run_file.read(path).environment if path else {}), **os.environ}

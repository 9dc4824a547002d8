"""Validates a snapshot in a process of its own, at low priority: `python -m <this module> SNAPSHOT ENVOY`.

Reading 10,000 routes costs more memory than the agent may ever have, and the routes are served by Envoy on the same
host.
"""

import asyncio
import json
import os
import subprocess
import sys
from pathlib import Path

from .errors import NodeFailed

_DEADLINE_SECONDS = 120.0
_NICENESS = 10


async def problems(snapshot: Path, envoy: Path) -> tuple[str, ...]:
    """What Envoy says against the snapshot; empty when it would take it. Raises `NodeFailed`."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", __name__, str(snapshot), str(envoy)),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(entry for entry in sys.path if entry)},
    )
    try:
        async with asyncio.timeout(_DEADLINE_SECONDS):
            output, complaint = await process.communicate()
    except TimeoutError as error:
        message = f"validating {snapshot.name} took more than {_DEADLINE_SECONDS:.0f} s"
        raise NodeFailed(message) from error
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    if process.returncode:
        message = f"validating {snapshot.name} failed: {complaint.decode(errors='replace').strip()[-500:]}"
        raise NodeFailed(message)
    return tuple(str(one) for one in json.loads(output))


def _main() -> None:
    from ..snapshot.validate import problems as found  # noqa: PLC0415 - the agent, which imports this file, must not pay

    os.nice(_NICENESS)
    print(json.dumps(found(Path(sys.argv[1]), Path(sys.argv[2]))))  # noqa: T201 - it is this process's result


if __name__ == "__main__":
    _main()

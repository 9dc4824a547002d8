"""Everything that can be refused before a process starts: files, ports, the entry's address, the estate's own faults.

Raises `Refused` with positions; after it, `fig up` has a `Plan`.
"""

import fcntl
import json
import os
import random
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TextIO

from strangler_fig.diagnostics import Diagnostic, Refused, has_errors
from strangler_fig.documents import Document, read_yaml

from . import local_file, observing, ports
from .errors import StepFailed
from .local_file import LocalFile
from .stages import Plan, fig

LOCAL_FILE = "local.yaml"
PORTS_FILE = "ports.json"


def read_local(
    estate: Path, state: Path, environment: Mapping[str, str], more: Sequence[str] = ()
) -> tuple[LocalFile, dict[str, str]]:
    """What `local.yaml` beside the estate asks for, and the port chosen for each name, and for `more`.

    An estate keeps its ports from run to run while they are free, so that its addresses and its snapshot stay the same.
    """
    path = estate.with_name(LOCAL_FILE)
    folder = estate.parent.resolve()
    if not path.exists():
        return LocalFile(folder=folder), _choose(more, state, environment)
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeError) as error:
        raise Refused([Diagnostic(code="UP120", message=f"{path} cannot be read: {error}")]) from error
    names, found = local_file.port_names(text, file=str(path))
    if found:
        raise Refused(found)
    chosen = _choose(tuple(dict.fromkeys((*names, *more))), state, environment)
    parsed, found = local_file.parse(text, file=str(path), folder=folder, environment={**environment, **chosen})
    if parsed is None or has_errors(found):
        raise Refused(found)
    return parsed, chosen


def _choose(names: Sequence[str], state: Path, environment: Mapping[str, str]) -> dict[str, str]:
    return ports.choose(names, environment, random.SystemRandom(), _ports_of_last_time(state))


def _ports_of_last_time(state: Path) -> dict[str, str]:
    try:
        values = json.loads((state / PORTS_FILE).read_text(encoding="utf-8"))
        return {str(name): str(port) for name, port in values.items()}
    except (OSError, ValueError, AttributeError):  # none yet, or damaged: other ports do as well
        return {}


def check_estate(estate: Path, environment: Mapping[str, str]) -> str:
    """What `fig check` warns about. Raises `CheckFailed` with its findings when it refuses the estate."""
    done = subprocess.run(fig("check", str(estate)), env=dict(environment), capture_output=True, text=True, check=False)
    if done.returncode:
        raise CheckFailed(done.returncode, done.stderr or done.stdout)
    return done.stderr


class CheckFailed(StepFailed):
    """`fig check` found errors; its findings are the message."""

    def __init__(self, returncode: int, findings: str) -> None:
        super().__init__("check", returncode)
        self.findings = findings.rstrip()


def read_estate(estate: Path, environment: Mapping[str, str]) -> Document:
    """The estate's file, which passed its check. Raises `Refused` when it cannot be read."""
    document, _ = read_yaml(estate.read_text(encoding="utf-8"), file=str(estate), environment=environment)
    if document is None:
        raise Refused([Diagnostic(code="UP121", message=f"{estate} cannot be read")])
    return document


def entry_address(document: Document) -> str:
    """The entry's `host:port`, once it can be bound. Raises `Refused`, at its place in the file, when it cannot."""
    address = str(document.data["entry"]["address"])
    host, _, port = address.rpartition(":")
    reason = ports.why_not_bindable(host.strip("[]"), int(port))
    if reason:
        message = f"entry.address {address} cannot be used: {reason}"
        hint = "stop what listens there, or give the entry another address"
        place = document.at("entry", "address")
        raise Refused([Diagnostic(code="UP122", message=message, position=place, hint=hint)])
    return address


def hold(state: Path) -> TextIO:
    """The state directory, made where it is missing and held by this process until the file is closed.

    Raises:
        Refused: another `fig up` runs on it, or it cannot be written.
    """
    try:
        state.mkdir(parents=True, exist_ok=True, mode=0o700)
        lock = (state / "up.lock").open("a+")
    except OSError as error:
        raise Refused([Diagnostic(code="UP123", message=f"{state} cannot be used: {error.strerror}")]) from error
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        lock.seek(0)
        holder = lock.read().strip()
        lock.close()
        message = f"an estate already runs on {state}" + (f" (process {holder})" if holder else "")
        hint = "stop it (Ctrl-C there), or give this one its own --state"
        raise Refused([Diagnostic(code="UP124", message=message, hint=hint)]) from error
    lock.truncate(0)
    lock.write(str(os.getpid()))
    lock.flush()
    return lock


def remember_ports(made: Plan) -> None:
    """Write down the ports for the next run on the same state directory."""
    (made.state / PORTS_FILE).write_text(json.dumps(dict(made.ports)), encoding="utf-8")


def plan(estate: Path, state: Path, environment: Mapping[str, str], *, observe: bool = True) -> tuple[Plan, str]:
    """The plan of an estate that may start, and the warnings about it. Raises `Refused` or `CheckFailed`."""
    observed = observing.decide(environment, wanted=observe)
    local, chosen = read_local(estate, state, environment, observed.ports)
    variables = observed.variables({**environment, **chosen})
    whole = {**environment, **chosen, **variables.whole, "PYTHONUNBUFFERED": "1"}
    warnings = check_estate(estate, whole)
    document = read_estate(estate, whole)
    notes = [observed.note]
    if observed.ports:
        notes.append(observing.unheard((document.data.get("telemetry") or {}).get("otlp"), whole[observing.ENDPOINT]))
    ready = Plan(
        estate=estate,
        entry=entry_address(document),
        state=state.resolve(),
        local=local,
        environment=whole,
        chosen={**chosen, **variables.told},
        ports=chosen,
        is_observed=bool(observed.ports),
        notes=tuple(filter(None, notes)),
    )
    return ready, warnings

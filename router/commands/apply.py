"""`fig apply PLAN`: start the release of a plan (or publish its estate), and follow it until it ends."""

import json
import time
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from strangler_fig.diagnostics import Diagnostic, Refused
from strangler_fig.documents import decoded

from .options import actor_option, control_option, json_option, print_json, reason_option, wait_option

if TYPE_CHECKING:  # the HTTP client costs start-up time that --help should not pay
    from ..client import ControlClient
    from ..plan.document import PlanFile

UNREADABLE = "PL303"
NOT_APPLICABLE = "PL304"
_STALE_ANSWERS = frozenset({"CT410", "CT409"})
"""What control says to a plan that is stale, and to an estate that somebody else published meanwhile."""
_STALE_WORDS = "the plan is stale: "
_APPLIED = f"{_STALE_WORDS}it was applied"
_REFUSED = 4
_EVERY_SECONDS = 1.0


@click.command()
@click.argument("plan", type=click.Path(path_type=Path))
@click.option("--detach", is_flag=True, help="Return when it has started; control goes on with it.")
@reason_option
@actor_option
@wait_option("30s")
@control_option
@json_option
def apply(  # noqa: PLR0913 - click hands over one argument for each option
    *,
    plan: Path,
    detach: bool,
    reason: str,
    actor: str,
    wait_seconds: float,
    control: str | None,
    as_json: bool,
) -> None:
    """Apply what fig plan wrote to PLAN, unless anything that it was made on has moved since.

    Follows a release until it ends; Ctrl-C only ends the following. Exit 0 when it completed, 4 when it did not.
    """
    from ..client import ControlClient, find_control  # noqa: PLC0415 - heavy imports only when the command runs

    read = _read(plan)
    with ControlClient(find_control(control)) as client:
        if read.kind == "estate":
            _publish(client, read, {"actor": actor, "reason": reason, "wait_seconds": wait_seconds}, as_json=as_json)
            return
        started = _start(client, read, {"actor": actor, "reason": reason})
        if as_json:
            print_json(started)
        else:
            click.echo(f"release {started['release']} runs: {', '.join(started['routes'])}")
        if not detach:
            _follow(client, started, as_json=as_json)


def _read(path: Path) -> "PlanFile":
    """The plan, when it can be applied and its files are as they were. Raises `Refused`."""
    from ..plan.document import read_plan  # noqa: PLC0415
    from ..plan.stale import moved_files  # noqa: PLC0415

    try:
        text = decoded(path.read_bytes(), str(path))
    except OSError as error:
        message = f"{path} cannot be read: {error.strerror or error}"
        raise Refused([Diagnostic(code=UNREADABLE, message=message)]) from error
    if isinstance(text, Diagnostic):
        raise Refused([text])
    read = read_plan(text, str(path))
    if not read.plain["is_applicable"]:
        hint = "fig plan says what speaks against it"
        raise Refused([Diagnostic(code=NOT_APPLICABLE, message=f"{path} was refused when it was planned", hint=hint)])
    texts = {name: now for name in read.files if (now := _text(Path(name))) is not None}
    moved = moved_files(read, texts)
    if moved:
        raise Refused(moved)
    return read


def _text(path: Path) -> str | None:
    try:
        return path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError):  # applied somewhere else: what control compares is enough
        return None


def _start(client: "ControlClient", read: "PlanFile", who: Mapping[str, str]) -> dict[str, Any]:
    if read.basis is None:
        click.echo("warning: control was not seen when this was planned; what moved since is not known", err=True)
    request = {"document": read.document, "plan": read.digest, "seen": read.plain["inputs"]["seen"], **who}
    try:
        return client.start(request)
    except Refused as refused:
        raise _refused(client, read, refused) from refused


def _refused(client: "ControlClient", read: "PlanFile", refused: Refused) -> Refused:
    """The refusal; of a plan that is stale it says what has moved."""
    from ..plan.present import Present  # noqa: PLC0415
    from ..plan.stale import moved, stale  # noqa: PLC0415

    (first, *_) = refused.diagnostics
    if first.code not in _STALE_ANSWERS:
        return refused
    if first.message.startswith(_APPLIED):
        return Refused([stale(first.message.removeprefix(_STALE_WORDS))])
    return Refused(moved(read, Present.from_json(client.present())) or refused.diagnostics)


def _publish(client: "ControlClient", read: "PlanFile", who: Mapping[str, Any], *, as_json: bool) -> None:
    from ..plan.present import Present  # noqa: PLC0415
    from ..plan.stale import moved  # noqa: PLC0415
    from .publish import tell_published  # noqa: PLC0415

    if found := moved(read, Present.from_json(client.present())):
        raise Refused(found)
    request = {"estate": json.loads(read.document), **who} | ({"base": read.basis} if read.basis is not None else {})
    try:
        answer = client.publish(request)
    except Refused as refused:
        raise _refused(client, read, refused) from refused
    if as_json:
        print_json(answer)
    else:
        tell_published(answer)
    if answer["rejected"] or answer["lagging"]:
        raise SystemExit(1)


def _follow(client: "ControlClient", started: Mapping[str, Any], *, as_json: bool) -> None:
    """Print each new entry of the release's history until it ends; exit 4 when it did not complete."""
    name, after = started["release"], started["entry"]
    try:
        while True:
            outcome = _outcome(client, started["id"])
            for entry in reversed(_entries(client, name, after)):
                after = entry["id"]
                _line(entry, as_json=as_json)
            if outcome is not None:
                break
            time.sleep(_EVERY_SECONDS)
    except KeyboardInterrupt:
        click.echo(f"release {name} goes on: fig status, fig pause, fig rollback", err=True)
        return
    if as_json:
        print_json({"release": name, "outcome": outcome})
    else:
        click.echo(f"release {name}: {outcome}")
    if outcome != "completed":
        raise SystemExit(_REFUSED)


def _outcome(client: "ControlClient", release_id: str) -> str | None:
    """How the release ended; None while it runs, or while nobody answers: control may be restarting."""
    from ..errors import ControlUnreachable  # noqa: PLC0415

    try:
        ended = {one["id"]: one["outcome"] for one in client.releases()["ended"]}
    except ControlUnreachable as error:
        click.echo(f"{error}; the nodes go on, and so does this", err=True)
        return None
    outcome: str | None = ended.get(release_id)
    return outcome


def _entries(client: "ControlClient", release: str, after: int) -> list[dict[str, Any]]:
    from ..errors import ControlUnreachable  # noqa: PLC0415

    try:
        return client.history(release=release, after=after, limit=1000)
    except ControlUnreachable:  # it was said already
        return []


def _line(entry: Mapping[str, Any], *, as_json: bool) -> None:
    from ..weight import Weight  # noqa: PLC0415
    from .tables import when  # noqa: PLC0415

    if as_json:
        print_json(entry)
        return
    before, after = entry["from"], entry["to"]
    moved = f" {Weight(before)} -> {Weight(after)}" if after is not None and before != after else ""
    click.echo(f"{when(entry['at'])}  {entry['kind']:<9} {entry['route'] or ''}{moved}  {entry['reason']}")

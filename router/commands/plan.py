"""`fig plan FILE`: what a release or a changed estate would do, written to a file that `fig apply` takes."""

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from strangler_fig.diagnostics import Diagnostic, Refused
from strangler_fig.documents import Document, decoded, read_yaml

from .options import Rate, control_option, json_option, progress, terminal_width

if TYPE_CHECKING:  # pydantic and the HTTP client cost start-up time that --help should not pay
    from ..plan.capacity import Capacity
    from ..plan.present import Present

UNWRITABLE = "PL102"
NO_ESTATE = "PL103"
_CHANGES, _WRONG, _REFUSED = 3, 2, 4


@click.command()
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--estate", type=click.Path(path_type=Path), help="The estate whose routes a release names.")
@click.option("--capacity", type=click.Path(path_type=Path), help="The planner's verdict (fig cidr verdict).")
@click.option("--traffic", type=Rate(), help="Assume so much of each route that control does not know, as in 50rps.")
@click.option("--users", type=click.IntRange(1, 100_000_000), help="Assume so many users of such a route.")
@click.option("-o", "--output", type=click.Path(path_type=Path), help="Where to write the plan for fig apply.")
@click.option("--detailed-exit-code", is_flag=True, help="Exit 3 when there are changes.")
@control_option
@json_option
def plan(  # noqa: PLR0913 - click hands over one argument for each option
    *,
    file: Path,
    estate: Path | None,
    capacity: Path | None,
    traffic: float | None,
    users: int | None,
    output: Path | None,
    detailed_exit_code: bool,
    control: str | None,
    as_json: bool,
) -> None:
    """Show what FILE (a release, or a changed estate) would do: who moves when, and what speaks against it.

    Works without control, and says what it could not see. Exit 2 when the input is wrong or in the way of another
    release, 4 when a limit refuses.
    """
    from .release_files import looks_like_release  # noqa: PLC0415

    with progress("planning"):
        if looks_like_release(file):
            if estate is None:
                hint = "name it with --estate"
                raise Refused([Diagnostic(code=NO_ESTATE, message="a release is planned on an estate", hint=hint)])
            made = _release(file, estate, capacity, control, (traffic, users))
        else:
            made = _estate(file, control)
    if output is not None:
        _write(output, made.document)
    if as_json:
        click.echo(json.dumps(made.document, ensure_ascii=False))
    else:
        for line in made.lines:
            click.echo(line)
    for problem in made.problems:
        click.echo(str(problem), err=True)
    if made.code:
        raise SystemExit(made.code)
    if detailed_exit_code and made.has_changes:
        raise SystemExit(_CHANGES)


class _Made:
    """A plan that was made: its document, its words, what speaks against it, and the exit code for that."""

    def __init__(self, document: dict[str, Any], lines: list[str], problems: tuple[Diagnostic, ...], code: int) -> None:
        self.document, self.lines, self.problems, self.code = document, lines, problems, code

    @property
    def has_changes(self) -> bool:
        """Whether applying it would change anything."""
        return self.document["kind"] == "release" or bool(self.document["changes"]) or bool(self.document["unseen"])


def _release(
    file: Path,
    estate_file: Path,
    capacity_file: Path | None,
    control: str | None,
    assumed: tuple[float | None, int | None],
) -> _Made:
    from ..plan.document import release_document  # noqa: PLC0415 - heavy imports only when the command runs
    from ..plan.load import Assumed  # noqa: PLC0415
    from ..plan.places import Places  # noqa: PLC0415
    from ..plan.release_plan import Given, plan_release  # noqa: PLC0415
    from ..plan.words import release_words  # noqa: PLC0415
    from ..release.places import ReleasePlaces  # noqa: PLC0415
    from .release_files import read_release  # noqa: PLC0415

    read = read_release(file, estate_file)
    capacity, capacity_document = _capacity(capacity_file)
    present, unseen = _present(control)
    if read.estate is None:
        raise Refused([Diagnostic(code=NO_ESTATE, message=f"{estate_file} holds no estate")])
    given = Given(
        release=read.release,
        text=read.text,
        estate=read.estate,
        estate_text=_normal_text(read.estate),
        present=present,
        capacity=capacity,
        unseen=unseen,
        assumed=Assumed(requests_per_second=assumed[0], users=assumed[1]),
        places=Places(release=ReleasePlaces(read.document), estate=str(estate_file), capacity=capacity_document),
    )
    made = plan_release(given, datetime.now(UTC).replace(microsecond=0))
    files = _digests([file, estate_file, *([capacity_file] if capacity_file else [])])
    code = 0 if made.is_applicable else _REFUSED if made.is_refused_by_limit else _WRONG
    return _Made(release_document(made, files), list(release_words(made, terminal_width())), made.problems, code)


def _estate(file: Path, control: str | None) -> _Made:
    """The plan of an estate: control compares it with what is published, where control is there."""
    from ..client import ControlClient, estate_environment, find_control  # noqa: PLC0415
    from ..errors import ControlUnreachable  # noqa: PLC0415
    from ..plan.document import EstatePlan, estate_document  # noqa: PLC0415
    from ..plan.words import estate_words  # noqa: PLC0415
    from ..source.load import load_estate_file  # noqa: PLC0415
    from ..source.normal import estate_json  # noqa: PLC0415

    loaded = load_estate_file(file, environment=estate_environment())
    estate = loaded.estate_or_refused()
    base: str | None = None
    head: str | None = None
    changes: tuple[dict[str, str], ...] = ()
    unseen: tuple[str, ...] = ()
    try:
        with ControlClient(find_control(control)) as client:
            body = {"actor": "plan", "reason": "", "wait_seconds": 0.0, "dry_run": True}
            answer = client.publish({**body, "estate": estate_json(estate)})
            base, changes, head = answer["base"], tuple(answer["changes"]), client.present()["head"]
    except ControlUnreachable as error:
        unseen = (f"what is published: {error}",)
    made = EstatePlan(
        text=_normal_text(estate),
        made_at=datetime.now(UTC).replace(microsecond=0),
        base=base,
        ledger=head,
        changes=changes,
        unseen=unseen,
    )
    return _Made(estate_document(made, _digests([file])), list(estate_words(made)), loaded.diagnostics, 0)


def _present(control: str | None) -> "tuple[Present | None, tuple[str, ...]]":
    """What control knows, or what could not be seen without it."""
    from ..client import ControlClient, find_control  # noqa: PLC0415
    from ..errors import ControlUnreachable  # noqa: PLC0415
    from ..plan.present import Present  # noqa: PLC0415

    try:
        with ControlClient(find_control(control)) as client:
            return Present.from_json(client.present()), ()
    except ControlUnreachable as error:
        lost = "weights, running releases, traffic, users and the last attempt"
        return None, (f"{lost}: {error}",)


def _capacity(file: Path | None) -> "tuple[Capacity | None, Document | None]":
    """The verdict in the file, and what stands where in it."""
    from ..plan.capacity import UNREADABLE, read_capacity  # noqa: PLC0415

    if file is None:
        return None, None
    try:
        text = decoded(file.read_bytes(), str(file))
    except OSError as error:
        message = f"{file} cannot be read: {error.strerror or error}"
        raise Refused([Diagnostic(code=UNREADABLE, message=message)]) from error
    if isinstance(text, Diagnostic):
        raise Refused([text])
    return read_capacity(text, str(file)), read_yaml(text, file=str(file))[0]


def _normal_text(estate: Any) -> str:
    """The normalised estate as the ledger keeps it."""
    from ..source.normal import estate_json  # noqa: PLC0415

    return json.dumps(estate_json(estate), sort_keys=True, separators=(",", ":"), ensure_ascii=False)


def _digests(files: list[Path]) -> dict[str, str]:
    from ..ledger.chain import text_digest  # noqa: PLC0415

    return {str(file): text_digest(file.read_text(encoding="utf-8-sig")) for file in files}


def _write(path: Path, document: dict[str, Any]) -> None:
    from ..plan.document import render  # noqa: PLC0415

    try:
        path.write_text(render(document), encoding="utf-8")
    except OSError as error:
        message = f"{path} cannot be written: {error.strerror or error}"
        raise Refused([Diagnostic(code=UNWRITABLE, message=message)]) from error

"""`fig check`, `fig compile` and `fig schema`: what works from files alone."""

import gc
import json
import re
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from strangler_fig.diagnostics import Diagnostic, Refused, Severity, has_errors

from ..release.values import Release

if TYPE_CHECKING:  # pydantic and the HTTP client cost start-up time that --help should not pay
    from ..release.load import LoadedRelease
    from ..source.load import Loaded

_DIGEST = re.compile(r"[0-9a-f]{64}")
NOT_A_SNAPSHOT_FOLDER = "ES120"


@click.command()
@click.argument("files", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option("--estate", type=click.Path(path_type=Path), help="The estate whose routes release FILES name.")
@click.option("--json", "as_json", is_flag=True, help="Print the findings as a JSON list.")
def check(files: tuple[Path, ...], *, estate: Path | None, as_json: bool) -> None:
    """Say what is wrong with estate or release FILES, with file:line:column. Exit 2 with errors, 0 with warnings."""
    with _all_stays_alive():
        loaded = _load_each(files, estate)
        found = [finding for one in loaded for finding in one.diagnostics]
        if as_json:
            click.echo(json.dumps([finding.to_json() for finding in found], indent=2))
        else:
            _print(found)
            click.echo(_summary(files, loaded, found))
    if has_errors(found):
        raise SystemExit(2)


@click.command()
@click.argument("kind", type=click.Choice(["estate", "release"]), default="estate")
def schema(kind: str) -> None:
    """Print the JSON Schema (2020-12) of the estate file, or of the release file, for editors."""
    from ..release.schema import release_schema  # noqa: PLC0415 - pydantic is imported when it is needed
    from ..source.schema import estate_schema  # noqa: PLC0415

    click.echo(json.dumps(release_schema() if kind == "release" else estate_schema(), indent=2))


@click.command("compile")
@click.argument("estate", type=click.Path(path_type=Path))
@click.option(
    "-o", "--output", required=True, type=click.Path(path_type=Path, file_okay=False), help="Folder to write."
)
@click.option("--json", "as_json", is_flag=True, help="Print the digest and the files' folder as JSON.")
def compile_(estate: Path, output: Path, *, as_json: bool) -> None:
    """Write the Envoy configuration of ESTATE into a folder named by its digest, for review. All weights are 0."""
    from ..snapshot.compiler import compile_estate  # noqa: PLC0415 - only this command compiles
    from ..snapshot.directory import write  # noqa: PLC0415

    _refuse_foreign(output)
    with _all_stays_alive():
        (loaded,) = _load([estate])
        value = loaded.estate_or_refused()
        _print(loaded.diagnostics)
        snapshot = compile_estate(value, {})
        try:
            folder = write(snapshot, output)
        except OSError as error:
            raise Refused([_unwritable(output, error.strerror or str(error))]) from error
    if as_json:
        click.echo(json.dumps({"snapshot": snapshot.digest, "folder": str(folder)}))
    else:
        click.echo(snapshot.digest)


@contextmanager
def _all_stays_alive() -> Iterator[None]:
    """Spare a process that ends soon the search for garbage among a million objects, at its end too."""
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        gc.freeze()
        if was_on:
            gc.enable()


def _load(files: Sequence[Path]) -> list["Loaded"]:
    from ..source.load import load_estate_file  # noqa: PLC0415
    from .environment import estate_environment  # noqa: PLC0415

    environment = estate_environment()
    return [load_estate_file(file, environment=environment) for file in files]


def _load_each(files: Sequence[Path], estate: Path | None) -> "list[Loaded | LoadedRelease]":
    """Each file as what it is: an estate, or a release whose routes are those of `estate`."""
    from .release_files import load_releases, looks_like_release  # noqa: PLC0415

    releases = [file for file in files if looks_like_release(file) or (estate is not None and not file.is_file())]
    estates = [file for file in files if file not in releases]
    return [*_load(estates), *(load_releases(releases, estate, datetime.now(UTC)) if releases else ())]


def _print(found: Iterable[Diagnostic]) -> None:
    for finding in found:
        click.echo(str(finding), err=True)


def _summary(files: Sequence[Path], loaded: "Sequence[Loaded | LoadedRelease]", found: Sequence[Diagnostic]) -> str:
    errors = sum(finding.severity is Severity.ERROR for finding in found)
    problems = f"{_count(errors, 'error')}, {_count(len(found) - errors, 'warning')}"
    read = [one.content for one in loaded if one.content]
    if len(files) > 1 or not read:
        return f"{_count(len(files), 'file')}: {problems}"
    (one,) = read
    if isinstance(one, Release):
        return f"{files[0]}: release {one.name}, {_count(len(one.routes), 'route')}; {problems}"
    contents = (
        _count(len(one.routes), "route"),
        _count(len(one.legacy), "legacy service"),
        _count(len(one.candidates), "lambda"),
    )
    return f"{files[0]}: {', '.join(contents)}; {problems}"


def _count(number: int, noun: str) -> str:
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def _refuse_foreign(output: Path) -> None:
    """Refuse to write beside what is not ours: a folder is empty, or holds snapshots."""
    try:
        entries = list(output.iterdir()) if output.exists() else []
    except OSError as error:
        raise Refused([_unwritable(output, error.strerror or str(error))]) from error
    if entries and not any(_DIGEST.fullmatch(one.name) and (one / "manifest.json").is_file() for one in entries):
        message = f"{output} is not empty and holds no snapshot"
        hint = "name a new folder, or an empty one"
        raise Refused([Diagnostic(code=NOT_A_SNAPSHOT_FOLDER, message=message, hint=hint)])


def _unwritable(output: Path, reason: str) -> Diagnostic:
    return Diagnostic(code=NOT_A_SNAPSHOT_FOLDER, message=f"{output} cannot be written: {reason}")

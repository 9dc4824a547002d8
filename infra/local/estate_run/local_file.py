"""`local.yaml`: what stands beside an estate and matters on one machine only.

    version: 1
    ports:                       # environment names; fig up finds a free port for each that is not set
      - ENTRY_PORT
      - LEGACY_PORT
    commands:                    # the example's own processes, run in this file's folder
      legacy:
        run: [python, legacy.py] # python: the interpreter that runs fig
        ready: http://127.0.0.1:${LEGACY_PORT}/health
    lambda:                      # the local Lambda
      functions: lambda.yaml
      port: ${LAMBDA_PORT}

Text in, frozen values or diagnostics out; no process, no socket.
"""

import re
import shutil
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from strangler_fig.diagnostics import Diagnostic, has_errors, in_file_order
from strangler_fig.documents import Document, read_yaml
from strangler_fig.shapes import shape_diagnostics

RESERVED_NAMES = frozenset({"check", "control", "entry", "fig", "lambda", "node", "observe", "otlp", "publish"})
_VARIABLE_NAME = re.compile(r"[A-Z][A-Z0-9_]{0,63}")
_COMMAND_NAME = re.compile(r"[a-z][a-z0-9-]{0,30}")
_KNOWN_KEYS = {
    (): ("version", "ports", "commands", "lambda"),
    ("commands", "*"): ("run", "ready"),
    ("lambda",): ("functions", "port"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Command:
    """One of the example's own processes; `ready_url` answers 2xx once it can serve (None: ready once started)."""

    name: str
    argv: tuple[str, ...]
    ready_url: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class LocalLambda:
    """Where the functions are described, and the port of the local Lambda API."""

    functions: Path
    port: int


@dataclass(frozen=True, slots=True, kw_only=True)
class LocalFile:
    """What a `local.yaml` asks for. `folder` is the file's own; commands run there."""

    folder: Path
    commands: tuple[Command, ...] = ()
    local_lambda: LocalLambda | None = None


class _Command(BaseModel):
    model_config = ConfigDict(extra="forbid", coerce_numbers_to_str=True)
    run: Annotated[list[str], Field(min_length=1)]
    ready: str | None = None


class _Lambda(BaseModel):
    model_config = ConfigDict(extra="forbid")
    functions: str
    port: Annotated[int, Field(ge=1, le=65535)]


class _File(BaseModel):
    model_config = ConfigDict(extra="forbid")
    version: Literal[1]
    ports: list[str] = []
    commands: dict[str, _Command] = {}
    lambda_: Annotated[_Lambda | None, Field(alias="lambda")] = None


def port_names(text: str, *, file: str) -> tuple[tuple[str, ...], tuple[Diagnostic, ...]]:
    """The environment names under `ports`, and what is wrong with them (other faults are `parse`'s to report)."""
    document, _ = read_yaml(text, file=file)
    listed: Any = document.data.get("ports", []) if document and isinstance(document.data, dict) else []
    if document is None or not isinstance(listed, list):
        return (), ()
    found = []
    for index, name in enumerate(listed):
        if not isinstance(name, str) or not _VARIABLE_NAME.fullmatch(name):
            message = f"{name!r} is not an environment name"
            hint = "write capital letters, digits and _, as in LEGACY_PORT"
            found.append(Diagnostic(code="UP101", message=message, position=document.at("ports", index), hint=hint))
        elif name in listed[:index]:
            place = document.at("ports", index)
            found.append(Diagnostic(code="UP102", message=f"{name} is listed twice", position=place))
    return (() if found else tuple(listed)), tuple(found)


def parse(
    text: str, *, file: str, folder: Path, environment: Mapping[str, str]
) -> tuple[LocalFile | None, tuple[Diagnostic, ...]]:
    """What the file asks for, or None, with every fault found in it, in file order."""
    document, faults = read_yaml(text, file=file, environment=environment)
    if document is None:
        return None, faults
    try:
        shape = _File.model_validate(document.data)
    except ValidationError as error:
        wrong = shape_diagnostics(error.errors(), document, known_keys=_KNOWN_KEYS)
        return None, in_file_order((*faults, *wrong))
    found = in_file_order((*faults, *_command_faults(shape, document), *_lambda_faults(shape, document, folder)))
    if has_errors(found):
        return None, found
    commands = tuple(
        Command(name=name, argv=_argv(command.run), ready_url=command.ready) for name, command in shape.commands.items()
    )
    described = shape.lambda_
    local_lambda = LocalLambda(functions=folder / described.functions, port=described.port) if described else None
    return LocalFile(folder=folder, commands=commands, local_lambda=local_lambda), found


def _command_faults(shape: _File, document: Document) -> list[Diagnostic]:
    found = []
    for name, command in shape.commands.items():
        place = document.key_at("commands", name)
        if not _COMMAND_NAME.fullmatch(name):
            hint = "write small letters, digits and -, as in legacy"
            found.append(Diagnostic(code="UP103", message=f"{name!r} is not a name", position=place, hint=hint))
        if name in RESERVED_NAMES:
            message = f"{name} is one of fig's own processes"
            found.append(Diagnostic(code="UP104", message=message, position=place, hint="choose another name"))
        if command.run[0] != "python" and shutil.which(command.run[0]) is None:
            at = document.at("commands", name, "run", 0)
            hint = "install it, or write its path relative to the folder where fig runs"
            found.append(Diagnostic(code="UP105", message=f"no command {command.run[0]!r}", position=at, hint=hint))
        if command.ready is not None and not _is_http_url(command.ready):
            at = document.at("commands", name, "ready")
            hint = "write an address, as in http://127.0.0.1:${LEGACY_PORT}/health"
            found.append(
                Diagnostic(code="UP106", message=f"{command.ready!r} is not an http URL", position=at, hint=hint)
            )
    return found


def _lambda_faults(shape: _File, document: Document, folder: Path) -> list[Diagnostic]:
    if shape.lambda_ is None or (folder / shape.lambda_.functions).is_file():
        return []
    message = f"no file {shape.lambda_.functions} in this folder"
    return [Diagnostic(code="UP107", message=message, position=document.at("lambda", "functions"))]


def _is_http_url(text: str) -> bool:
    try:
        parts = urlsplit(text)
        return parts.scheme in {"http", "https"} and bool(parts.hostname) and parts.port != 0
    except ValueError:  # a port that is no number
        return False


def _argv(run: list[str]) -> tuple[str, ...]:
    # the same interpreter, so that an example needs no activated virtual environment
    return (sys.executable, *run[1:]) if run[0] == "python" else tuple(run)

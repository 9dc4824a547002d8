"""The functions of an estate (`estate.json` of `fig compile`) as `infra` needs them: ARNs and time limits."""

import hashlib
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pydantic

from strangler_fig.diagnostics import Diagnostic, Refused, in_file_order
from strangler_fig.documents import did_you_mean
from strangler_fig.units import UnitError, seconds

from .json_places import JsonFile, is_version, read_json_file, shaped

VERSION = "IN130"
ARN = "IN131"
TIMEOUT = "IN132"
CHANGED = "IN133"
DANGLING = "IN134"
ESTATE_VERSION = 1
_AGAIN = "compile the estate again: `fig compile ESTATE -o FOLDER`"
_DIGEST = re.compile(r"[0-9a-f]{64}")
_ARN = re.compile(
    r"arn:(?P<partition>aws[a-z-]*):lambda:(?P<region>[a-z0-9-]+):(?P<account>[0-9]{12}):function:"
    r"(?P<name>[A-Za-z0-9_-]{1,64})(?::(?P<qualifier>\$LATEST|[A-Za-z0-9_-]{1,128}))?"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class EstateFunction:
    """A Lambda function that the router invokes: `name` in the estate, and the parts of its ARN."""

    name: str
    partition: str
    region: str
    account: str
    function: str
    qualifier: str
    timeout_seconds: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Estate:
    """The functions by their names in the estate."""

    functions: Mapping[str, EstateFunction]


class _CandidateShape(pydantic.BaseModel):
    arn: str | None = None
    timeout: str


class _RouteShape(pydantic.BaseModel):
    candidate: str | None = pydantic.Field(alias="lambda", default=None)


class _EstateShape(pydantic.BaseModel):
    candidates: dict[str, _CandidateShape] = pydantic.Field(alias="lambda", default_factory=dict)
    routes: dict[str, _RouteShape] = {}


def estate_file(path: Path) -> Path:
    """The file that `--estate` names: itself, or in a folder of `fig compile` the one snapshot's. Raises `Refused`."""
    if not path.is_dir():
        return path
    found = [path / "estate.json"] if (path / "estate.json").is_file() else list(path.glob("*/estate.json"))
    if len(found) == 1:
        return found[0]
    message = f"{path} holds {len(found)} compiled estates"
    newest = sorted(found, key=lambda one: (one.stat().st_mtime_ns, str(one)), reverse=True)
    hint = "`fig compile ESTATE -o FOLDER` writes FOLDER/HASH/estate.json"
    if newest:
        hint = f"give the folder that `fig compile` named last; the newest is --estate {newest[0].parent}"
    raise Refused([Diagnostic(code=VERSION, message=message, hint=hint)])


def estate_in(source: JsonFile) -> Estate:
    """The Lambda functions of an estate; upstreams that are no functions are left out. Raises `Refused`."""
    data: Any = source.data
    if not isinstance(data, dict) or not is_version(data.get("version"), ESTATE_VERSION) or "routes" not in data:
        message = f"this is no compiled estate of version {ESTATE_VERSION}"
        hint = "`fig compile ESTATE -o FOLDER` writes FOLDER/HASH/estate.json"
        raise Refused([Diagnostic(code=VERSION, message=message, position=source.at("version"), hint=hint)])
    functions: dict[str, EstateFunction] = {}
    shape = shaped(source, _EstateShape)
    wrong = [*_changed(source), *_dangling(source, shape)]
    for name, one in shape.candidates.items():
        if one.arn is None:
            continue
        parts = _ARN.fullmatch(one.arn.replace("$$", "$"))
        if parts is None:
            message = f"{one.arn!r} is not the ARN of a Lambda function"
            wrong.append(Diagnostic(code=ARN, message=message, position=source.at("lambda", name, "arn")))
            continue
        try:
            timeout = seconds(one.timeout)
        except UnitError as error:
            wrong.append(Diagnostic(code=TIMEOUT, message=str(error), position=source.at("lambda", name, "timeout")))
            continue
        functions[name] = EstateFunction(
            name=name,
            partition=parts["partition"],
            region=parts["region"],
            account=parts["account"],
            function=parts["name"],
            qualifier=parts["qualifier"] or "",
            timeout_seconds=timeout,
        )
    if wrong:
        raise Refused(in_file_order(wrong))
    return Estate(functions=functions)


def _changed(source: JsonFile) -> Iterator[Diagnostic]:
    """That an estate is not what its manifest beside it names, or the manifest not what its folder is named after."""
    manifest = Path(source.file).parent / "manifest.json"
    if not manifest.is_file():
        return
    listed = read_json_file(manifest)
    files = listed.data.get("files") if isinstance(listed.data, dict) else None
    named = files.get(Path(source.file).name) if isinstance(files, dict) else None
    folder = manifest.resolve().parent.name
    if named != hashlib.sha256(source.text.encode()).hexdigest():
        message = "its digest is not the one in manifest.json: the file was changed by hand, or damaged"
        yield Diagnostic(code=CHANGED, message=message, position=source.at(), hint=_AGAIN)
    elif _DIGEST.fullmatch(folder) and folder != hashlib.sha256(listed.text.encode()).hexdigest():
        message = "its digest is not the folder's name: the file was changed by hand, or damaged"
        yield Diagnostic(code=CHANGED, message=message, position=listed.at(), hint=_AGAIN)


def _dangling(source: JsonFile, shape: _EstateShape) -> Iterator[Diagnostic]:
    """Routes to functions that the estate does not have, which no program of ours writes."""
    for name, route in shape.routes.items():
        if route.candidate is not None and route.candidate not in shape.candidates:
            message = f"the route {name} goes to the function {route.candidate!r}, which the estate does not have"
            hint = did_you_mean(route.candidate, shape.candidates) if shape.candidates else _AGAIN
            yield Diagnostic(code=DANGLING, message=message, position=source.at("routes", name, "lambda"), hint=hint)

"""The functions of an estate (`estate.json` of `fig compile`) as `infra` needs them: ARNs and time limits."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pydantic

from strangler_fig.diagnostics import Diagnostic, Refused, in_file_order
from strangler_fig.units import UnitError, seconds

from .json_places import JsonFile, is_version, shaped

VERSION = "IN130"
ARN = "IN131"
TIMEOUT = "IN132"
ESTATE_VERSION = 1
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


class _EstateShape(pydantic.BaseModel):
    candidates: dict[str, _CandidateShape] = pydantic.Field(alias="lambda", default_factory=dict)


def estate_file(path: Path) -> Path:
    """The file that `--estate` names: itself, or in a folder of `fig compile` the one snapshot's. Raises `Refused`."""
    if not path.is_dir():
        return path
    found = [path / "estate.json"] if (path / "estate.json").is_file() else sorted(path.glob("*/estate.json"))
    if len(found) == 1:
        return found[0]
    message = f"{path} holds {len(found)} compiled estates"
    hint = "name one: " + (", ".join(str(one) for one in found[:3]) or "`fig compile ESTATE -o FOLDER` writes it")
    raise Refused([Diagnostic(code=VERSION, message=message, hint=hint)])


def estate_in(source: JsonFile) -> Estate:
    """The Lambda functions of an estate; upstreams that are no functions are left out. Raises `Refused`."""
    data: Any = source.data
    if not isinstance(data, dict) or not is_version(data.get("version"), ESTATE_VERSION) or "routes" not in data:
        message = f"this is no compiled estate of version {ESTATE_VERSION}"
        hint = "`fig compile ESTATE -o FOLDER` writes FOLDER/estate.json"
        raise Refused([Diagnostic(code=VERSION, message=message, position=source.at("version"), hint=hint)])
    functions: dict[str, EstateFunction] = {}
    wrong: list[Diagnostic] = []
    for name, one in shaped(source, _EstateShape).candidates.items():
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

"""The planner's verdicts as `infra` needs them: what each function may reserve, and which limit binds."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Annotated

import pydantic
from pydantic import Field

from strangler_fig.diagnostics import Diagnostic, Refused, in_file_order

from .json_places import JsonFile, is_version, shaped, version_words

VERSION = "IN120"
CONTRADICTION = "IN121"
CAPACITY_VERSION = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Binding:
    """The limit that binds: its code, the hop it belongs to, its value, and where that is from."""

    code: str
    hop: str
    value: float | None
    as_of: str
    source: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PathLimit:
    """A limit that the planner judged the way by: its place (`subject`), and what it comes to there, in `unit`."""

    code: str
    hop: str
    subject: str
    value: float
    unit: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What one function may have; `reserved` is None where nothing on its way asks for a cap."""

    function: str
    max_concurrency: int
    max_rps: float
    reserved: int | None
    binding: Binding


@dataclass(frozen=True, slots=True, kw_only=True)
class Capacity:
    """All verdicts, the limit that binds the whole way, those that the demand exceeds (`code subject`), and all."""

    digest: str
    as_of: str
    verdicts: Mapping[str, Verdict]
    binding: Binding
    exceeded: tuple[str, ...]
    limits: tuple[PathLimit, ...]


class _BindingShape(pydantic.BaseModel):
    code: str
    hop: str
    value: float | None
    as_of: str
    source: str


class _VerdictShape(pydantic.BaseModel):
    max_concurrency: Annotated[int, Field(ge=0)]
    max_rps: Annotated[float, Field(ge=0)]
    reserved_concurrency: Annotated[int, Field(ge=0)] | None
    binding_limit: _BindingShape


class _ExceededShape(pydantic.BaseModel):
    code: str
    subject: str | None


class _PathLimitShape(pydantic.BaseModel):
    code: str
    hop: str
    subject: str
    value: Annotated[float, Field(ge=0)]
    unit: str


class _PathShape(pydantic.BaseModel):
    exceeded: list[_ExceededShape]
    binding_limit: _BindingShape
    limits: list[_PathLimitShape]


class _CapacityShape(pydantic.BaseModel):
    digest: str
    as_of: str
    functions: dict[str, _VerdictShape]
    path: _PathShape


def capacity_in(source: JsonFile) -> Capacity:
    """The verdicts that a capacity file holds. Raises `Refused` with every finding."""
    version = source.data.get("version") if isinstance(source.data, dict) else None
    if not is_version(version, CAPACITY_VERSION):
        message = f"this is no capacity file of version {CAPACITY_VERSION}: its version is {version_words(version)}"
        hint = "`fig cidr verdict` writes it"
        raise Refused([Diagnostic(code=VERSION, message=message, position=source.at("version"), hint=hint)])
    shape = shaped(source, _CapacityShape)
    wrong = list(_contradictions(source, shape))
    if wrong:
        raise Refused(in_file_order(wrong))
    return Capacity(
        digest=shape.digest,
        as_of=shape.as_of,
        verdicts={
            name: Verdict(
                function=name,
                max_concurrency=one.max_concurrency,
                max_rps=one.max_rps,
                reserved=one.reserved_concurrency,
                binding=Binding(**one.binding_limit.model_dump()),
            )
            for name, one in shape.functions.items()
        },
        binding=Binding(**shape.path.binding_limit.model_dump()),
        exceeded=tuple(" ".join(filter(None, (one.code, one.subject))) for one in shape.path.exceeded),
        limits=tuple(PathLimit(**one.model_dump()) for one in shape.path.limits),
    )


def _contradictions(source: JsonFile, shape: _CapacityShape) -> Iterator[Diagnostic]:
    """What no verdict says: more reserved than a function may have at once, or than the account has.

    The file's digest is that of the planner's inputs, so it stays where figures are changed by hand; these do not.
    """
    hint = "the file was changed by hand, or damaged: `fig cidr verdict` writes it"
    for name, one in shape.functions.items():
        if one.reserved_concurrency is not None and one.reserved_concurrency > one.max_concurrency:
            message = f"{name} reserves {one.reserved_concurrency}, and may have {one.max_concurrency} at once"
            position = source.at("functions", name, "reserved_concurrency")
            yield Diagnostic(code=CONTRADICTION, message=message, position=position, hint=hint)
    reserved = sum(one.reserved_concurrency or 0 for one in shape.functions.values())
    account = min((one.value for one in shape.path.limits if one.code == "account-concurrency"), default=reserved)
    if reserved > account:
        message = f"all functions together reserve {reserved}, and the account has {account:g}"
        yield Diagnostic(code=CONTRADICTION, message=message, position=source.at("functions"), hint=hint)

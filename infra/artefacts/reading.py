"""All inputs read and held against one another; every fault of every file is reported at once."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from strangler_fig.diagnostics import Diagnostic, Refused, has_errors, in_file_order

from .agreement import disagreements, unplanned, warnings_of
from .capacity import Capacity, capacity_in
from .estate import Estate, estate_file, estate_in
from .json_places import JsonFile, read_json_file
from .plan import Plan, plan_in
from .settings import Settings, read_settings
from .settings_faults import settings_faults

_Value = TypeVar("_Value")


@dataclass(frozen=True, slots=True, kw_only=True)
class Inputs:
    """What the topology is made from; the files agree. `warnings` are findings that do not stop it."""

    plan: Plan
    capacity: Capacity
    estate: Estate
    settings: Settings
    warnings: tuple[Diagnostic, ...]


def read_plan(plan: Path, capacity: Path) -> tuple[Plan, Capacity]:
    """The plan and the verdicts alone, for a check that needs no estate. Raises `Refused` with all findings."""
    found: list[Diagnostic] = []
    read = _take(found, lambda: plan_in(read_json_file(plan)))
    verdicts = _take(found, lambda: capacity_in(read_json_file(capacity)))
    if read is None or verdicts is None:
        raise Refused(in_file_order(found))
    return read, verdicts


def read_inputs(plan: Path, capacity: Path, estate: Path, settings: Path | None = None) -> Inputs:
    """The inputs. Raises `Refused` with the findings of all files."""
    found: list[Diagnostic] = []
    files = (
        _take(found, lambda: read_json_file(plan)),
        _take(found, lambda: read_json_file(capacity)),
        _take(found, lambda: read_json_file(estate_file(estate))),
    )
    planned = _from(found, files[0], plan_in)
    verdicts = _from(found, files[1], capacity_in)
    existing = _from(found, files[2], estate_in)
    chosen = _take(found, lambda: read_settings(settings))
    if planned and chosen and files[0]:
        found += disagreements(planned, files[0], chosen.shape)
    if planned and verdicts and existing and files[1] and files[2]:
        found += unplanned(planned, verdicts, existing, files[2])
        found += warnings_of(verdicts, files[1])
    if planned and verdicts and existing and chosen:
        found += settings_faults(chosen, planned, verdicts, existing)
    if not (planned and verdicts and existing and chosen) or has_errors(found):
        raise Refused(in_file_order(found))
    return Inputs(plan=planned, capacity=verdicts, estate=existing, settings=chosen, warnings=in_file_order(found))


def _from(found: list[Diagnostic], file: JsonFile | None, parse: Callable[[JsonFile], _Value]) -> _Value | None:
    return None if file is None else _take(found, lambda: parse(file))


def _take(found: list[Diagnostic], read: Callable[[], _Value]) -> _Value | None:
    """What `read` gives; what it refuses joins `found`."""
    try:
        return read()
    except Refused as refused:
        found += refused.diagnostics
        return None

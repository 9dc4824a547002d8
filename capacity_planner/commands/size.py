"""`fig cidr size`: one workload, on one screen. Imports nothing heavy: it answers from a cold start."""

import json
import textwrap
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Generic, TypeVar

import click

from strangler_fig.units import format_seconds

from .. import size_lines
from ..arithmetic import count, number
from ..demand import quantity
from ..demand.fault import Fault
from ..interfaces import Model
from ..limits.catalogue import load
from ..limits.values import Limits
from ..sizing import Answer, Size, Sized, Workload
from ..sizing import size as size_of

Value = TypeVar("Value")
_MOST = 10_000_000
_WIDTH = 110


class _Text(click.ParamType[Value], Generic[Value]):
    """An option that one of the demand file's parsers reads."""

    def __init__(self, name: str, parse: Callable[[str], Value]) -> None:
        self.name = name
        self._parse = parse

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Value:
        """Give what the text stands for."""
        try:
            return self._parse(str(value))
        except Fault as fault:
            self.fail(f"{fault.message}; {fault.hint}", param, ctx)


_DURATION = _Text("duration", quantity.duration_up_to(quantity.LAMBDA_LIMIT_SECONDS))
_RATE = _Text("number", quantity.requests_per_second)


@click.command()
@click.option("--rps", type=_RATE, help="Requests per second at peak.")
@click.option("--duration", type=_DURATION, help="Of one invocation at the median, as in 500ms.")
@click.option("--duration-p99", type=_DURATION, help="At the 99th percentile: the tail.")
@click.option("--timeout", type=_DURATION, help="The function's timeout: the tail, without --duration-p99.")
@click.option("--concurrency", type=click.IntRange(1, _MOST), help="Instead of --rps and --duration.")
@click.option("--memory", required=True, type=_Text("memory", quantity.memory_mb), help="In MB, as in 1536.")
@click.option("--azs", type=click.IntRange(1, 6), default=3, show_default=True, help="Availability Zones.")
@click.option(
    "--connections",
    type=click.IntRange(0, 1024),
    default=1,
    show_default=True,
    help="That one environment holds at once.",
)
@click.option("--sets", type=click.IntRange(1, 1000), default=1, show_default=True, help="Of security groups.")
@click.option(
    "--model",
    type=click.Choice([one.value for one in Model]),
    default=Model.HYPERPLANE.value,
    show_default=True,
    help="Which ENIs need the addresses.",
)
@click.option("--limits", "limits_file", type=click.Path(path_type=Path), help="A file with the account's own limits.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON, for scripts.")
def size(**options: Any) -> None:
    """Say what one workload needs: concurrency, interfaces, addresses, subnet and VPC, with the arithmetic."""
    asked = _Asked(**options)
    limits = load(asked.limits_file)
    answer = size_of(asked.workload(), limits, Model(asked.model))
    if asked.as_json:
        click.echo(json.dumps(to_json(answer), indent=2))
    else:
        click.echo(render(answer, limits))


@dataclass(frozen=True, kw_only=True)
class _Asked:
    """The options, as they were given."""

    rps: float | None
    duration: float | None
    duration_p99: float | None
    timeout: float | None
    concurrency: int | None
    memory: int
    azs: int
    connections: int
    sets: int
    model: str
    limits_file: Path | None
    as_json: bool

    def workload(self) -> Workload:
        """The workload that they describe. Raises `click.UsageError`."""
        has_rate = self.rps is not None and self.duration is not None
        if has_rate == (self.concurrency is not None) or (self.rps is None) != (self.duration is None):
            message = "give --rps and --duration, or --concurrency alone"
            raise click.UsageError(message)
        tail = self.timeout if self.duration_p99 is None else self.duration_p99
        if tail is not None and self.duration is None:
            message = "--duration-p99 and --timeout need --rps and --duration"
            raise click.UsageError(message)
        rising = [one for one in (self.duration, self.duration_p99, self.timeout) if one is not None]
        if rising != sorted(rising):
            message = "--duration, --duration-p99 and --timeout must rise in this order"
            raise click.UsageError(message)
        return Workload(
            memory_mb=self.memory,
            azs=self.azs,
            rate=self.rps,
            concurrency=self.concurrency,
            duration=self.duration,
            tail=tail,
            connections=self.connections,
            sets=self.sets,
        )


def to_json(answer: Answer) -> dict[str, Any]:
    """The answer as JSON values: at the median with all zones, with one lost under `az_loss`, slow under `tail`."""
    tail = answer.tail
    return {
        **_sized_json(answer.median),
        "tail": None if tail is None else {"duration_seconds": tail.duration, **_sized_json(tail)},
    }


def _sized_json(sized: Sized) -> dict[str, Any]:
    return {
        "concurrency": sized.environments,
        "ramp_seconds": sized.ramp_seconds,
        **_size_json(sized.all_azs),
        "az_loss": None if sized.one_lost is None else _size_json(sized.one_lost),
    }


def _size_json(size: Size) -> dict[str, Any]:
    return {
        "enis": {"hyperplane": size.hyperplane_enis, "legacy_2019": size.legacy_enis},
        "addresses_per_subnet": size.addresses_per_subnet,
        "subnet_prefix": size.subnet_prefix,
        "vpc_prefix": size.vpc_prefix,
    }


def render(answer: Answer, limits: Limits) -> str:
    """The answer on one screen: the workload, the arithmetic, what to build, and what it rests on."""
    found = size_lines.sections(answer, limits)
    widest = max(len(line.expression) for section in found for line in section.lines)
    shown = [_heading(answer)]
    for section in found:
        shown.append(section.title)
        shown += [f"  {line.label:<21}{line.expression:<{widest}} = {line.result}" for line in section.lines]
    return "\n".join([*shown, _build(answer, limits), *_footing(limits)])


def _heading(answer: Answer) -> str:
    one = answer.workload
    asked = f"concurrency {number(one.concurrency)}" if one.concurrency else f"{number(one.rate or 0)} requests/s"
    parts = (
        f"{asked}, {number(one.memory_mb)} MB",
        count(one.azs, "Availability Zone"),
        count(one.sets, "set") + " of security groups",
        count(one.connections, "connection") + " per environment",
    )
    return f"{', '.join(parts)}; addresses by model {answer.model.value}"


def _build(answer: Answer, limits: Limits) -> str:
    sized = answer.tail or answer.median
    size, when = sized.largest, "p50" if answer.tail is None else format_seconds(sized.duration or 0)
    survives = f"one zone lost at {when}" if sized.one_lost else f"{when}, in one zone only"
    quota = limits["lambda_account_concurrency"]
    raised = f"; raise the account's concurrency of {number(quota.value)}" if sized.environments > quota.value else ""
    if size.subnet_prefix is None:
        return f"build: more than one VPC, for {survives}{raised}"
    vpc = f"/{size.vpc_prefix}" if size.vpc_prefix else f"of {size.vpc_blocks} blocks /16"
    return f"build: subnets /{size.subnet_prefix}, VPC {vpc}, for {survives}{raised}"


def _footing(limits: Limits) -> list[str]:
    used = ", ".join(f"{one.key} {number(one.value)} ({one.as_of})" for one in size_lines.used_limits(limits))
    assumed = ", ".join(f"{one.key} {number(one.value)}" for one in size_lines.assumptions(limits))
    return [
        *textwrap.wrap(f"limits: {used}; sources: fig cidr limits", _WIDTH, subsequent_indent="  "),
        f"assumed: {assumed}; Hyperplane's ENIs are a lower bound, as AWS prints no formula",
    ]

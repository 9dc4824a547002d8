"""The arithmetic of a size, line by line, as an engineer would write it on a board."""

from collections.abc import Iterator
from dataclasses import dataclass

from strangler_fig.units import format_seconds

from .arithmetic import Line, count, number
from .concurrency import SCALING_SECONDS
from .interfaces import MB_PER_GB, Model, connections_per_eni
from .limits.values import Limit, Limits
from .sizing import Answer, Size, Sized, Workload, connections_per_eni_set, usable

USED = (
    "lambda_requests_per_environment",
    "lambda_scaling_environments",
    "eni_connections",
    "legacy_eni_gb",
    "subnet_reserved_addresses",
)
ASSUMED = ("turnover_headroom", "eni_fill")


@dataclass(frozen=True, slots=True)
class Section:
    """Lines under a title."""

    title: str
    lines: tuple[Line, ...]


def sections(answer: Answer, limits: Limits) -> tuple[Section, ...]:
    """The arithmetic of an answer: for each duration its concurrency, its size with all zones, and with one lost."""
    return tuple(
        section
        for title, sized in (("p50", answer.median), ("tail", answer.tail))
        if sized is not None
        for section in _sections(title, sized, answer, limits)
    )


def _sections(title: str, sized: Sized, answer: Answer, limits: Limits) -> Iterator[Section]:
    workload = answer.workload
    when = title if sized.duration is None else f"{title}, {format_seconds(sized.duration)}"
    yield Section(when, tuple(_concurrency(sized, workload, limits)))
    azs = f"{workload.azs} zone{'' if workload.azs == 1 else 's'}"
    yield Section(f"{when}, {azs}", tuple(_size(sized, sized.all_azs, answer, limits)))
    if sized.one_lost is not None:
        lost = tuple(_size(sized, sized.one_lost, answer, limits))
        yield Section(f"{when}, one of {azs} lost", lost)


def _concurrency(sized: Sized, workload: Workload, limits: Limits) -> Iterator[Line]:
    needed = sized.concurrency
    if workload.rate is not None and sized.duration is not None:
        rate = f"{number(workload.rate)}/s"
        per_environment = number(limits["lambda_requests_per_environment"].value)
        yield Line("Little's law", f"{rate} x {number(sized.duration)} s", number(needed.by_duration))
        yield Line("request quota", f"{rate} / {per_environment}/s", number(needed.by_requests))
        both = f"max({number(needed.by_duration)}, {number(needed.by_requests)})"
        yield Line("concurrency", both, number(sized.environments))
    else:
        yield Line("concurrency", "given", number(sized.environments))
    per_interval = number(limits["lambda_scaling_environments"].value)
    ramp = f"ceil({number(sized.environments)} / {per_interval}) x {SCALING_SECONDS} s"
    yield Line("ramp from cold", ramp, f"{sized.ramp_seconds} s")
    gb, per_eni = number(workload.memory_mb / MB_PER_GB), number(limits["legacy_eni_gb"].value)
    formula = f"ceil({number(sized.environments)} x {gb} GB / {per_eni} GB)"
    yield Line("ENIs legacy-2019", formula, number(sized.all_azs.legacy_enis))


def _size(sized: Sized, size: Size, answer: Answer, limits: Limits) -> Iterator[Line]:
    workload = answer.workload
    held = number(connections_per_eni_set(workload, sized.environments, size.azs))
    per_set = f"max(1, ceil({held} / {number(connections_per_eni(limits))}))"
    parts = f"{count(size.azs, 'subnet')} x {count(workload.sets, 'set')} x {per_set}"
    yield Line("ENIs hyperplane", parts, f"{number(size.hyperplane_enis)} at least")
    yield Line("addresses per subnet", _addresses(size, answer.model, limits), number(size.addresses_per_subnet))
    yield _subnet(size, limits)
    if size.subnet_prefix is not None:
        yield _vpc(size, workload)


def _addresses(size: Size, model: Model, limits: Limits) -> str:
    if model is Model.LEGACY_2019:
        return f"ceil({number(size.legacy_enis)} / {size.azs})"
    per_subnet = count(size.hyperplane_enis // size.azs, "ENI")
    return f"ceil({per_subnet} x (1 + {number(limits['turnover_headroom'].value)} turnover))"


def _subnet(size: Size, limits: Limits) -> Line:
    reserved = limits["subnet_reserved_addresses"].whole
    need = f"{number(size.addresses_per_subnet)} + {reserved} reserved"
    if size.subnet_prefix is None:
        shortest = limits["subnet_prefix_shortest"].whole
        return Line("smallest subnet", f"{need} > {number(1 << (32 - shortest))}", f"none: /{shortest} is the largest")
    holds = usable(size.subnet_prefix, limits)
    return Line("smallest subnet", f"{need} <= {number(holds + reserved)}", f"/{size.subnet_prefix}")


def _vpc(size: Size, workload: Workload) -> Line:
    subnets = f"{workload.azs} x /{size.subnet_prefix}"
    if size.vpc_prefix is None:
        return Line("smallest VPC", subnets, f"{size.vpc_blocks} blocks of /16")
    return Line("smallest VPC", subnets, f"/{size.vpc_prefix}")


def used_limits(limits: Limits) -> tuple[Limit, ...]:
    """The limits that the arithmetic rests on."""
    return tuple(limits[key] for key in USED)


def assumptions(limits: Limits) -> tuple[Limit, ...]:
    """What no source states and the arithmetic assumes."""
    return tuple(limits[key] for key in ASSUMED)

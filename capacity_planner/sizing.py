"""From one workload to addresses: how large each subnet and the VPC must be, at the median and when all is slow.

The arithmetic itself is part of the answer: `lines` of `label = expression = result`. Several functions are sized
together by `spoke`.
"""

from dataclasses import dataclass

from .arithmetic import up
from .concurrency import Concurrency, concurrency, ramp_seconds
from .interfaces import (
    Model,
    addresses_for,
    hyperplane_enis,
    legacy_enis,
    live,
)
from .limits.values import Limits

IPV4_BITS = 32


@dataclass(frozen=True, slots=True, kw_only=True)
class Workload:
    """What one function, or several of one trust zone, put on the network.

    `rate` requests per second, None where only `concurrency` is known. `duration` in seconds at the median; `tail` at
    the 99th percentile or the timeout, None where nobody said. `sets` of security groups that it is spread over.
    """

    memory_mb: int
    azs: int = 3
    rate: float | None = None
    concurrency: int | None = None
    duration: float | None = None
    tail: float | None = None
    connections: int = 1
    sets: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Size:
    """What a number of environments needs over so many Availability Zones.

    Both counts of ENIs are totals over these zones; Hyperplane's is a lower bound. `addresses_per_subnet` follow the
    model that was asked for. `subnet_prefix` None: more than one subnet can hold. `vpc_prefix` None: more than one
    block; `vpc_blocks` says how many of the largest.
    """

    azs: int
    hyperplane_enis: int
    legacy_enis: int
    addresses_per_subnet: int
    subnet_prefix: int | None
    vpc_prefix: int | None
    vpc_blocks: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Sized:
    """A workload at one duration: its environments, and its size with all zones and with one lost.

    `one_lost` None: there is one zone only, and nothing is left without it.
    """

    duration: float | None
    concurrency: Concurrency
    ramp_seconds: int
    all_azs: Size
    one_lost: Size | None

    @property
    def environments(self) -> int:
        """The concurrency."""
        return self.concurrency.environments

    @property
    def largest(self) -> Size:
        """What must be built to survive the loss of a zone."""
        return self.one_lost or self.all_azs


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What a workload needs at the median, and at its tail where one is known."""

    workload: Workload
    model: Model
    median: Sized
    tail: Sized | None


def size(workload: Workload, limits: Limits, model: Model = Model.HYPERPLANE) -> Answer:
    """What a workload needs. Raises `ValueError` where neither rate and duration nor concurrency is given."""
    tail = None if workload.rate is None or workload.tail is None else _sized(workload, workload.tail, limits, model)
    return Answer(workload=workload, model=model, median=_sized(workload, workload.duration, limits, model), tail=tail)


def _sized(workload: Workload, duration: float | None, limits: Limits, model: Model) -> Sized:
    needed = _environments(workload, duration, limits)
    environments = needed.environments
    return Sized(
        duration=duration,
        concurrency=needed,
        ramp_seconds=ramp_seconds(environments, limits),
        all_azs=_size(workload, environments, 0, limits, model),
        one_lost=_size(workload, environments, 1, limits, model) if workload.azs > 1 else None,
    )


def _environments(workload: Workload, duration: float | None, limits: Limits) -> Concurrency:
    if workload.rate is not None and duration is not None:
        return concurrency(workload.rate, duration, limits)
    if workload.concurrency is None:
        message = "a workload needs its rate and duration, or its concurrency"
        raise ValueError(message)
    return Concurrency(by_duration=workload.concurrency, by_requests=0)


def _size(workload: Workload, environments: int, lost: int, limits: Limits, model: Model) -> Size:
    azs = live(workload.azs, lost)
    per_subnet = workload.sets * hyperplane_enis(connections_per_eni_set(workload, environments, azs), limits)
    legacy = legacy_enis(environments, workload.memory_mb, limits)
    addresses = addresses_for(per_subnet, limits) if model is Model.HYPERPLANE else up(legacy / azs)
    subnet = subnet_prefix(addresses, limits)
    blocks = 1 if subnet is None else _blocks(workload.azs, subnet, limits)
    return Size(
        azs=azs,
        hyperplane_enis=per_subnet * azs,
        legacy_enis=legacy,
        addresses_per_subnet=addresses,
        subnet_prefix=subnet,
        vpc_prefix=None if subnet is None or blocks > 1 else vpc_prefix(workload.azs, subnet),
        vpc_blocks=blocks,
    )


def connections_per_eni_set(workload: Workload, environments: int, azs: int) -> float:
    """The connections that one set of security groups holds in one subnet."""
    return environments * workload.connections / (workload.sets * azs)


def usable(prefix: int, limits: Limits) -> int:
    """The addresses that a subnet of that prefix has for use: all but the reserved ones."""
    return (1 << (IPV4_BITS - prefix)) - limits["subnet_reserved_addresses"].whole


def subnet_prefix(addresses: int, limits: Limits) -> int | None:
    """The longest prefix whose subnet has so many usable addresses; None when no subnet is large enough."""
    shortest, longest = limits["subnet_prefix_shortest"].whole, limits["subnet_prefix_longest"].whole
    return next((prefix for prefix in range(longest, shortest - 1, -1) if usable(prefix, limits) >= addresses), None)


def vpc_prefix(subnets: int, prefix: int) -> int:
    """The longest prefix of a block that holds so many subnets of one size."""
    return prefix - (subnets - 1).bit_length()


def _blocks(subnets: int, prefix: int, limits: Limits) -> int:
    """How many blocks of the largest size a VPC needs for so many subnets."""
    each = 1 << (prefix - limits["subnet_prefix_shortest"].whole)
    return up(subnets / each)

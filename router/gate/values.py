"""A gate: the limits that a step must keep, and how sure one must be.

Two numbers per limit. `limit` must be kept, and *shown* to be, before a step passes. `tolerated` must be exceeded, and
*shown* to be, before it rolls back: a proven harm is one before it reaches the limit. Until one is shown the gate says
`inconclusive`. Whoever writes one number means both.

Where few users are on Lambda a limit is eased: what a step may pass with is harm to all users together, and a hundredth
of them can do little of it. Else a first step of 1 % would be held for hours for want of proof that nobody needs yet.
What is tolerated is never eased, so harm that shows itself rolls back at any weight.
"""

import enum
from dataclasses import dataclass
from math import sqrt
from typing import Final

from ..weight import Weight
from .evidence import BUCKETS

_ALPHA_MOST: Final = 0.2
_WHOLE: Final = 1_600
"""From this weight on (parts per 10,000) limits are not eased."""
_EASED_MOST: Final = 4.0


class Metric(enum.Enum):
    """What of a side is compared; the value is its name in files and JSON."""

    __hash__ = object.__hash__  # members are singletons; Enum's own hash is Python code, and a look does hundreds

    SERVER_ERRORS = "server_errors"
    """Requests that Lambda (or legacy) failed: 5xx, and every fallback, whatever legacy then answered."""
    FALLBACKS = "fallbacks"
    THROTTLES = "throttles"
    TIMEOUTS = "timeouts"
    UNAUTHORIZED = "unauthorized"
    """401 and 403: more is a broken login, fewer may be a door that stands open."""
    NOT_FOUND = "not_found"
    """404 and 410."""
    TOO_MANY_REQUESTS = "too_many_requests"
    """429."""
    OTHER_CLIENT_ERRORS = "other_client_errors"
    """The other 4xx: answers such as 400, 405, 409, 413, 422."""
    REDIRECTS = "redirects"
    """3xx without 304, which says nothing but that the client's copy is good."""
    RESPONSE_SIZE = "response_size"
    """Bytes per answer."""
    LATENCY_P50 = "latency_p50"
    LATENCY_P95 = "latency_p95"
    LATENCY_P99 = "latency_p99"
    COLD_P95 = "cold_p95"
    """The 95th percentile of requests that started an environment; absolute, legacy has none."""
    PARITY = "parity"
    """Compared answers that differ; absolute. Only where the route compares: `Gate.needs_parity`."""


QUANTILES: Final = {
    Metric.LATENCY_P50: 0.5,
    Metric.LATENCY_P95: 0.95,
    Metric.LATENCY_P99: 0.99,
    Metric.COLD_P95: 0.95,
}
_ABSOLUTE_ONLY: Final = frozenset({Metric.COLD_P95, Metric.PARITY})


class Relation(enum.Enum):
    """What a limit is measured against."""

    LEGACY = "legacy"
    """Relative: legacy in the same window, or the baseline that stands for it."""
    ABSOLUTE = "absolute"


class Harm(enum.Enum):
    """Which change is bad."""

    MORE = "more"
    ANY = "any"
    """Also less: fewer redirects or refusals are another behaviour. Only for relative shares and sizes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Limit:
    """How far one metric may go: a step passes when shown to be within `limit`, fails when shown beyond `tolerated`.

    Units. Relative shares: how many of all requests more than on legacy, as a fraction (0.005 is half a point).
    Relative latency and size: a ratio to legacy, above 1 (1.5 is half as much again). Absolute shares: a fraction;
    absolute latency: milliseconds; absolute size: bytes. Raises `ValueError` when a number cannot be a limit.
    """

    metric: Metric
    limit: float
    tolerated: float
    relation: Relation = Relation.LEGACY
    harm: Harm = Harm.MORE

    def __post_init__(self) -> None:
        ratio = self.relation is Relation.LEGACY and not self.is_share
        least = 1.0 if ratio else 0.0
        if not least <= self.tolerated <= self.limit or self.limit <= least:
            message = f"{self.metric.value}: {least:g} <= tolerated <= limit, and limit > {least:g}, not {self}"
            raise ValueError(message)
        if self.is_share and self.limit >= 1:
            message = f"{self.metric.value}: a share is a fraction below 1, not {self.limit:g}"
            raise ValueError(message)
        if self.relation is Relation.LEGACY and self.metric in _ABSOLUTE_ONLY:
            message = f"{self.metric.value}: legacy has nothing to compare with, the limit is absolute"
            raise ValueError(message)
        if self.harm is Harm.ANY and (self.relation is Relation.ABSOLUTE or self.metric in QUANTILES):
            message = f"{self.metric.value}: an absolute limit, and one on latency, is one on more"
            raise ValueError(message)

    def eased(self, times: float) -> float:
        """The limit that must be kept where limits are eased so many times: ratios by how far they are from 1.

        Milliseconds and bytes are promises to each user, and stay.
        """
        if self.is_share:
            return self.limit * times
        return 1 + (self.limit - 1) * times if self.relation is Relation.LEGACY else self.limit

    @property
    def is_share(self) -> bool:
        """Whether the metric is a share of requests (or of compared answers)."""
        return self.metric not in QUANTILES and self.metric is not Metric.RESPONSE_SIZE


def easing(weight: Weight) -> float:
    """How many times a limit is eased at that weight: 4 at 1 %, 2 at 4 %, 1 from 16 % on.

    With the root of the weight: the harm to all users together that a step may pass with still grows with each step.
    """
    return min(_EASED_MOST, max(1.0, sqrt(_WHOLE / weight.parts))) if weight.parts else _EASED_MOST


def _share(metric: Metric, limit: float, tolerated: float, harm: Harm = Harm.MORE) -> Limit:
    return Limit(metric=metric, limit=limit, tolerated=tolerated, harm=harm)


def _most(metric: Metric, limit: float, tolerated: float) -> Limit:
    return Limit(metric=metric, limit=limit, tolerated=tolerated, relation=Relation.ABSOLUTE)


DEFAULT_LIMITS: Final = (
    _share(Metric.SERVER_ERRORS, 0.005, 0.0002),
    _most(Metric.FALLBACKS, 0.01, 0.001),
    _most(Metric.THROTTLES, 0.01, 0.001),
    _share(Metric.TIMEOUTS, 0.005, 0.0005),
    _share(Metric.UNAUTHORIZED, 0.02, 0.005, Harm.ANY),
    _share(Metric.NOT_FOUND, 0.02, 0.005),
    _share(Metric.TOO_MANY_REQUESTS, 0.01, 0.002),
    _share(Metric.OTHER_CLIENT_ERRORS, 0.02, 0.005),
    _share(Metric.REDIRECTS, 0.02, 0.005, Harm.ANY),
    Limit(metric=Metric.RESPONSE_SIZE, limit=2.0, tolerated=1.5, harm=Harm.ANY),
    Limit(metric=Metric.LATENCY_P50, limit=1.5, tolerated=1.2),
    Limit(metric=Metric.LATENCY_P95, limit=1.5, tolerated=1.2),
    Limit(metric=Metric.LATENCY_P99, limit=1.5, tolerated=1.2),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Gate:
    """The limits of a route's ramp, and how sure a verdict is.

    `alpha` is the chance that a ramp whose sides are equal is rolled back, over all its steps, limits and looks; and
    that a step is rolled back for one limit that is just tolerated.
    `beta` is the chance that a step passes one limit that it in truth breaks. `minimum_requests` and `minimum_users`
    (buckets of users seen, at most 64) are asked of each side that is judged. `stale_after_seconds` is the age at which
    evidence counts as missing. A `dry_run` gate is judged the same; who acts on verdicts looks at it. `pin` refuses
    `$LATEST` and a function whose version moves. Raises `ValueError` for what can never decide.
    """

    limits: tuple[Limit, ...] = DEFAULT_LIMITS
    minimum_requests: int = 100
    minimum_users: int = 8
    warm_up_seconds: float = 30.0
    stale_after_seconds: float = 15.0
    alpha: float = 0.01
    beta: float = 0.05
    dry_run: bool = False
    pin: bool = False

    def __post_init__(self) -> None:
        keys = [(limit.metric, limit.relation) for limit in self.limits]
        if not keys or len(set(keys)) < len(keys):
            message = "a gate has limits, each metric once relative and once absolute at most"
            raise ValueError(message)
        if not 0 < self.alpha <= _ALPHA_MOST or not 0 < self.beta <= _ALPHA_MOST:
            message = f"alpha and beta are above 0 and at most {_ALPHA_MOST}, not {self.alpha:g} and {self.beta:g}"
            raise ValueError(message)
        if not 1 <= self.minimum_users <= BUCKETS or self.minimum_requests < 1:
            message = f"at least one request, and 1 to {BUCKETS} buckets of users: {self}"
            raise ValueError(message)
        if self.warm_up_seconds < 0 or self.stale_after_seconds <= 0:
            message = f"times are not below zero: {self}"
            raise ValueError(message)

    @property
    def needs_parity(self) -> bool:
        """Whether a limit asks for parity: a route that compares nothing cannot have this gate."""
        return any(limit.metric is Metric.PARITY for limit in self.limits)

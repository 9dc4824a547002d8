"""The breaker: an obvious disaster, seen in the counters of the last seconds.

It asks for no warm-up and no minimum, because it asks for so much else: the failing *buckets of users* in the last
seconds must be beyond anything that legacy's rate explains, at a chance that a look every second for weeks does not
use up; and the share that fails must be a disaster, not a nuisance.

A bucket fails once, however often its users ask again; by chance it does so at most as often as its requests, each at
the rate that is allowed, would make it. Buckets fail independently of each other, for users are drawn. So the chance of
as many failing buckets is Chernoff's bound for coins of these chances: when everybody fails, eight users are enough at
a limit of 5 %. What is no chance is what both sides depend on and lose together: legacy's share in the same seconds is
allowed as well, and where hardly anybody is left on legacy to show it, the looser bound of Poisson's law is asked for.
"""

from collections import Counter
from collections.abc import Sequence
from math import ceil, exp, log, log1p, sqrt
from operator import add
from typing import Final, NamedTuple

from .evidence import BUCKETS, RouteEvidence, SideEvidence
from .moments import NO_SHARE, Moments
from .values import Limit, Metric
from .verdict import Code, Reason

SURPRISE: Final = log(4e9)
"""One look in four billions may be wrong; three weeks have 1.8 million seconds, a look has up to eight spans."""
_DISASTER: Final = 0.03
"""Failing requests above legacy's share, below which there is time for the limits to decide."""
_CAREFUL: Final = 4.0
"""Standard deviations that legacy's share is taken to be higher than it looks."""
_LEAST_EXPECTED: Final = 1e-6
_FAILED: Final = 500
FEWEST: Final = 6
"""Failing buckets below which nothing is a disaster, for so few may be one client's; and legacy's to compare with."""
_ALARMING: Final = log(1_000)
"""One look in a thousand shows so much by chance: people are told, and nothing is done yet."""
_SEVERAL: Final = 2
_HALVINGS: Final = 40
_STEEPEST: Final = 60.0


class Failures(NamedTuple):
    """A side's requests, how many failed, for how many buckets of users; and how many buckets sent how many."""

    requests: int
    failed: int
    buckets: int
    sent: Sequence[int]


def disasters(limits: tuple[Limit, ...], legacy: Moments, recent: tuple[RouteEvidence, ...]) -> tuple["Span", ...]:
    """The spans in which Lambda fails disastrously, if it is not chance; `legacy` tells what fails when all is well."""
    allowed = _allowed(limits, legacy)
    return tuple(span for last in recent if (span := _disastrous(last, allowed)) is not None)


def broken(spans: tuple["Span", ...]) -> Reason | None:
    """Why Lambda must be left at once, or None."""
    for span in spans:
        failing = span.failing
        if failing.buckets >= FEWEST and span.surprise(failing.sent, failing.buckets) >= SURPRISE:
            words = (
                f"{failing.failed} of {failing.requests} requests in the last seconds failed on Lambda, for users of "
                f"{failing.buckets} buckets; at most {span.allowed:.2%} would be usual"
            )
            return Reason(code=Code.BREAKER, words=words)
    return None


def alarming(spans: tuple["Span", ...]) -> str | None:
    """What fails in the last seconds and is not enough for the breaker yet, with what would be; None where all is well.

    No fewer users may be enough: five who all fail where 5 % are allowed are one look in three millions, and a gate
    looks a million times in three weeks.
    """
    found = [(span.surprise(span.failing.sent, span.failing.buckets), span) for span in spans]
    surprising, span = max(found, key=lambda one: one[0], default=(0.0, None))
    if span is None or surprising < _ALARMING:
        return None
    failing, enough = span.failing, span.enough()
    acts = f"the breaker acts at {enough} users' buckets" if enough else "the breaker sees too few users to act"
    return (
        f"{failing.failed} of the last {failing.requests} requests on Lambda failed, "
        f"for users of {failing.buckets} buckets; {acts}"
    )


class Span(NamedTuple):
    """Seconds in which Lambda fails disastrously, if it is not chance; and the share that is allowed."""

    failing: Failures
    allowed: float
    is_compared: bool

    def surprise(self, sent: Sequence[int], failing: int) -> float:
        """How surprising so many failing buckets are, of those that sent these requests."""
        return (surprise if self.is_compared else _scattered)(sent, failing, self.allowed)

    def enough(self) -> int | None:
        """How many failing buckets would be enough, if the next ones fail as often as these, at a request each."""
        sent, failing = list(self.failing.sent), self.failing.buckets
        others = (len(sent) - sent.count(0)) / failing
        for buckets in range(max(failing, FEWEST), BUCKETS + 1):
            more = ceil((buckets - failing) * others)
            if self.surprise([*sent, *[1] * more], buckets) >= SURPRISE:
                return buckets
        return None


def _allowed(limits: tuple[Limit, ...], legacy: Moments) -> tuple[float, float]:
    """The share that legacy is taken to fail when nothing is wrong, and what is tolerated above it."""
    tolerated = max((one.tolerated for one in limits if one.metric is Metric.SERVER_ERRORS), default=0.0)
    failed = legacy.shares.get(Metric.SERVER_ERRORS, NO_SHARE).total
    return (failed + _CAREFUL * sqrt(failed + 1)) / legacy.requests if legacy.requests else 0.0, tolerated


def surprise(sent: Sequence[int], failing: int, rate: float) -> float:
    """Minus the logarithm of the chance that so many buckets fail, which sent these requests; at most (Chernoff).

    A bucket fails at a chance of its requests times `rate` at most. That is certain for those that sent many: they tell
    nothing, and are taken for failing ones.
    """
    chances = [(rate * requests, number) for requests, number in Counter(sent).items() if rate * requests < 1]
    coins = sum(number for _, number in chances)
    left = failing - (len(sent) - coins)
    if left <= sum(chance * number for chance, number in chances):
        return 0.0
    if left >= coins:
        return -sum(number * log(chance) for chance, number in chances)
    low, high = 0.0, _STEEPEST
    for _ in range(_HALVINGS):
        middle = (low + high) / 2
        times = exp(middle)
        if sum(number * chance * times / (1 + chance * (times - 1)) for chance, number in chances) < left:
            low = middle
        else:
            high = middle
    return low * left - sum(number * log1p(chance * (exp(low) - 1)) for chance, number in chances)


def _disastrous(last: RouteEvidence, allowed: tuple[float, float]) -> Span | None:
    """The span where more than one bucket fails, at a share that is a disaster."""
    failing = failures(last.lambda_)
    if failing.buckets < _SEVERAL or failing.failed < _DISASTER * failing.requests:  # counters are read one by one
        return None
    usual, tolerated = allowed
    legacy = failures(last.legacy)
    share = legacy.failed / legacy.requests if legacy.requests else 0.0
    most = max(usual, share, _LEAST_EXPECTED) + tolerated
    if failing.failed / failing.requests < most + _DISASTER:
        return None
    return Span(failing, most, len(legacy.sent) >= FEWEST)


def _scattered(sent: Sequence[int], failing: int, rate: float) -> float:
    """The same by Poisson's law, which any number of buckets obeys."""
    expected = rate * sum(sent)
    return failing * log(failing / expected) - failing + expected if failing > expected else 0.0


def failures(side: SideEvidence) -> Failures:
    """What failed of a side, whoever answered in the end."""
    columns = side.columns
    sent, failed = columns.requests, columns.fallbacks
    for status, column in columns.by_status.items():
        if status >= _FAILED:
            failed = list(map(add, failed, column))
    if not any(failed):
        return Failures(sum(sent), 0, 0, sent)
    return Failures(sum(sent), sum(map(min, failed, sent)), len(failed) - failed.count(0), sent)

"""The breaker: an obvious disaster, seen in the counters of the last seconds.

It asks for no warm-up and no minimum, because it asks for so much else: the failing *buckets of users* in the last
seconds must be beyond anything that legacy's rate explains, at a chance that a look every second for weeks does not
use up; and the share that fails must be a disaster, not a nuisance.
"""

from math import log, sqrt
from typing import Final

from .evidence import RouteEvidence, SideEvidence
from .moments import NO_SHARE, Moments
from .values import Limit, Metric
from .verdict import Code, Reason

_SURPRISE: Final = log(1e9)
"""One look in a billion may be wrong; three weeks have 1.8 million seconds."""
_DISASTER: Final = 0.03
"""Failing requests above legacy's share, below which there is time for the limits to decide."""
_CAREFUL: Final = 4.0
"""Standard deviations that legacy's share is taken to be higher than it looks."""
_LEAST_EXPECTED: Final = 1e-6
_FAILED: Final = 500


def broken(limits: tuple[Limit, ...], legacy: Moments, recent: tuple[RouteEvidence, ...]) -> Reason | None:
    """Why Lambda must be left at once, or None. `legacy` tells how often it fails when nothing is wrong."""
    tolerated = max((one.tolerated for one in limits if one.metric is Metric.SERVER_ERRORS), default=0.0)
    failed = legacy.shares.get(Metric.SERVER_ERRORS, NO_SHARE).total
    usual = (failed + _CAREFUL * sqrt(failed + 1)) / legacy.requests if legacy.requests else 0.0
    for last in recent:
        reason = _broken(last, usual, tolerated)
        if reason:
            return reason
    return None


def _broken(last: RouteEvidence, usual: float, tolerated: float) -> Reason | None:
    requests, failed, buckets = _failures(last.lambda_)
    if not requests or failed < _DISASTER * requests:  # one counter may have been read just before the other
        return None
    legacy_requests, legacy_failed, _ = _failures(last.legacy)
    allowed = max(usual, legacy_failed / legacy_requests if legacy_requests else 0.0) + tolerated
    expected = max(allowed * requests, _LEAST_EXPECTED)
    if failed / requests < allowed + _DISASTER or buckets <= expected:
        return None
    if buckets * log(buckets / expected) - buckets + expected < _SURPRISE:
        return None
    words = (
        f"{failed} of {requests} requests in the last seconds failed on Lambda, for users of {buckets} buckets; "
        f"at most {allowed:.2%} would be usual"
    )
    return Reason(code=Code.BREAKER, words=words)


def _failures(side: SideEvidence) -> tuple[int, int, int]:
    """The side's requests, how many failed, and for how many buckets of users."""
    requests = failed = buckets = 0
    for counts in side.buckets.values():
        requests += counts.requests
        here, by_status = counts.fallbacks, counts.by_status
        if by_status and max(by_status) >= _FAILED:
            here += sum([count for status, count in by_status.items() if status >= _FAILED])
        if here:
            failed += min(here, counts.requests)
            buckets += 1
    return requests, failed, buckets

"""The judge: one look at a step.

What is decided first weighs most. A disaster needs no other proof, not even that every node has reported. Then: is the
evidence there, whose is it, has it begun, is a limit broken? Only after that come the reasons to mistrust evidence, so
that none of them ever stops a rollback; and only when nothing at all speaks against it, a pass.
"""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from math import ceil
from typing import Final, NamedTuple

from . import quantiles, shares, sizes
from .bounds import Asked, Compared, Never, Unknown
from .breaker import alarming, broken, disasters
from .evidence import Parity, RouteEvidence, SideEvidence
from .moments import Moments, Share, moments
from .quantiles import Latencies
from .sentences import cold_starts, duration, limits_kept, name, words
from .sums import NOTHING
from .trust import split_fault, version_fault
from .values import QUANTILES, Gate, Limit, Metric, Relation, easing
from .verdict import Baseline, Code, Finding, Findings, Needed, Outcome, Reason, Verdict
from .window import Window

_NEAR_ALL: Final = 9_500
"""From this weight on legacy's own users may be too few, and its last baseline may stand for it."""
_WEIGHTS: Final = {Metric.SERVER_ERRORS: 10.0, Metric.LATENCY_P99: 3.0, Metric.FALLBACKS: 2.0}
"""Shares of the error budget: what hurts most gets most; others have 1."""
_HOPELESS: Final = 10_000.0
_FORESEEING_REQUESTS: Final = 30
"""Fewer say neither how much traffic there is (a fifth more or less by chance) nor how users differ."""
_FORESEEING_SECONDS: Final = 5.0
_PARITY_EFFECT: Final = 4.0
"""Compared answers are not kept by bucket; answers of a user are taken to be as alike as this design effect."""


def judge(gate: Gate, window: Window) -> Verdict:
    """What the evidence says about the step, at this look."""
    evidence = window.evidence
    known = evidence or max(window.recent, key=lambda one: one.legacy.requests, default=NOTHING)
    legacy = moments(known.legacy.columns)
    spans = disasters(gate.limits, legacy, window.recent)
    disaster = broken(spans)
    if disaster:
        return Verdict(outcome=Outcome.FAIL, reasons=(disaster,), baseline=Baseline.SAME_WINDOW)
    verdict = _judged(gate, window, evidence, legacy)
    alarm = alarming(spans)
    return replace(verdict, diagnostics=(alarm, *verdict.diagnostics)) if alarm else verdict


def _judged(gate: Gate, window: Window, evidence: RouteEvidence | None, legacy: Moments) -> Verdict:
    """The same where nothing is a disaster."""
    if evidence is None:
        return _error(Reason(code=Code.NO_EVIDENCE, words="a node that serves the route has reported nothing"))
    if window.age_seconds > gate.stale_after_seconds:
        return _error(Reason(code=Code.STALE, words=f"the newest evidence is {duration(window.age_seconds)} old"))
    version = version_fault(gate, window, evidence.lambda_)
    if version:
        outcome = Outcome.ERROR if version.code is Code.PIN else Outcome.INCONCLUSIVE
        return Verdict(outcome=outcome, reasons=(version,), baseline=Baseline.NONE, restart=True)
    if window.elapsed_seconds < gate.warm_up_seconds:
        rest = gate.warm_up_seconds - window.elapsed_seconds
        rest_words = f"warming up for another {duration(rest)}"
        needed = Needed(requests=None, seconds=rest, words=rest_words)
        return _hold((Reason(code=Code.WARM_UP, words=rest_words),), Baseline.NONE, (), needed)
    return _Look(gate, window, evidence, legacy).verdict()


def spending(gate: Gate, steps: int) -> dict[tuple[Metric, Relation], float]:
    """The part of the gate's error budget that each limit has in one of `steps` steps; looks cost nothing."""
    total = _total(gate, steps)
    return {(one.metric, one.relation): gate.alpha * _WEIGHTS.get(one.metric, 1.0) / total for one in gate.limits}


def _total(gate: Gate, steps: int) -> float:
    return sum([_WEIGHTS.get(one.metric, 1.0) for one in gate.limits]) * steps


class _Look:
    """One look at evidence that is there, fresh, warm and of one version."""

    __slots__ = (
        "_baseline",
        "_cold",
        "_gate",
        "_lambda",
        "_latencies",
        "_legacy",
        "_side",
        "_split",
        "_total",
        "_window",
    )

    def __init__(self, gate: Gate, window: Window, evidence: RouteEvidence, own: Moments) -> None:
        self._gate, self._window = gate, window
        self._total = _total(gate, window.steps)
        self._side, self._split = evidence.lambda_, evidence
        self._lambda = moments(evidence.lambda_.columns)
        legacy, self._legacy, self._baseline = self._stand_in(evidence.legacy, own)
        self._latencies = (Latencies(evidence.lambda_.latency), Latencies(legacy.latency))
        self._cold = Latencies(self._side.cold_latency) if self._side.cold_latency else None

    def verdict(self) -> Verdict:
        decided, cold = self._decided(), self._cold
        if cold is None or not cold.requests:
            return decided
        return replace(decided, diagnostics=(cold_starts(cold, self._latencies[0]),))

    def _decided(self) -> Verdict:
        times = easing(self._window.weight)
        judged = [
            _Judged(limit, found := self._compare(limit, limit.eased(times)), found.outcome())
            for limit in self._gate.limits
        ]
        findings = Findings(lambda: tuple(map(_finding, judged)))
        few = tuple(self._few())
        if not any(reason.code in {Code.FEW_REQUESTS, Code.FEW_USERS} for reason in few):
            breaches = tuple(
                Reason(code=Code.LIMIT, words=words(_finding(one))) for one in judged if one.outcome is Outcome.FAIL
            )
            if breaches:
                return Verdict(outcome=Outcome.FAIL, reasons=breaches, baseline=self._baseline, findings=findings)
        fault = self._fault()
        if fault:
            return _error(fault, self._baseline, findings)
        undecided = [one.limit.metric for one in judged if one.outcome is not Outcome.PASS]
        if undecided:
            few += (Reason(code=Code.UNDECIDED, words=f"not decided yet: {', '.join(map(name, undecided))}"),)
        if few:
            return _hold(few, self._baseline, findings, self._needed(judged))
        kept = Reason(code=Code.KEPT, words=f"{limits_kept(len(judged))}, against {self._baseline.value}")
        return Verdict(outcome=Outcome.PASS, reasons=(kept,), baseline=self._baseline, findings=findings)

    def _stand_in(self, side: SideEvidence, own: Moments) -> tuple[SideEvidence, Moments, Baseline]:
        """What stands for legacy: its own users in this window, or its last baseline near 100 %."""
        enough = own.requests >= self._gate.minimum_requests and own.seen >= self._gate.minimum_users
        last = self._window.baseline
        if self._window.weight.parts >= _NEAR_ALL and not enough and last is not None:
            return last, moments(last.columns), Baseline.LAST
        if not own.requests:
            return side, own, Baseline.NONE
        return side, own, Baseline.HOLDBACK if self._window.holdback else Baseline.SAME_WINDOW

    def _compare(self, limit: Limit, kept: float) -> Compared:
        relative = limit.relation is Relation.LEGACY
        spent = self._gate.alpha * _WEIGHTS.get(limit.metric, 1.0) / self._total
        asked = Asked(kept, spent, self._gate.alpha if relative else spent, self._gate.beta)
        if limit.metric in QUANTILES:
            return self._quantile(limit, asked, relative=relative)
        if limit.metric is Metric.PARITY:
            return self._parity(limit, asked)
        if not self._lambda.requests or (relative and not self._legacy.requests):
            return Unknown(limit, asked, (0.0, self._lambda.requests, 0.0, self._legacy.requests))
        size = limit.metric is Metric.RESPONSE_SIZE
        if relative:
            compare = sizes.relative if size else shares.relative
            return compare(limit, self._lambda, self._legacy, asked)
        return (sizes.absolute if size else shares.absolute)(limit, self._lambda, asked)

    def _quantile(self, limit: Limit, asked: Asked, *, relative: bool) -> Compared:
        mine, theirs = self._latencies
        if limit.metric is Metric.COLD_P95:
            if self._cold is None or not self._cold.requests:
                return Never(limit, asked)
            mine = self._cold
        if not mine.requests or (relative and not theirs.requests):
            return Unknown(limit, asked, (0.0, mine.requests, 0.0, theirs.requests))
        return quantiles.compare(limit, mine, theirs if relative else None, asked)

    def _parity(self, limit: Limit, asked: Asked) -> Compared:
        parity = _parity(self._split)
        if parity is None or not parity.compared:
            return Unknown(limit, asked, (0.0, 0, 0.0, 0))
        effective = max(1, round(parity.compared / _PARITY_EFFECT))
        differ = parity.different / parity.compared * effective
        share = {Metric.PARITY: Share(differ, [differ])}
        flat = Moments(effective, effective, [effective], share, freedom=effective * effective)
        found = shares.absolute(limit, flat, asked)
        found.counted = (parity.different, parity.compared, 0.0, 0)
        return found

    def _few(self) -> Iterator[Reason]:
        """What is too little to be judged, side by side."""
        sides = [("Lambda", self._lambda)]
        if any(limit.relation is Relation.LEGACY for limit in self._gate.limits):
            if self._baseline is Baseline.NONE and self._window.weight.parts >= _NEAR_ALL:
                yield Reason(code=Code.NO_BASELINE, words="no holdback and no last baseline: nothing to compare with")
            sides.append(("legacy", self._legacy))
        for side, seen in sides:
            if seen.requests < self._gate.minimum_requests:
                few = f"{seen.requests} requests on {side}, at least {self._gate.minimum_requests} are asked for"
                yield Reason(code=Code.FEW_REQUESTS, words=few)
            if seen.seen < self._gate.minimum_users:
                few = f"users of {seen.seen} buckets on {side}, at least {self._gate.minimum_users} are asked for"
                yield Reason(code=Code.FEW_USERS, words=few)

    def _fault(self) -> Reason | None:
        if self._gate.needs_parity and _parity(self._split) is None:
            return Reason(code=Code.NO_PARITY, words="the gate limits parity, and nothing compares answers here")
        return split_fault(self._window, self._split)

    def _needed(self, judged: list["_Judged"]) -> Needed:
        """How much longer it takes, by the limit that takes longest."""
        seen, counted = self._lambda.requests, self._counted_seconds()
        if not seen:
            return _unforeseen("no requests reach Lambda: no verdict can be foretold")
        if seen < min(_FORESEEING_REQUESTS, self._gate.minimum_requests) or counted < _FORESEEING_SECONDS:
            few = f"{seen} request{'s' if seen > 1 else ''} on Lambda in {duration(counted)}"
            return _unforeseen(f"too early to say how long a verdict takes: {few} so far")
        growths = [
            (one.limit.metric, one.found.growth or _HOPELESS) for one in judged if one.outcome is Outcome.INCONCLUSIVE
        ]
        known = [growth for _, growth in growths if growth < _HOPELESS]
        requests = max(ceil(seen * (max(known, default=1.0) - 1)), self._gate.minimum_requests - seen, 1)
        seconds = requests * counted / seen
        about = f"about {requests:,} more requests on Lambda, {duration(seconds)} at the present traffic"
        unknown = [metric for metric, growth in growths if growth >= _HOPELESS]
        if unknown:
            why = "the difference lies on the limit, or nothing is known of it yet"
            rest = f"; for the others {about}" if known else ""
            return _unforeseen(f"no estimate for {', '.join(map(name, unknown))}: {why}{rest}")
        return Needed(requests=requests, seconds=seconds, words=about)

    def _counted_seconds(self) -> float:
        counted = self._window.counted_seconds
        return max(0.0, self._window.elapsed_seconds - self._gate.warm_up_seconds) if counted is None else counted


class _Judged(NamedTuple):
    """A limit, what is known of it at the step's weight, and what that says."""

    limit: Limit
    found: Compared
    outcome: Outcome


def _parity(evidence: RouteEvidence) -> Parity | None:
    """What was compared of both sides' users: whoever did not serve a request was shadowed."""
    both = [one for one in (evidence.legacy.parity, evidence.lambda_.parity) if one is not None]
    if not both:
        return None
    return Parity(compared=sum(one.compared for one in both), different=sum(one.different for one in both))


def _finding(judged: _Judged) -> Finding:
    limit, found, outcome = judged
    return Finding(
        limit.metric,
        limit.relation,
        outcome,
        found.estimate,
        found.lower,
        found.upper,
        found.asked.limit,
        limit.tolerated,
        *found.counted,
    )


def _unforeseen(why: str) -> Needed:
    return Needed(requests=None, seconds=None, words=why)


def _error(reason: Reason, baseline: Baseline = Baseline.NONE, findings: Sequence[Finding] = ()) -> Verdict:
    return Verdict(outcome=Outcome.ERROR, reasons=(reason,), baseline=baseline, findings=findings)


def _hold(reasons: tuple[Reason, ...], baseline: Baseline, findings: Sequence[Finding], needed: Needed) -> Verdict:
    return Verdict(outcome=Outcome.INCONCLUSIVE, reasons=reasons, baseline=baseline, findings=findings, needed=needed)

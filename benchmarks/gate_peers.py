"""Other tools' gates with the defaults of their documentation, over the same counts. Needs numpy.

- Flagger: each minute the success rate (answers that are not 5xx) of the last minute must be at least 99 % and its p99 at
  most 500 ms; the fifth failed check rolls back; failed checks are not forgotten when the weight grows. Source: Flagger,
  "Metrics analysis" and "How it works" (fluxcd.io, read November 2026).
- Argo Rollouts: each five minutes the success rate of the last five must be at least 95 %; the third measurement that
  is not aborts. Source: Argo Rollouts, "Analysis and progressive delivery", background analysis (read November 2026).
- Kayenta (Netflix's judge): each half hour, the shortest interval that Spinnaker recommends, over all minutes of the step
  so far; per metric a Mann-Whitney confidence interval (98 %) of the shift between the minutes' values on Lambda and on
  legacy, after outliers beyond three interquartile ranges are gone; a metric is high when the interval lies above a
  quarter of the estimated shift; below a score of 75 (of 100, the share of metrics that pass) the canary fails. Metrics:
  error rate and p99, more is worse. Source: Spinnaker, "How canary judgment works"; Kayenta's documentation.

A tool that finds no request in a window skips it, which is kinder than some of them are.
"""

from collections.abc import Iterator
from typing import Any

import numpy as np

from benchmarks.gate_traffic import BOUNDS, MINUTES, STEPS, Ramp

FLAGGER = "Flagger: 99 %, 500 ms, 1m, 5 checks"
ARGO = "Argo Rollouts: 95 %, 5m, 3 failures"
KAYENTA = "Kayenta: Mann-Whitney, 98 %, 30m"
_EDGES = np.array((*BOUNDS, BOUNDS[-1] * 1.2))
_Z98 = 2.3263
_FEWEST = 3


def caught(ramp: Ramp) -> dict[str, float]:
    """The minute after which each tool rolls the ramp back; infinite when it never does."""
    return {FLAGGER: _flagger(ramp), ARGO: _argo(ramp), KAYENTA: _kayenta(ramp)}


def _flagger(ramp: Ramp) -> float:
    failed = (_failure_rates(ramp.statuses)[:, 1] > 0.01) | (_p99(ramp.latency)[:, 1] > 500)
    checks = np.flatnonzero(failed)
    return float(checks[4] + 1) if len(checks) >= 5 else np.inf


def _argo(ramp: Ramp) -> float:
    windows = ramp.statuses[: MINUTES // 5 * 5].reshape(-1, 5, *ramp.statuses.shape[1:]).sum(1)
    checks = np.flatnonzero(_failure_rates(windows)[:, 1] > 0.05)
    return float((checks[2] + 1) * 5) if len(checks) >= 3 else np.inf


def _kayenta(ramp: Ramp) -> float:
    values = (_failure_rates(ramp.statuses), _p99(ramp.latency))
    for start, end in _intervals():
        high = sum(_high(value[start:end, 1], value[start:end, 0]) for value in values)
        if 100 * (1 - high / len(values)) < 75:
            return float(end)
    return np.inf


def _intervals() -> Iterator[tuple[int, int]]:
    start = 0
    for _, minutes in STEPS:
        yield from ((start, start + end) for end in range(30, minutes + 1, 30))
        start += minutes


def _failure_rates(statuses: Any) -> Any:
    """By window and side; not a number where there are no requests."""
    totals = statuses.sum((2, 3))
    return np.where(totals > 0, statuses[:, :, 1].sum(2) / np.maximum(totals, 1), np.nan)


def _p99(latency: Any) -> Any:
    """By window and side, milliseconds: linear inside the histogram's bucket, as Prometheus does it."""
    counts = latency.sum(2)
    sums = counts.cumsum(2)
    totals = sums[:, :, -1]
    wanted = 0.99 * totals
    place = (sums < wanted[:, :, None]).sum(2).clip(0, len(_EDGES) - 1)
    here = np.take_along_axis(counts, place[:, :, None], 2)[:, :, 0]
    before = np.take_along_axis(sums, place[:, :, None], 2)[:, :, 0] - here
    low = np.where(place > 0, _EDGES[place - 1], 0.0)
    found = low + (_EDGES[place] - low) * (wanted - before) / np.maximum(here, 1)
    return np.where(totals > 0, found, np.nan)


def _high(canary: Any, baseline: Any) -> bool:
    canary, baseline = _tidy(canary), _tidy(baseline)
    if len(canary) < _FEWEST or len(baseline) < _FEWEST:
        return False
    differences = np.sort((canary[:, None] - baseline[None, :]).ravel())
    number = len(canary) * len(baseline)
    width = _Z98 * np.sqrt(number * (len(canary) + len(baseline) + 1) / 12)
    low = differences[max(0, int(number / 2 - width))]
    return bool(low > 0.25 * abs(np.median(differences)))


def _tidy(values: Any) -> Any:
    values = values[~np.isnan(values)]
    if not len(values):
        return values
    first, third = np.percentile(values, (25, 75))
    reach = 3 * (third - first)
    return values[(values >= first - reach) & (values <= third + reach)]

"""Other tools' gates with the defaults of their documentation, and loosened, over the same counts. Needs numpy.

- Flagger: each minute the success rate (answers that are not 5xx) of the last minute must be at least 99 % and its p99
  at most 500 ms; the fifth failed check rolls back; failed checks are not forgotten when the weight grows. Source:
  Flagger, "Metrics analysis" and "How it works" (fluxcd.io, read November 2026).
- Argo Rollouts: each five minutes the success rate of the last five must be at least 95 %; the third measurement that
  is not aborts. Source: Argo Rollouts, "Analysis & Progressive Delivery", background analysis (read November 2026).
- Kayenta (Netflix's judge): each half hour, the shortest interval that Spinnaker recommends, over all minutes of the
  step so far; per metric a Mann-Whitney confidence interval (98 %) of the shift between the minutes' values on Lambda
  and on legacy, after outliers beyond three interquartile ranges are gone; a metric is high when the interval lies
  above a quarter of the estimated shift; below a score of 75 (of 100, the share of metrics that pass) the canary fails.
  Metrics: error rate and p99, more is worse. Source: Spinnaker, "How canary judgment works"; Kayenta's documentation.

A tool that finds no request in a window skips it, which is kinder than some of them are. The first setting of each is
its default; the others ask for more failed checks, or for a wider interval, and so roll back less.
"""

from collections.abc import Iterator
from typing import Any

import numpy as np

from benchmarks.gate_crowd import MINUTES, STEPS
from benchmarks.gate_traffic import BOUNDS, Ramp

FLAGGER = "Flagger (99 %, 500 ms, each minute)"
ARGO = "Argo Rollouts (95 %, each 5 minutes)"
KAYENTA = "Kayenta (Mann-Whitney, each 30 minutes)"
SETTINGS: dict[str, tuple[tuple[str, float], ...]] = {
    FLAGGER: tuple((f"{checks} failed checks", checks) for checks in (5, 10, 20, 40, 60, 90, 120, 160, 200, 250, 300)),
    ARGO: (("3 failures", 3),),
    KAYENTA: tuple(
        (f"interval of {deviations} deviations", deviations)
        for deviations in (2.33, 2.7, 3.1, 3.5, 4.0, 4.5, 5.0, 5.5, 6.0, 7.0)
    ),
}
_EDGES = np.array((*BOUNDS, BOUNDS[-1] * 1.2))
_FEWEST = 3


def caught(ramp: Ramp) -> dict[str, list[float]]:
    """The minute after which each tool rolls the ramp back, at each of its settings; infinite when it never does."""
    return {FLAGGER: _flagger(ramp), ARGO: _argo(ramp), KAYENTA: _kayenta(ramp)}


def _flagger(ramp: Ramp) -> list[float]:
    failed = (_failure_rates(ramp.answers)[:, 1] > 0.01) | (_p99(ramp.latency)[:, 1] > 500)
    return [_nth(np.flatnonzero(failed) + 1, int(checks)) for _, checks in SETTINGS[FLAGGER]]


def _argo(ramp: Ramp) -> list[float]:
    windows = ramp.answers[: MINUTES // 5 * 5].reshape(-1, 5, *ramp.answers.shape[1:]).sum(1)
    failed = _failure_rates(windows)[:, 1] > 0.05
    return [_nth(5 * (np.flatnonzero(failed) + 1), int(failures)) for _, failures in SETTINGS[ARGO]]


def _nth(minutes: Any, number: int) -> float:
    return float(minutes[number - 1]) if len(minutes) >= number else np.inf


def _kayenta(ramp: Ramp) -> list[float]:
    values = (_failure_rates(ramp.answers), _p99(ramp.latency))
    deviations = np.array([setting for _, setting in SETTINGS[KAYENTA]])
    found = np.full(len(deviations), np.inf)
    for start, end in _intervals():
        high = sum(_high(value[start:end, 1], value[start:end, 0], deviations) for value in values)
        failed = 100 * (1 - high / len(values)) < 75
        found = np.where(failed & np.isinf(found), float(end), found)
    return [float(one) for one in found]


def _intervals() -> Iterator[tuple[int, int]]:
    start = 0
    for _, minutes in STEPS:
        yield from ((start, start + end) for end in range(30, minutes + 1, 30))
        start += minutes


def _failure_rates(answers: Any) -> Any:
    """By window and side; not a number where there are no requests."""
    totals = answers.sum(2)
    return np.where(totals > 0, answers[:, :, 1] / np.maximum(totals, 1), np.nan)


def _p99(latency: Any) -> Any:
    """By window and side, milliseconds: linear inside the histogram's bucket, as Prometheus does it."""
    sums = latency.cumsum(2)
    totals = sums[:, :, -1]
    wanted = 0.99 * totals
    place = (sums < wanted[:, :, None]).sum(2).clip(0, len(_EDGES) - 1)
    here = np.take_along_axis(latency, place[:, :, None], 2)[:, :, 0]
    before = np.take_along_axis(sums, place[:, :, None], 2)[:, :, 0] - here
    low = np.where(place > 0, _EDGES[place - 1], 0.0)
    found = low + (_EDGES[place] - low) * (wanted - before) / np.maximum(here, 1)
    return np.where(totals > 0, found, np.nan)


def _high(canary: Any, baseline: Any, deviations: Any) -> Any:
    """Whether the metric is high, as an integer for each width of the interval."""
    canary, baseline = _tidy(canary), _tidy(baseline)
    if len(canary) < _FEWEST or len(baseline) < _FEWEST:
        return np.zeros(len(deviations), int)
    number = len(canary) * len(baseline)
    width = deviations * np.sqrt(number * (len(canary) + len(baseline) + 1) / 12)
    places = (number / 2 - width).astype(int)
    if number - np.searchsorted(baseline, canary).sum() > places.max():
        return np.zeros(len(deviations), int)  # so many pairs are not above zero that no interval can be
    differences = np.sort((canary[:, None] - baseline[None, :]).ravel())
    low = np.where(places >= 0, differences[places.clip(0)], -np.inf)
    median = (differences[(number - 1) // 2] + differences[number // 2]) / 2
    return (low > 0.25 * abs(median)).astype(int)


def _tidy(values: Any) -> Any:
    """The values in order, outliers left out."""
    values = np.sort(values)  # what is not a number comes last
    values = values[: len(values) - int(np.isnan(values).sum())]
    if not len(values):
        return values
    first, third = (_quartile(values, part) for part in (0.25, 0.75))
    reach = 3 * (third - first)
    return values[np.searchsorted(values, first - reach) : np.searchsorted(values, third + reach, side="right")]


def _quartile(values: Any, part: float) -> float:
    place = part * (len(values) - 1)
    low = int(place)
    above = values[min(low + 1, len(values) - 1)]
    return float(values[low] + (place - low) * (above - values[low]))

"""A report as text for people and as JSON for scripts."""

from collections.abc import Iterator, Sequence
from typing import Any

from strangler_fig.diagnostics import Severity

from .check import Report
from .verdict import Outcome, Verdict

_MOST_KEPT = 30


def lines(report: Report, what: str) -> Iterator[str]:
    """The verdicts on limits as a table, then one line that sums up; findings are not in it."""
    shown = [verdict for verdict in report.verdicts if verdict.outcome is not Outcome.KEPT]
    kept = [verdict for verdict in report.verdicts if verdict.outcome is Outcome.KEPT]
    if len(kept) <= _MOST_KEPT:
        shown, kept = [*shown, *kept], []
    yield from _table(shown)
    if kept:
        yield f"{len(kept):,} more limits are kept; --json lists them"
    if report.not_judged:
        yield f"not judged, as nobody says what is used: {', '.join(report.not_judged)}"
    if shown or kept or report.not_judged:
        yield ""
    yield _summary(report, what)


def to_json(report: Report) -> dict[str, Any]:
    """The report as JSON values."""
    return {
        "rows": report.rows,
        "refused": report.is_refused,
        "overlaps": {"count": report.overlaps, "duplicates": report.duplicates},
        "findings": [finding.to_json() for finding in report.findings],
        "limits": [verdict.to_json() for verdict in report.verdicts],
        "not_judged": list(report.not_judged),
    }


def _table(verdicts: Sequence[Verdict]) -> Iterator[str]:
    if not verdicts:
        return
    rows = [("", "used", "limit", "of", "scope", "as of", "source")]
    for verdict in verdicts:
        limit = verdict.limit
        used = f"{'>= ' if verdict.is_lower_bound else ''}{verdict.used:,.0f}"
        rows.append(
            (
                verdict.outcome.value,
                used,
                f"{limit.value:,.0f} {limit.unit}",
                limit.key,
                verdict.scope,
                limit.as_of,
                limit.source,
            )
        )
    widths = [max(len(row[place]) for row in rows) for place in range(len(rows[0]) - 1)]
    for row in rows:
        cells = [cell.ljust(width) for cell, width in zip(row, widths, strict=False)]
        yield "  ".join([*cells, row[-1]]).rstrip()


def _summary(report: Report, what: str) -> str:
    errors = sum(finding.severity is Severity.ERROR for finding in report.findings)
    named = sum(finding.code in ("CK101", "CK102") for finding in report.findings)
    overlaps = _count(report.overlaps, "overlap")
    if report.duplicates:
        overlaps += f" ({_count(report.duplicates, 'duplicate')})"
    if report.overlaps > named:
        overlaps += f", {named:,} of them named (--limit)"
    problems = f"{_count(errors, 'error')}, {_count(len(report.findings) - errors, 'warning')}"
    return f"{what}: {_count(report.rows, 'block')}; {overlaps}; {problems}"


def _count(number: int, noun: str) -> str:
    return f"{number:,} {noun}{'' if number == 1 else 's'}"

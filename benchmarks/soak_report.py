"""What a soak came to: what failed and why, what ran twice, who bounced, and what each kind of fault cost."""

import bisect
import collections
import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmarks.soak_client import Sent
from benchmarks.soak_weights import Shift, bounced

_COST_SECONDS = 3.0  # a fault is charged with what fails until then after what it hit was back, or until the next one
_STRUCK_SECONDS = 0.3  # a process may be killed so long after its fault began
_INSIDE = {
    "kill an Envoy": "inside a killed Envoy",
    "kill a legacy host": "inside a killed legacy host",
    "kill a function": "inside a killed function",
}


@dataclass(frozen=True, slots=True)
class Fault:
    """One fault: its kind, its node (or -1), when it struck, and when what it hit was back."""

    kind: str
    node: int
    at: float
    over: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """Everything that was seen in `took` seconds; the faults are in their order."""

    took: float
    sent: Sequence[Sent]
    shifts: Sequence[Shift]
    faults: Sequence[Fault]
    journals: Sequence[Path]
    troubles: Sequence[str]


def report(run: Run) -> str:
    """The figures as Markdown."""
    return "\n".join([*_figures(run), "", *_costs(run), "", *_failures(run)])


def cause(one: Sent, faults: Sequence[Fault]) -> str:
    """Whether a failed request was inside a process that was killed; else "other", which should never be."""
    for fault in faults:
        inside = _INSIDE.get(fault.kind)
        struck = one.began <= fault.at + _STRUCK_SECONDS and fault.at <= one.ended
        if not inside or not struck or one.ended > fault.at + _COST_SECONDS:
            continue
        if fault.kind != "kill an Envoy" and one.fault.startswith("status"):
            return inside
        if fault.kind == "kill an Envoy" and fault.node == one.node and one.fault == "connection lost":
            return inside
    return "other"


def run_twice(sent: Iterable[Sent], journals: Iterable[Path]) -> int:
    """How many POSTs ran more than once, over legacy and functions together."""
    posts = {one.id for one in sent if one.method == "POST"}
    lines = (line for journal in journals if journal.exists() for line in journal.read_text().splitlines())
    runs = collections.Counter(line.split(" ")[0] for line in lines)
    return sum(1 for name, count in runs.items() if count > 1 and name in posts)


def _figures(run: Run) -> list[str]:
    failed = [one for one in run.sent if one.fault]
    causes = collections.Counter(cause(one, run.faults) for one in failed)
    took = sorted(one.ended - one.began for one in run.sent)
    assigned = collections.Counter(one.assigned for one in run.sent)
    answered = collections.Counter(one.answered for one in run.sent)
    fallbacks = sum(one.assigned == "lambda" and one.answered == "legacy" for one in run.sent)
    confirmed = sum(shift.ended < math.inf for shift in run.shifts)
    return [
        "| figure | value |",
        "|---|---:|",
        f"| requests sent in {run.took:.0f} s | {len(run.sent):,} ({len(run.sent) / run.took:,.0f}/s) |",
        f"| of them assigned to legacy / to Lambda | {assigned['legacy']:,} / {assigned['lambda']:,} |",
        f"| answered by legacy / by Lambda | {answered['legacy']:,} / {answered['lambda']:,} |",
        f"| answered by legacy because Lambda failed | {fallbacks:,} |",
        f"| failed | {len(failed):,} |",
        *(f"| … {text} | {count:,} |" for text, count in causes.most_common()),
        f"| run twice (POST) | {run_twice(run.sent, run.journals):,} |",
        f"| bounced | {len(bounced(run.sent, run.shifts)):,} |",
        f"| shifts, in force on every live node when asked for | {len(run.shifts)}, {confirmed} |",
        f"| p50, p99, longest ms | {_ms(took, 0.5)}, {_ms(took, 0.99)}, {_ms(took, 1)} |",
    ]


def _costs(run: Run) -> list[str]:
    begins = [fault.at for fault in run.faults]

    def charged(one: Sent) -> str:
        number = bisect.bisect_right(begins, one.ended) - 1
        fault = run.faults[number] if number >= 0 else None
        return fault.kind if fault and one.ended <= fault.over + _COST_SECONDS else ""

    failed = collections.Counter(charged(one) for one in run.sent if one.fault)
    other = collections.Counter(charged(one) for one in run.sent if one.fault and cause(one, run.faults) == "other")
    swung = collections.Counter(charged(one) for one in bounced(run.sent, run.shifts))
    longest: dict[str, float] = collections.defaultdict(float)
    for one in run.sent:
        kind = charged(one)
        longest[kind] = max(longest[kind], one.ended - one.began)
    lines = [
        "| fault | times | failed | not inside what was killed | bounced | longest request ms | longest until back s |",
        "|---|---:|---:|---:|---:|---:|---:|",
    ]
    for kind in dict.fromkeys(sorted(fault.kind for fault in run.faults)):
        mine = [fault for fault in run.faults if fault.kind == kind]
        back = max(fault.over - fault.at for fault in mine)
        lines.append(
            f"| {kind} | {len(mine)} | {failed[kind]:,} | {other[kind]:,} | {swung[kind]:,} "
            f"| {longest[kind] * 1000:.0f} | {back:.1f} |"
        )
    lines.append(f"| none of them | | {failed['']:,} | {other['']:,} | {swung['']:,} | {longest[''] * 1000:.0f} | |")
    return lines


def _failures(run: Run) -> list[str]:
    failed = (one for one in run.sent if one.fault)
    kinds = collections.Counter((cause(one, run.faults), one.fault, one.method) for one in failed)
    return [
        *(f"{count} × {method} {fault}: {text}" for (text, fault, method), count in kinds.most_common()),
        *(f"{count} × {text}" for text, count in collections.Counter(run.troubles).most_common()),
    ]


def _ms(values: Sequence[float], share: float) -> str:
    return f"{values[min(len(values) - 1, int(len(values) * share))] * 1000:.1f}" if values else "-"

"""Whether a decision may be based on what was told: counts of what is missing, in sentences, each with its weight.

Numbers of routes and traces are judged apart. Numbers come from the router's records, which are complete unless batches
are lost on the way; traces may be a sample, and are whole when each hop of the router leads to a span of the other end.
"""

import enum
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from strangler_fig.names import CONTROL_SERVICE, ROUTER_SERVICE

from .reader import Record

_WHOLE, _HALF = 0.95, 0.80
"""From which share of hops with a child a side is whole, and below which its traces allow no conclusion."""
_FEW_RECORDS = 50
"""Of fewer no share is worth a word: the lines of a server that starts carry no trace, and need none."""
_MANY_ORPHANS, _MANY_LOGS, _MANY_EARLY = 0.05, 0.20, 0.01
_NOTICEABLE_NANOSECONDS = 1_000_000
_FULL_QUEUE = 0.5
_SCARCE_BYTES, _NO_BYTES = 2**30, 64 * 2**20
_ROUTER_LOSS = "logs_dropped"


class Level(enum.IntEnum):
    """How bad it is; the greatest one counts."""

    GOOD = 0
    ODD = 1
    BAD = 2

    @property
    def word(self) -> str:
        """The level as pages and scripts know it."""
        return self.name.lower()


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One sentence about numbers, traces, logs or the process."""

    about: str
    level: Level
    text: str

    def to_json(self) -> Record:
        """The finding as JSON values."""
        return {"about": self.about, "level": self.level.word, "text": self.text}


def picture(found: Mapping[str, Sequence[Record]], process: Mapping[str, Any]) -> Record:
    """The share of the router's hops that lead to a span, the verdict, and the sentences that it rests on."""
    findings = [*_numbers(found), *_traces(found), *_logs(found), *_process(process)]
    worst = {about: max((f.level for f in findings if f.about == about), default=Level.GOOD) for about in _ABOUT}
    hops = sum(int(row["Hops"]) for row in found["hops"])
    whole = sum(int(row["WithChild"]) for row in found["hops"])
    return {
        "share": round(whole / hops, 6) if hops else None,
        "level": max(worst.values()).word,
        "headline": _headline(worst, _nothing_told(found)),
        "levels": {about: level.word for about, level in worst.items()},
        "findings": [one.to_json() for one in findings],
    }


_ABOUT = ("numbers", "traces", "logs", "process")


def _nothing_told(found: Mapping[str, Sequence[Record]]) -> str:
    """What is to be said when no router told of a request; empty when one did."""
    if found["hops"] or any(row["ServiceName"] == ROUTER_SERVICE for row in found["logs"]):
        return ""
    told = "of a request" if found["router_batches"] else "anything"
    return f"no router tells {told}: there is nothing to decide on"


def _headline(worst: Mapping[str, Level], nothing: str) -> str:
    numbers, traces = max(worst["numbers"], worst["process"]), worst["traces"]
    if numbers is Level.BAD:
        return "Do not decide on this: numbers of routes are missing"
    if nothing:
        return nothing[0].upper() + nothing[1:]
    if traces is Level.BAD:
        return "Decide on the numbers of routes, not on traces: too many traces are torn"
    if max(worst.values()) is Level.GOOD:
        return "A decision may be based on this"
    return "A decision may be based on the numbers of routes; read what is odd below before using the rest"


def _numbers(found: Mapping[str, Sequence[Record]]) -> Iterator[Finding]:
    """Whether what the router counts arrived."""
    sent = sum(row["Sent"] or 0 for row in found["router_batches"])
    taken = sum(row["Taken"] or 0 for row in found["router_batches"])
    dropped = sum(row["Lost"] or 0 for row in found["drops"] if _ROUTER_LOSS in row["MetricName"])
    if sent > taken:
        yield _numbers_say(Level.BAD, f"{sent - taken:,.0f} of the router's {sent:,.0f} batches were not taken")
    elif sent:
        yield _numbers_say(Level.GOOD, f"all {sent:,.0f} batches that the router tells of were taken")
    if dropped:
        yield _numbers_say(Level.BAD, f"the router dropped {dropped:,.0f} records of requests before it sent them")
    if nothing := _nothing_told(found):
        yield _numbers_say(Level.ODD, nothing)
        if found["orphans"]:
            text = "what numbers there are were counted from the spans of applications, which may be a sample"
            yield _numbers_say(Level.ODD, text)
    elif not sent and not dropped:
        yield _numbers_say(Level.GOOD, "no router tells of a loss")


def _numbers_say(level: Level, text: str) -> Finding:
    return Finding(about="numbers", level=level, text=text)


def _traces(found: Mapping[str, Sequence[Record]]) -> Iterator[Finding]:
    """Whether hops lead to spans, spans have their parents, and clocks agree."""
    if not found["hops"]:
        yield Finding(
            about="traces", level=Level.ODD, text="no router told of a hop: nobody knows how whole traces are"
        )
    yield from _hops(found["hops"])
    for row in found["orphans"]:
        if (share := row["Orphans"] / row["Spans"]) > _MANY_ORPHANS:
            text = f"{_percent(share)} of the spans of {_named(row)} have a parent that never came"
            yield Finding(about="traces", level=Level.ODD, text=text)
    for row in found["clocks"]:
        early = -int(row["EarliestNanoseconds"] or 0)
        if row["BeforeParent"] > _MANY_EARLY * row["Calls"] and early > _NOTICEABLE_NANOSECONDS:
            text = f"the clock of {_named(row)} is behind its callers' by up to {early / 1e6:,.0f} ms"
            yield Finding(about="traces", level=Level.ODD, text=f"{text}: durations are right, positions are not")
    for row in found["drops"]:
        if row["Lost"] and _ROUTER_LOSS not in row["MetricName"]:
            text = f"{_named(row)} says that it lost {row['Lost']:,.0f} ({row['MetricName']})"
            yield Finding(about="traces", level=Level.ODD, text=text)


def _hops(rows: Sequence[Record]) -> Iterator[Finding]:
    """How many hops lead to a span, those that reached nobody apart."""
    for row in rows:
        if refused := row["Refused"]:
            who = "Lambda" if row["Side"] == "lambda" else "an upstream that could not be reached"
            text = f"refused by {who}: {refused:,} hops, which reached nobody who could tell"
            yield Finding(about="traces", level=Level.GOOD, text=text)
        if not row["Hops"]:
            continue
        share = row["WithChild"] / row["Hops"]
        level = Level.GOOD if share >= _WHOLE else Level.ODD if share >= _HALF else Level.BAD
        side = row["Side"] or "neither side"
        text = f"{_percent(share)} of {row['Hops']:,} hops to {side} lead to a span of whom they reached"
        yield Finding(about="traces", level=level, text=text)


def _logs(found: Mapping[str, Sequence[Record]]) -> Iterator[Finding]:
    """Whether records lead to traces; the decisions of fig-control belong to no request."""
    for row in found["logs"]:
        if row["ServiceName"] == CONTROL_SERVICE or row["Records"] < _FEW_RECORDS:
            continue
        if (share := row["WithoutTrace"] / row["Records"]) > _MANY_LOGS:
            text = f"{_percent(share)} of the records of {_named(row)} carry no trace: they are not found from a trace"
            yield Finding(about="logs", level=Level.ODD, text=text)


def _process(process: Mapping[str, Any]) -> Iterator[Finding]:
    """How this process does: since it began, whatever the window."""
    if process["fault"]:
        yield _process_says(Level.BAD, f"nothing is stored at the moment: {process['fault']}")
    free = process["free_bytes"]
    if free < _SCARCE_BYTES:
        yield _process_says(Level.BAD if free < _NO_BYTES else Level.ODD, f"the disk has {free / 1e6:,.0f} MB left")
    if process["queued_bytes"] > _FULL_QUEUE * process["max_queued_bytes"]:
        yield _process_says(Level.ODD, "more than half of the queue is full: senders may be told to come again")
    refused = sum(one["requests"] for one in process["door"]["refused"])
    if refused:
        yield _process_says(Level.ODD, f"{refused:,} requests of senders were refused since the start")
    if invalid := sum(process["door"]["invalid_ids"].values()):
        text = f"{invalid:,} ids of senders were none since the start (a wrong length, or zeros): they join nothing"
        yield _process_says(Level.ODD, text)
    forward = process["forward"]
    if forward["fault"]:
        yield _process_says(Level.ODD, f"sending on does not work: {forward['fault']}")
    if forward["dropped"] or forward["rejected"]:
        lost = forward["dropped"] + forward["rejected"]
        yield _process_says(Level.ODD, f"{lost:,} messages were not sent on to {forward['to'] or 'the collector'}")
    if process["pages"]["policy_reports"]:
        number = process["pages"]["policy_reports"]
        yield _process_says(Level.ODD, f"browsers reported {number:,} breaches of the pages' policy: look at the last")


def _process_says(level: Level, text: str) -> Finding:
    return Finding(about="process", level=level, text=text)


def _percent(share: float) -> str:
    return f"{share * 100:.1f}".removesuffix(".0") + " %"


def _named(row: Record) -> str:
    """The service's name for a sentence: what would turn its direction or break its line is made visible."""
    name = str(row["ServiceName"]) or "a service without a name"
    return "".join("\N{REPLACEMENT CHARACTER}" if unicodedata.category(one) in {"Cc", "Cf"} else one for one in name)

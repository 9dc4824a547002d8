"""The part of `fig status` that tells of releases: every ramp's step, weight, time left, evidence, verdict and why.

What is short stands in columns; what is a sentence stands below it, indented, as wide as the terminal is.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from rich.console import Console, ConsoleOptions, RenderableType
from rich.padding import Padding
from rich.text import Text

from ..weight import Weight
from .tables import lasting, when

_COLUMNS = ("ramp", "step", "weight", "phase", "left", "verdict")
_MOST_ENDED = 3
_INDENT = (0, 0, 0, 4)
_BETWEEN = "  "


def releases_view(status: Mapping[str, Any]) -> list[RenderableType]:
    """A freeze, and the releases that run; nothing where there is none of them."""
    parts: list[RenderableType] = []
    frozen = status.get("frozen")
    if frozen:
        text = (
            f"! nothing moves towards Lambda: frozen by {frozen['by']} since {when(frozen['at'])}: {frozen['reason']}"
        )
        parts.append(Text(text, style="yellow"))
    parts += [ReleaseView(release) for release in status.get("releases") or []]
    return parts


def ended_view(status: Mapping[str, Any]) -> list[RenderableType]:
    """What can be retired, and the releases that ended last."""
    ended = sorted(status.get("ended") or [], key=lambda one: str(one["ended_at"]), reverse=True)
    parts: list[RenderableType] = list(_retired(status))
    parts += [
        Text(f"release {one['release']}: {one['outcome']}, {when(one['ended_at'])}") for one in ended[:_MOST_ENDED]
    ]
    if len(ended) > _MOST_ENDED:
        parts.append(Text(f"and {len(ended) - _MOST_ENDED} more: fig history"))
    return parts


class ReleaseView:
    """A release that runs, with its ramps, in the width that there is."""

    def __init__(self, release: Mapping[str, Any]) -> None:
        self._release = release

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> Iterator[RenderableType]:
        """Its name, and each ramp; in columns where they fit."""
        yield Text.assemble("release ", (self._release["release"], "bold"))
        ramps = self._release["ramps"]
        rows = [_COLUMNS, *(_cells(ramp) for ramp in ramps)]
        widths = [max(len(row[column]) for row in rows) for column in range(len(_COLUMNS))]
        is_wide = sum(widths) + len(_BETWEEN) * (len(widths) - 1) <= options.max_width
        if is_wide:
            yield Text(_line(_COLUMNS, widths), style="bold")
        for ramp, row in zip(ramps, rows[1:], strict=True):
            yield Text(_line(row, widths) if is_wide else _said(row))
            yield from (Padding(Text(words), _INDENT) for words in _why(ramp))


def _line(cells: Sequence[str], widths: Sequence[int]) -> str:
    return _BETWEEN.join(cell.ljust(width) for cell, width in zip(cells, widths, strict=True)).rstrip()


def _said(cells: Sequence[str]) -> str:
    """The row where columns do not fit: it wraps between words."""
    ramp, step, weight, phase, left, verdict = cells
    return f"{ramp}: step {step}; weight {weight}; {phase}, left {left}; {verdict}"


def _cells(ramp: Mapping[str, Any]) -> tuple[str, ...]:
    return (
        ramp["ramp"],
        f"{ramp['step']} of {ramp['steps']}: {ramp['doing']}" if ramp["step"] else "-",
        str(Weight(ramp["weight"])),
        f"{ramp['phase']}{', paused' if ramp['paused'] else ''}",
        _left(ramp),
        f"{ramp['verdict'] or '-'}{' (dry run)' if ramp['dry_run'] else ''}",
    )


def _left(ramp: Mapping[str, Any]) -> str:
    """Until the ramp may do something by itself; a share that was held for its time still waits for its verdict."""
    left = ramp["seconds_left"]
    if left is None:
        return "-"
    return "until it passes" if not left and ramp["verdict"] not in {None, "pass"} else lasting(left)


def _why(ramp: Mapping[str, Any]) -> Iterator[str]:
    """What is not in force yet, why the ramp stands where it stands, what was counted, and what else verdicts say."""
    if ramp["weight"] and not ramp["in_force"]:
        yield f"{Weight(ramp['weight'])} is not in force everywhere yet"
    if ramp["reason"]:
        yield ramp["reason"]
    if len(ramp["routes"]) > 1:
        yield from _members(ramp)
        return
    shadow = f"shadow {Weight(ramp['shadow'])}" if ramp["shadow"] else ""
    counted = (f"on Lambda {_evidence(route)}" for route in ramp["routes"] if ramp["weight"])
    told = ", ".join(filter(None, (shadow, *counted)))
    if told:
        yield told
    for route in ramp["routes"]:
        yield from (words for words in _more(route) if words != ramp["reason"])


def _members(ramp: Mapping[str, Any]) -> Iterator[str]:
    """Each route of a group with its own verdict: the group's is the worst of them."""
    if ramp["shadow"]:
        yield f"shadow {Weight(ramp['shadow'])}"
    for route in ramp["routes"]:
        verdict = route["verdict"] or {}
        reasons = verdict.get("reasons") or [{"words": "nothing is judged yet"}]
        outcome = f"{verdict['outcome']}: " if verdict.get("outcome") else ""
        words = "; ".join(dict.fromkeys((f"{outcome}{reasons[0]['words']}", *_more(route))))
        yield f"{route['route']}: on Lambda {_evidence(route)}; {words}"


def _more(route: Mapping[str, Any]) -> Iterator[str]:
    """What a verdict says beside its reason: what was seen and decides nothing, and what is still needed."""
    verdict = route["verdict"] or {}
    yield from verdict.get("diagnostics", ())
    if verdict.get("needed"):
        yield verdict["needed"]["words"]


def _evidence(route: Mapping[str, Any]) -> str:
    """What was counted of users on Lambda since the step's evidence began."""
    if not route["evidence"]:
        return "nothing is counted yet"
    side = route["evidence"]["lambda"]
    failed = side["server_errors"] + side["fallbacks"]
    return f"{side['requests']:,} request{'' if side['requests'] == 1 else 's'}, {failed:,} failed"


def _retired(status: Mapping[str, Any]) -> Iterator[Text]:
    for route in status.get("retirement") or []:
        last = when(route["legacy_last_request"]) or "none seen"
        text = f"{route['route']}: ready for retirement since {when(route['since'])}; legacy's last request: {last}"
        yield Text(text)

"""The part of `fig status` that tells of releases: every ramp's step, weight, time left, evidence, verdict and why."""

from collections.abc import Iterator, Mapping
from typing import Any

from rich.console import RenderableType
from rich.text import Text

from ..weight import Weight
from .tables import lasting, table, when

_COLUMNS = ("release", "ramp", "step", "weight", "phase", "left", "on lambda", "verdict", "why")


def releases_view(status: Mapping[str, Any]) -> list[RenderableType]:
    """A freeze, the releases that run, and those that ended lately; nothing where there is none of them."""
    parts: list[RenderableType] = []
    frozen = status.get("frozen")
    if frozen:
        text = (
            f"! nothing moves towards Lambda: frozen by {frozen['by']} since {when(frozen['at'])}: {frozen['reason']}"
        )
        parts.append(Text(text, style="yellow"))
    running = status.get("releases") or []
    if running:
        view = table(*_COLUMNS)
        for release in running:
            for ramp in release["ramps"]:
                view.add_row(*(Text(cell) for cell in _cells(release, ramp)))
        parts.append(view)
    parts += [_ended(one) for one in status.get("ended") or []]
    return parts + list(_retired(status))


def _cells(release: Mapping[str, Any], ramp: Mapping[str, Any]) -> tuple[str, ...]:
    weight = Weight(ramp["weight"])
    shadow = f", shadow {Weight(ramp['shadow'])}" if ramp["shadow"] else ""
    return (
        release["release"],
        ramp["ramp"],
        f"{ramp['step']} of {ramp['steps']}: {ramp['doing']}" if ramp["step"] else "-",
        f"{weight}{shadow}" if ramp["in_force"] or not ramp["weight"] else f"{weight} (not in force everywhere yet)",
        f"{ramp['phase']}{', paused' if ramp['paused'] else ''}",
        _left(ramp),
        _evidence(ramp),
        f"{ramp['verdict'] or '-'}{' (dry run)' if ramp['dry_run'] else ''}",
        "\n".join([ramp["reason"], *_more(ramp)]),
    )


def _left(ramp: Mapping[str, Any]) -> str:
    """Until the ramp may do something by itself; a share that was held for its time still waits for its verdict."""
    left = ramp["seconds_left"]
    if left is None:
        return "-"
    return "until it passes" if not left and ramp["verdict"] not in {None, "pass"} else lasting(left)


def _more(ramp: Mapping[str, Any]) -> Iterator[str]:
    """What verdicts say beside their reason: what is still needed, and what was seen and decides nothing."""
    for route in ramp["routes"]:
        verdict = route["verdict"] or {}
        about = f"{route['route']}: " if len(ramp["routes"]) > 1 else ""
        needed = verdict.get("needed")
        for words in (*([needed["words"]] if needed else []), *verdict.get("diagnostics", ())):
            if words != ramp["reason"]:
                yield f"{about}{words}"


def _evidence(ramp: Mapping[str, Any]) -> str:
    """What was counted of users on Lambda since the step's evidence began, all routes together."""
    sides = [route["evidence"]["lambda"] for route in ramp["routes"] if route["evidence"]]
    if not sides:
        return "-"
    requests = sum(side["requests"] for side in sides)
    failed = sum(side["server_errors"] + side["fallbacks"] for side in sides)
    return f"{requests:,} requests, {failed:,} failed"


def _ended(release: Mapping[str, Any]) -> Text:
    return Text(f"release {release['release']}: {release['outcome']}, {when(release['ended_at'])}")


def _retired(status: Mapping[str, Any]) -> Iterator[Text]:
    for route in status.get("retirement") or []:
        last = when(route["legacy_last_request"]) or "none seen"
        text = f"{route['route']}: ready for retirement since {when(route['since'])}; legacy's last request: {last}"
        yield Text(text)

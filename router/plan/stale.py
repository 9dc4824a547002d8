"""What has moved since a plan was made, as far as it concerns the plan: in words, before and after.

A release's plan: its files, the published estate, its own routes' weights and the releases on them, a new freeze, and
other routes only where they send more to its functions than was counted with. An estate's: its file, what is
published, and releases that began to run on what it changes.
"""

import json
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from strangler_fig.diagnostics import Diagnostic
from strangler_fig.units import FULL_SHARE

from ..ledger.chain import text_digest
from ..weight import Weight
from .document import ESTATE, PlanFile
from .load import Loads
from .present import Present

STALE = "PL302"
_HINT = "plan it again, and look at what is different"
_SHORT = 12
_MOST_ROUTES = 12
_SMALLEST = 0.5 / FULL_SHARE

Json = Mapping[str, Any]


def seen(loads: Loads) -> dict[str, Any] | None:
    """What of the present the plan of a release counts with, as JSON values; None: control was not seen.

    Of other routes only those count that call one of its functions: what reaches Lambda of them, or may yet.
    """
    present, own = loads.present, sorted(loads.release.routes)
    if present is None:
        return None
    functions = {one.name for route in own if (one := loads.candidate(route)) is not None}
    others = {
        route: share
        for route, share in sorted(present.shares().items())
        if route not in own and (one := loads.candidate(route)) is not None and one.name in functions
    }
    weights = {route: present.weights[route] for route in own if route in present.weights}
    return {
        "head": present.head,
        "estate": present.estate,
        "weights": weights,
        "others": others,
        "frozen": bool(present.frozen),
    }


def moved_files(plan: PlanFile, texts: Mapping[str, str]) -> list[Diagnostic]:
    """The files that are another text now than when the plan was made; those that are not there say nothing."""
    return [
        stale(f"{path} was changed since it was made ({_change(digest, now)})")
        for path, digest in sorted(plan.files.items())
        if path in texts and (now := text_digest(texts[path])) != digest
    ]


def moved(plan: PlanFile, present: Present) -> list[Diagnostic]:
    """What of the present is another than when the plan was made; nothing where the plan saw none of it."""
    if plan.kind == ESTATE:
        return [stale(said) for said in _estate_moved(plan, present)]
    before = plan.plain["inputs"]["seen"]
    return [] if before is None else [stale(said) for said in moved_since(before, present)]


def moved_since(before: Json, now: Present) -> Iterator[str]:
    """What of the present is another than what a release's plan counted with (`seen`), in words."""
    if before["estate"] != now.estate:
        yield f"the published estate is another one ({_change(before['estate'], now.estate)})"
    ledger = f"ledger {_change(before['head'], now.head)}"
    if now.frozen and not before["frozen"]:
        yield f"all movement towards Lambda is frozen by {now.frozen} ({ledger})"
    weights = [(route, Weight(was), now.weights.get(route)) for route, was in sorted(before["weights"].items())]
    found = [
        f"{one} {was} -> {'gone' if is_ is None else Weight(is_)}" for one, was, is_ in weights if is_ != was.parts
    ]
    if found:
        yield f"weights have moved: {_listed(found)} ({ledger})"
    for running in now.running:
        if on := sorted(running.weights.keys() & before["weights"].keys()):
            yield f"the release {running.name} runs now, on {_listed(on)} ({ledger})"
    shares = now.shares()
    risen = [
        f"{route} {_share(was)} -> {_share(shares[route])}"
        for route, was in sorted(before["others"].items())
        if shares.get(route, 0.0) > was + _SMALLEST
    ]
    if risen:
        yield f"other routes send more to its functions than it counted with: {_listed(risen)} ({ledger})"


def running_on(changes: Iterable[Json], estate: Json, present: Present) -> dict[str, tuple[str, ...]]:
    """The releases that run, each with those of its routes that these changes of an estate concern.

    They concern a route that they name, and those whose function or legacy application they name.
    """
    named = {(one["kind"], one["name"]) for one in changes}
    routes = estate.get("routes", {})
    found: dict[str, tuple[str, ...]] = {}
    for running in present.running:
        on = tuple(
            route
            for route in sorted(running.weights)
            if ("route", route) in named
            or any((side, routes.get(route, {}).get(side)) in named for side in ("lambda", "legacy"))
        )
        if on:
            found[running.name] = on
    return found


def _estate_moved(plan: PlanFile, present: Present) -> Iterator[str]:
    """Another estate is published, or a release began to run on what the plan changes."""
    if plan.basis is None:
        return
    if plan.basis != present.estate:
        yield f"the published estate is another one ({_change(plan.basis, present.estate)})"
    before = plan.plain["inputs"]["running"]
    for name, routes in running_on(plan.plain["changes"], json.loads(plan.document), present).items():
        new = [route for route in routes if route not in before.get(name, ())]
        if new:
            yield f"the release {name} runs now, on {_listed(new)}, which it changes"


def stale(why: str) -> Diagnostic:
    """The refusal for one thing that has moved."""
    return Diagnostic(code=STALE, message=f"the plan is stale: {why}", hint=_HINT)


def _share(share: float) -> Weight:
    return Weight(round(share * FULL_SHARE))


def _change(before: str, now: str) -> str:
    return f"digest {before[:_SHORT]} -> {now[:_SHORT]}"


def _listed(words: Iterable[str]) -> str:
    every = list(words)
    more = f" and {len(every) - _MOST_ROUTES} more" if len(every) > _MOST_ROUTES else ""
    return ", ".join(every[:_MOST_ROUTES]) + more

"""What has moved since a plan was made: a file, the published estate, a weight, a release, a freeze.

Control compares one digest and refuses; this says in words what it is made of, before and after.
"""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from strangler_fig.diagnostics import Diagnostic

from ..ledger.chain import text_digest
from ..weight import Weight
from .document import PlanFile
from .present import Present

STALE = "PL302"
_HINT = "plan it again, and look at what is different"
_SHORT = 12
_MOST_ROUTES = 12

Json = Mapping[str, Any]


def seen(present: Present) -> dict[str, Any]:
    """What of the present a plan was made on, as JSON values; weights that are 0 are left out."""
    return {
        "head": present.head,
        "estate": present.estate,
        "weights": {route: parts for route, parts in sorted(present.weights.items()) if parts},
        "releases": {one.name: sorted(one.weights) for one in present.running},
        "frozen": present.frozen,
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
    before = plan.plain["inputs"].get("seen")
    now = seen(present)
    if before is None:
        if plan.basis in {None, present.estate}:
            return []
        return [stale(f"the published estate is another one ({_change(plan.basis or '', present.estate)})")]
    return [stale(said) for said in (*_estate(before, now), *_weights(before, now), *_releases(before, now))]


def stale(why: str) -> Diagnostic:
    """The refusal for one thing that has moved."""
    return Diagnostic(code=STALE, message=f"the plan is stale: {why}", hint=_HINT)


def _estate(before: Json, now: Json) -> Iterator[str]:
    if before["estate"] != now["estate"]:
        yield f"the published estate is another one ({_change(before['estate'], now['estate'])})"
    if before["frozen"] != now["frozen"]:
        frozen = f"frozen by {now['frozen']}" if now["frozen"] else "frozen no more"
        yield f"all movement towards Lambda is {frozen} ({_ledger(before, now)})"


def _weights(before: Json, now: Json) -> Iterator[str]:
    routes = sorted(before["weights"].keys() | now["weights"].keys())
    changes = [(route, *(Weight(one["weights"].get(route, 0)) for one in (before, now))) for route in routes]
    found = [f"{route} {was} -> {is_}" for route, was, is_ in changes if was != is_]
    if found:
        yield f"weights have moved: {_listed(found)} ({_ledger(before, now)})"


def _releases(before: Json, now: Json) -> Iterator[str]:
    for name in sorted(before["releases"].keys() | now["releases"].keys()):
        was, is_ = before["releases"].get(name), now["releases"].get(name)
        if was is None:
            yield f"the release {name} runs now, on {_listed(is_)} ({_ledger(before, now)})"
        elif is_ is None:
            yield f"the release {name} is over ({_ledger(before, now)})"
        elif was != is_:
            yield f"the release {name} moves {_listed(is_)} now, and moved {_listed(was)} ({_ledger(before, now)})"


def _ledger(before: Json, now: Json) -> str:
    return f"ledger {_change(before['head'], now['head'])}"


def _change(before: str, now: str) -> str:
    return f"digest {before[:_SHORT]} -> {now[:_SHORT]}"


def _listed(words: Iterable[str]) -> str:
    every = list(words)
    more = f" and {len(every) - _MOST_ROUTES} more" if len(every) > _MOST_ROUTES else ""
    return ", ".join(every[:_MOST_ROUTES]) + more

"""The difference of two plans for people and for scripts: `+` added, `~` changed in place, `-` gone."""

from collections import Counter
from collections.abc import Iterator
from typing import Any

from ..layout.difference import Change, Difference, Sign
from ..layout.document import digest_of, to_json
from ..layout.values import Plan
from . import summary
from .columns import columns

_MOST_FUNCTIONS = 20


def render(plan: Plan, changes: Difference) -> str:
    """What changes, line by line, what stays as it is, and what the plan comes to."""
    lines = [summary.headline(plan), "", *_blocks(changes), *_functions(changes)]
    lines += ["", _count(changes), *(summary.free(space) for space in plan.spaces), summary.savings(plan)]
    return "\n".join(lines)


def summary_json(plan: Plan, changes: Difference) -> dict[str, Any]:
    """The same as JSON values."""
    return {
        "digest": digest_of(to_json(plan)),
        "as_of": plan.as_of,
        "has_changes": changes.has_changes,
        "added": changes.count(Sign.ADD),
        "changed": changes.count(Sign.CHANGE),
        "kept": changes.count(Sign.KEEP),
        "blocks": [change.to_json() for change in changes.blocks],
        "functions": [change.to_json() for change in changes.functions if change.sign is not Sign.KEEP],
        **{key: value for key, value in to_json(plan).items() if key in ("savings", "spaces")},
    }


def _blocks(changes: Difference) -> list[str]:
    """The lines of blocks that change, and of those that are kept with something to say."""
    shown = [change for change in changes.blocks if change.sign is not Sign.KEEP or change.why]
    return columns([(change.sign.value, change.what, _extents(change), change.why) for change in shown])


def _extents(change: Change) -> str:
    if change.before and change.before != change.after:
        return f"{change.before} -> {change.after}"
    return change.after


def _functions(changes: Difference) -> Iterator[str]:
    """The functions that change: each by name where they are few, else how many and where."""
    moved = [change for change in changes.functions if change.sign is not Sign.KEEP]
    if not moved:
        return
    yield ""
    if len(moved) <= _MOST_FUNCTIONS:
        yield from columns([(one.sign.value, f"function {one.what}", _extents(one) or one.before) for one in moved])
        return
    counts = Counter((one.sign, (one.after or one.before).split("/")[0]) for one in moved)
    for (sign, vpc), count in sorted(counts.items(), key=lambda one: (one[0][1], one[0][0].value)):
        yield f"{sign.value} {count:,} functions of {vpc}"


def _count(changes: Difference) -> str:
    if not changes.has_changes:
        return f"No changes: {changes.count(Sign.KEEP):,} VPCs and segments stay as they are."
    added, changed, kept = (changes.count(sign) for sign in (Sign.ADD, Sign.CHANGE, Sign.KEEP))
    return f"Plan: {added:,} added, {changed:,} changed in place, {kept:,} kept; nothing moves or shrinks."

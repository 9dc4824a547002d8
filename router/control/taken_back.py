"""What undoes a step that was written and then not carried out, because somebody else was faster. Pure.

Its entries stay in the history. So new ones say that it did not happen, and where the weights are; a release that it
would have started is aborted, else it would run after the next start of control.
"""

import json
from collections.abc import Iterator
from dataclasses import replace

from ..ledger.records import Desired, Kind, NewEntry, RampKey, RampRecord, ReleaseRecord, Step
from ..ramp.state import Phase
from .state import weight_of

_WHY = "not carried out: somebody else was faster"
_CONTROL = "control"


def taken_back(written: Step, desired: Desired) -> Step:
    """The step from what was written to what is desired. `written` has all its entries, and what was before them."""
    started = {
        key: release
        for key, release in written.after.releases.items()
        if key not in written.before.releases and key not in desired.releases
    }
    ended = {key: replace(one, outcome=Phase.ABORTED.value, ended_at=one.started_at) for key, one in started.items()}
    ramps = {key: _over(record) for key, record in written.after.ramps.items() if key[0] in started}
    entries = (*_entries(written, desired), *_ends(started, ramps, desired))
    after = replace(desired, releases={**desired.releases, **ended}, ramps={**desired.ramps, **ramps})
    return Step(before=written.after, after=after, entries=entries)


def _entries(written: Step, desired: Desired) -> Iterator[NewEntry]:
    for entry in written.entries:
        now = weight_of(desired, entry.route) if entry.route is not None else None
        if entry.route is not None and entry.after is not None and entry.after != now:
            yield NewEntry(
                at=entry.at,
                kind=Kind.ROLLBACK,
                actor=_CONTROL,
                reason=_WHY,
                route=entry.route,
                before=entry.after,
                after=now,
                release=entry.release,
            )


def _ends(started: dict[str, ReleaseRecord], ramps: dict[RampKey, RampRecord], desired: Desired) -> Iterator[NewEntry]:
    for (key, name), record in ramps.items():
        for route in record.routes:
            now = weight_of(desired, route)
            yield NewEntry(
                at=started[key].started_at,
                kind=Kind.ABORT,
                actor=_CONTROL,
                reason=_WHY,
                route=route,
                before=now,
                after=now,
                release=started[key].name,
                details=json.dumps({"ramp": name, "phase": Phase.ABORTED.value}),
            )


def _over(record: RampRecord) -> RampRecord:
    return replace(record, state=json.dumps(json.loads(record.state) | {"phase": Phase.ABORTED.value}))

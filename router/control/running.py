"""The releases that run: what the ledger keeps of them as text, read once, and each ramp's state as it is now.

What only changed in a verdict's words is not worth a write each second: such a state is known here and lost at a
restart, where the next look says it anew.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import orjson

from strangler_fig.diagnostics import Refused

from ..errors import LedgerFailed
from ..ledger.records import Desired, RampKey, RampRecord, ReleaseRecord
from ..ramp.state import RampState
from ..release.values import Ramp, Release
from ..weight import Weight
from .ramp_steps import phase_of
from .state import weight_of
from .unread import Unread

ReadRelease = Callable[[str], Release]
"""From a release's document, as the ledger keeps it, to the release."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Live:
    """One ramp of a release that runs, and the weights that its routes have.

    `record` is the ledger's: while it and the weights stand, nobody decided otherwise.
    """

    release: ReleaseRecord
    ramp: Ramp
    record: RampRecord
    state: RampState
    weights: tuple[Weight, ...]

    @property
    def key(self) -> RampKey:
        """The ramp's key in the ledger."""
        return self.release.id, self.ramp.name


def weights_of(desired: Desired, ramp: Ramp) -> tuple[Weight, ...]:
    """The weights of a ramp's routes, in their order."""
    return tuple(weight_of(desired, route) for route in ramp.routes)


class Running:
    """Reads releases and ramp states out of the desired state. `document` gives the text of a digest; it may block."""

    def __init__(self, read: ReadRelease, document: Callable[[str], str | None]) -> None:
        self._read = read
        self._document = document
        self._unreadable: dict[str, str] = {}
        self._releases: dict[str, Release] = {}
        self._states: dict[RampKey, tuple[RampRecord, RampState]] = {}

    def know(self, digest: str, release: Release) -> None:
        """Remember a release that was read already."""
        self._releases[digest] = release

    def release(self, record: ReleaseRecord) -> Release:
        """What was started. Raises `KeyError` when the ledger lost its document, or what its reader raises."""
        known = self._releases.get(record.document)
        if known is None:
            text = self._document(record.document)
            if text is None:
                raise KeyError(record.document)
            known = self._releases[record.document] = self._read(text)
        return known

    def live(self, desired: Desired) -> Iterator[Live]:
        """Every ramp of every release that runs, those that are over included, by release and name.

        What cannot be read any more is left out: `unread` has it.
        """
        for key in sorted(desired.ramps):
            live = self.one(desired, key)
            if live is not None:
                yield live

    def one(self, desired: Desired, key: RampKey) -> Live | None:
        """The ramp of that key as it is now; None where its release does not run, or cannot be read."""
        record, release = desired.ramps.get(key), desired.releases.get(key[0])
        if record is None or release is None or release.outcome is not None:
            return None
        found = self._read_both(release, key, record)
        if isinstance(found, str):
            return None
        ramp, state = found
        return Live(release=release, ramp=ramp, record=record, state=state, weights=weights_of(desired, ramp))

    def unread(self, desired: Desired) -> tuple[Unread, ...]:
        """Every ramp of a release that runs, but cannot be read, and is not over."""
        found: list[Unread] = []
        for key, record in sorted(desired.ramps.items()):
            release, phase = desired.releases.get(key[0]), phase_of(record)
            if release is None or release.outcome is not None or (phase is not None and phase.is_over):
                continue
            why = self.why_unread(release, key, record)
            if why is not None:
                found.append(Unread(release=release, key=key, record=record, why=why))
        return tuple(found)

    def why_unread(self, release: ReleaseRecord, key: RampKey, record: RampRecord) -> str | None:
        """Why a ramp of a release cannot be read, or None when it can."""
        found = self._read_both(release, key, record)
        return found if isinstance(found, str) else None

    def _why_no_text(self, release: ReleaseRecord) -> str | None:
        known = self._unreadable.get(release.document)
        if known is not None:
            return known
        try:
            self.release(release)
        except KeyError:
            why = "the ledger lost its text"
        except Refused as refused:
            why = "; ".join(str(one) for one in refused.diagnostics)
        except LedgerFailed as error:  # it is asked again at the next look
            return str(error)
        else:
            return None
        self._unreadable[release.document] = why
        return why

    def _read_both(self, release: ReleaseRecord, key: RampKey, record: RampRecord) -> tuple[Ramp, RampState] | str:
        """The ramp and its state, or why they cannot be read."""
        why = self._why_no_text(release)
        if why is not None:
            return why
        ramp = self.release(release).ramp(key[1])
        if ramp is None:
            return f"its text has no ramp {key[1]}"
        try:
            state = self.state(key, record)
        except (ValueError, KeyError, TypeError) as error:
            return f"where its ramp {key[1]} stood is written in a way that is not known here ({error!r})"
        if state.step >= len(ramp.steps):
            return f"its ramp {key[1]} has no step {state.step + 1}"
        return ramp, state

    def state(self, key: RampKey, record: RampRecord) -> RampState:
        """The ramp's state as it is now."""
        known = self._states.get(key)
        if known is None or known[0] is not record:
            known = self._states[key] = (record, RampState.from_json(orjson.loads(record.state)))
        return known[1]

    def told(self, live: Live, state: RampState) -> None:
        """The state differs from the recorded one in words alone: keep it for those who ask."""
        self._states[live.key] = (live.record, state)

"""The numbered weights files of a node: written under a lock, verified by their seal, the newest in force by a symlink.

The number is this host's own and only grows, whoever writes: the agent, or a rollback without it. Control's version
of the weights is another number, which only the agent's memory and its reports know.
"""

import os
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from ..errors import WeightsDamaged
from ..snapshot.figures import Shares
from ..snapshot.manifest import Manifest
from ..snapshot.runtime import read_weights_file, weights_file
from ..weight import Weight
from .errors import StateBusy
from .resources import Resource
from .state_directory import KEPT_WEIGHTS, StateDirectory, make_durable, point, try_lock

_LOCK_SECONDS = 2.0
_RETRY_SECONDS = 0.001


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredWeights:
    """A weights file on disk: its number, its weights by route, this node's shares, and its bytes."""

    number: int
    weights: Mapping[str, Weight]
    shares: Shares
    data: bytes


class WeightFiles:
    """Reads and writes the weights of one state directory. Callers hold `locked` while they change anything."""

    def __init__(self, state: StateDirectory) -> None:
        self._state = state
        self._link = state.current(Resource.WEIGHTS)
        self._last: StoredWeights | None = None

    @contextmanager
    def locked(self, *, wait: Callable[[float], None] = time.sleep) -> Iterator[None]:
        """Keep other writers out; blocks for at most two seconds, normally not at all. Raises `StateBusy`."""
        deadline = time.monotonic() + _LOCK_SECONDS
        while (descriptor := try_lock(self._state.root / "weights.lock")) is None:
            if time.monotonic() > deadline:
                message = (
                    f"another process holds the weights of {self._state.root}: look for a fig node rollback that hangs"
                )
                raise StateBusy(message)
            wait(_RETRY_SECONDS)
        try:
            yield
        finally:
            os.close(descriptor)

    def in_force(self) -> StoredWeights:
        """The weights file that Envoy reads. Raises `WeightsDamaged`, also when there is none."""
        try:
            path = self._link.readlink()
            number = int(path.stem)
        except (OSError, ValueError) as error:
            message = f"{self._link} does not lead to a weights file"
            raise WeightsDamaged(message) from error
        if self._last is None or self._last.number != number:
            self._last = self._read(number)
        return self._last

    def doubt(self) -> None:
        """Read the file in force from the disk again before it is trusted next."""
        self._last = None

    def newest_good(self) -> StoredWeights | None:
        """The newest weights file that is whole, or None."""
        for number in sorted(self._numbers(), reverse=True):
            try:
                return self._read(number)
            except WeightsDamaged:
                continue
        return None

    def write(self, manifest: Manifest, weights: Mapping[str, Weight], shares: Shares) -> StoredWeights:
        """Write the next weights file and show it to Envoy; `settle` is left to the caller. Raises `OSError`."""
        number = max(self._numbers(), default=0) + 1
        data = weights_file(number, manifest, weights, shares)
        path = self.path(number)
        fresh = path.with_name(f".{path.name}.new")
        # Not made durable before the rename: a flip would wait for the disk, and a torn file is found by its seal.
        fresh.write_bytes(data)
        fresh.rename(path)
        point(self._link, path)
        kept = {name: weight for name, weight in weights.items() if name in manifest.routes}
        self._last = StoredWeights(number=number, weights=kept, shares=shares, data=data)
        return self._last

    def settle(self, number: int) -> None:
        """Wait until the file is on the disk, and drop those that are too old. Blocking. Raises `OSError`."""
        make_durable(self.path(number))
        for old in sorted(self._numbers())[:-KEPT_WEIGHTS]:
            self.path(old).unlink(missing_ok=True)

    def path(self, number: int) -> Path:
        """Where the weights file with this number is."""
        return self._state.weights / f"{number}.json"

    def _numbers(self) -> list[int]:
        names = os.listdir(self._state.weights)  # noqa: PTH208 - names are enough, and this is on a flip's path
        return [int(name[:-5]) for name in names if name.endswith(".json") and name[:-5].isdigit()]

    def _read(self, number: int) -> StoredWeights:
        try:
            data = self.path(number).read_bytes()
            stored = read_weights_file(data)
        except (OSError, WeightsDamaged) as error:
            message = f"{self.path(number)} cannot be used: {error}"
            raise WeightsDamaged(message) from error
        if stored.version != number:
            message = f"{self.path(number)} holds the weights file {stored.version}"
            raise WeightsDamaged(message)
        return StoredWeights(number=number, weights=stored.weights, shares=stored.shares, data=data)

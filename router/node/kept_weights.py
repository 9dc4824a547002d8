"""The weights that this host has on disk, as they are used: a damaged file is stood in for by the newest good one."""

from dataclasses import dataclass

from ..errors import WeightsDamaged
from .report import Problems
from .resources import Resource
from .state_directory import StateDirectory, point
from .weight_files import StoredWeights, WeightFiles
from .weights import Target, is_stored


@dataclass(frozen=True, slots=True, kw_only=True)
class KeptWeights:
    """Reads and writes them; the lock is the caller's."""

    files: WeightFiles
    state: StateDirectory
    problems: Problems

    def present(self) -> StoredWeights | None:
        """The weights in force, or those that stand in for them; None where there are none."""
        try:
            return self.files.in_force()
        except WeightsDamaged as error:
            good = self.files.newest_good()
            if good is not None:
                point(self.state.current(Resource.WEIGHTS), self.files.path(good.number))
                self.problems.note("weights file", f"{error}; the weights of file {good.number} are used")
            elif self.state.current(Resource.WEIGHTS).is_symlink():
                self.problems.note("weights file", f"{error}; the weights built into the snapshot are used")
            return good

    def has(self, wanted: Target) -> bool:
        """Whether these weights are the ones in force."""
        try:
            return is_stored(self.files.in_force(), wanted)
        except WeightsDamaged:
            return False

    def write(self, wanted: Target) -> StoredWeights:
        """Put these weights into the next file, and let the live file point there. Raises `OSError`."""
        return self.files.write(wanted.manifest, wanted.weights, wanted.shares)

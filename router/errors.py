"""The router's failures of the world: the class says what failed, the message names the thing and the next step.

    Failed                      the root of every package's tree; exit code 1
    └── RouterFailed            anything below failed while the router worked
        ├── ControlFailed       control cannot start or go on; who runs it must act
        │   └── LedgerFailed    its database cannot be read or written; retry when the disk is well
        ├── ControlUnreachable  nobody answers at control's address; start it, or name another address
        ├── ControlRefused      control answered, but could not: wrong token, or it failed itself
        ├── SnapshotDamaged     a snapshot's files are not what its manifest says; use the last good one
        └── WeightsDamaged      a weights file is not what was written; use the last good one

What is wrong with a user's text is never here: that is a `Diagnostic`.
"""

from strangler_fig.diagnostics import Failed


class RouterFailed(Failed):
    """The world failed while the router worked."""


class ControlFailed(RouterFailed):
    """The control process cannot start or go on."""


class LedgerFailed(ControlFailed):
    """The ledger's database cannot be read or written."""


class ControlUnreachable(RouterFailed):
    """No control process answers."""


class ControlRefused(RouterFailed):
    """The control process answered, but did not do it. `status` is HTTP's, `code` is control's own."""

    def __init__(self, message: str, *, status: int, code: str) -> None:
        super().__init__(message)
        self.status = status
        self.code = code


class SnapshotDamaged(RouterFailed):
    """A snapshot on disk is not whole."""


class WeightsDamaged(RouterFailed):
    """A weights file is not whole."""

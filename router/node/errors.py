"""What can fail on a router host.

NodeFailed
|-- Unreachable        a peer on a socket (Envoy's admin, control) does not answer: try again later
|-- EnvoyGone          Envoy ended or was replaced while something waited for it: the supervisor restarts it
|-- Rejection          Envoy does not take a snapshot: someone has to change the estate
|-- NotInForce         weights are on disk, but Envoy does not show them in time: look at the node
|-- StateBusy          another process holds this state directory
|-- NoAgent            no agent runs on this state directory: start one
`-- NothingStored      the state directory holds no snapshot that can be served
"""

from ..errors import RouterFailed


class NodeFailed(RouterFailed):
    """Something failed on this router host."""


class Unreachable(NodeFailed):
    """A peer does not answer; worth another try later."""


class EnvoyGone(NodeFailed):
    """Envoy ended, or another took its place, while an answer was awaited."""


class Rejection(NodeFailed):
    """Envoy does not take a snapshot; the message is its reason. Trying again does not help."""


class NotInForce(NodeFailed):
    """Envoy does not show the weights that are on disk."""


class StateBusy(NodeFailed):
    """Another process holds the state directory, or the lock on its weights."""


class NoAgent(NodeFailed):
    """No agent holds the state directory."""


class NothingStored(NodeFailed):
    """No snapshot on disk can be served."""

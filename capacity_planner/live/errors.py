"""What can go wrong with the world: one tree.

LiveFailed          exit 1
├── AwsFailed       an account did not answer: credentials, network
│   └── AwsDenied   the credentials may not ask this; whoever can do without the answer goes on
└── NetboxFailed    NetBox did not answer, or not as NetBox does
"""

from strangler_fig.diagnostics import Failed


class LiveFailed(Failed):
    """The world failed while it was looked at."""


class AwsFailed(LiveFailed):
    """An account did not answer."""


class AwsDenied(AwsFailed):
    """A call that the credentials may not make."""


class NetboxFailed(LiveFailed):
    """NetBox did not answer, or not as NetBox does."""

"""What can go wrong with the world: one tree.

LiveFailed      exit 1
├── AwsFailed       an account did not answer: credentials, permission, network
└── NetboxFailed    NetBox did not answer, or not as NetBox does
"""

from strangler_fig.diagnostics import Failed


class LiveFailed(Failed):
    """The world failed while it was looked at."""


class AwsFailed(LiveFailed):
    """An account did not answer."""


class NetboxFailed(LiveFailed):
    """NetBox did not answer, or not as NetBox does."""

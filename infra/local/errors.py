"""What can fail around a local estate without anybody's text being wrong.

Failed
  LocalFailed
    EnvironmentsLeft    handler processes outlived the shutdown; an operator must look
"""

from strangler_fig.diagnostics import Failed


class LocalFailed(Failed):
    """The root of this package's failures of the world."""


class EnvironmentsLeft(LocalFailed):
    """Handler processes that were killed have not gone; the message names their process ids."""

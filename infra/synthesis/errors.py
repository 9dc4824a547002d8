"""What can fail in synthesis without anybody's text being wrong.

Failed
  SynthesisFailed    Node or the CDK refused, or the folder cannot be written; the message says which
"""

from strangler_fig.diagnostics import Failed


class SynthesisFailed(Failed):
    """Templates could not be made or written; nothing of the folder that stood there was changed."""

"""Whether an invocation is the one that its environment was started for: the router counts its latency apart.

An environment that was made ahead of time (provisioned concurrency, SnapStart) keeps nobody waiting. Lambda says which
it is. Source: Lambda developer guide, "Defined runtime environment variables".
"""

import itertools
import os

_invocations = itertools.count()


def is_awaited() -> bool:
    """Whether this invocation waited for the environment's start. Asked once by each invocation: only the first can."""
    return next(_invocations) == 0 and os.environ.get("AWS_LAMBDA_INITIALIZATION_TYPE") == "on-demand"

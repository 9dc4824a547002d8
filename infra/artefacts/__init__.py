"""What the topology is made from: the planner's plan and verdicts, the estate, and the settings, as frozen values.

`read_inputs` is the way in. These files are where this package meets the planner and the router; it imports neither.
"""

from .reading import Inputs, read_inputs

__all__ = ["Inputs", "read_inputs"]

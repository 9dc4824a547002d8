"""Ids of spans and traces from the system's randomness.

The SDK takes them from `random`, whose state is in a SnapStart snapshot: environments that are restored from one would
give the same ids. Source: Lambda developer guide, "Handling uniqueness with Lambda SnapStart".
"""

import os


class Ids:
    """A generator of ids as the SDK wants it; none by name only, as `KeptSpans`."""

    def generate_span_id(self) -> int:
        """Eight random bytes; 0 is no id."""
        return int.from_bytes(os.urandom(8), "big") or 1

    def generate_trace_id(self) -> int:
        """Sixteen random bytes; 0 is no id."""
        return int.from_bytes(os.urandom(16), "big") or 1

    def is_trace_id_random(self) -> bool:
        """True: samplers may go by it."""
        return True

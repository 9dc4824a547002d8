"""How many execution environments a rate of requests needs, and how long Lambda takes to make them.

Little's law, and the quota of requests that one environment may serve; the larger counts.
Source: AWS Lambda Developer Guide, "Understanding Lambda function scaling", 2025.
"""

from dataclasses import dataclass

from .arithmetic import up
from .limits.values import Limits

SCALING_SECONDS = 10
"""The interval of the scaling rate. Source: AWS Lambda Developer Guide, "Lambda scaling behavior", 2025."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Concurrency:
    """The environments that a function needs: by Little's law, and by the request quota."""

    by_duration: int
    by_requests: int

    @property
    def environments(self) -> int:
        """The larger of the two."""
        return max(self.by_duration, self.by_requests)


def concurrency(rate: float, duration: float, limits: Limits) -> Concurrency:
    """What `rate` requests per second of `duration` seconds each need."""
    per_environment = limits["lambda_requests_per_environment"].value
    return Concurrency(by_duration=up(rate * duration), by_requests=up(rate / per_environment))


def ramp_seconds(environments: int, limits: Limits) -> int:
    """How long one function takes from cold to so many environments, in seconds."""
    return up(environments / limits["lambda_scaling_environments"].value) * SCALING_SECONDS


def protected_by(sessions: int, per_environment: int) -> int:
    """The reserved concurrency that keeps a function within so many sessions of a database."""
    return sessions // per_environment

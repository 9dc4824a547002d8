"""What is assumed of a route's users and of its two sides."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class SideAssumption:
    """How a side behaves: the share of requests that it fails, and the median of its latency in milliseconds."""

    errors: float
    latency_ms: float

    def __post_init__(self) -> None:
        if not 0 <= self.errors <= 1 or self.latency_ms <= 0:
            message = f"a share of errors from 0 to 1 and a latency above 0 ms are needed: {self}"
            raise ValueError(message)


@dataclass(frozen=True, slots=True, kw_only=True)
class Traffic:
    """What is assumed of each route: requests a second of how many users, and both sides.

    `seed` decides who they are and what happens to them. `unlucky_times`: two users in a hundred meet so many times the
    errors that others do, on both sides; the more, the longer a gate needs.
    """

    requests_per_second: float
    users: int
    legacy: SideAssumption
    lambda_: SideAssumption
    seed: int = 1
    unlucky_times: float = 1.0

    def __post_init__(self) -> None:
        if self.requests_per_second < 0 or self.users < 1:
            message = f"at least one user and no less than 0 requests a second: {self}"
            raise ValueError(message)

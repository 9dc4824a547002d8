"""What the loads run over: a demand with its limits, and with the counts decided that the file leaves open."""

import dataclasses
from dataclasses import dataclass

from ..demand.values import Demand
from ..limits.values import Limits


@dataclass(frozen=True, slots=True, kw_only=True)
class Network:
    """A demand, its limits, and how many proxies and targets stand in each zone."""

    demand: Demand
    limits: Limits
    proxies_per_az: int
    targets_per_az: int

    def limit(self, key: str) -> float:
        """The value of a limit."""
        return self.limits[key].value


def account_limits(demand: Demand, limits: Limits) -> Limits:
    """The limits with the quota that the demand file gives for its account."""
    quota = demand.account.concurrency
    if quota is None:
        return limits
    key = "lambda_account_concurrency"
    own = dataclasses.replace(limits[key], value=quota, source="the demand file, account.concurrency", overridden=True)
    return Limits({**limits.by_key, key: own})

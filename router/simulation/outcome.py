"""What came of a simulated release: what happened when, and how it ended for each route."""

import enum
from dataclasses import dataclass
from typing import Any

from ..gate.verdict import Verdict
from ..weight import Weight
from .traffic import Traffic

_SECONDS_A_MINUTE = 60.0


class Ending(enum.Enum):
    """How a ramp ended. Held: it waits, for a person or for a verdict that does not come."""

    COMPLETED = "completed"
    ROLLED_BACK = "rolled back"
    HELD = "held"


@dataclass(frozen=True, slots=True, kw_only=True)
class Moment:
    """Something that happened, so many seconds after the release began; the weight is the one from then on."""

    seconds: float
    weight: Weight
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """One look of the gate at a route: in which step, how long its weight had been in force, and the verdict."""

    seconds: float
    step: int
    elapsed_seconds: float
    weight: Weight
    verdict: Verdict


@dataclass(frozen=True, slots=True, kw_only=True)
class RouteRun:
    """What happened to one route. Looks are in order of time."""

    route: str
    ramp: str
    ending: Ending
    seconds: float
    highest: Weight
    reason: str
    moments: tuple[Moment, ...]
    looks: tuple[Look, ...]

    def to_json(self) -> dict[str, Any]:
        """The run as JSON values; weights in parts per 10,000."""
        return {
            "outcome": self.ending.value,
            "minutes": round(self.seconds / _SECONDS_A_MINUTE, 2),
            "highest_weight": self.highest.parts,
            "highest_weight_text": str(self.highest),
            "reason": self.reason,
            "ramp": self.ramp,
            "looks": len(self.looks),
            "happened": [
                {
                    "minutes": round(one.seconds / _SECONDS_A_MINUTE, 2),
                    "weight": one.weight.parts,
                    "text": one.text,
                }
                for one in self.moments
            ],
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Simulation:
    """A simulated release: what was assumed, and what happened to each route."""

    release: str
    traffic: Traffic
    runs: tuple[RouteRun, ...]

    def to_json(self) -> dict[str, Any]:
        """The simulation as JSON values."""
        traffic = self.traffic
        return {
            "release": self.release,
            "seed": traffic.seed,
            "assumed": {
                "requests_per_second": traffic.requests_per_second,
                "users": traffic.users,
                "legacy": {"errors": traffic.legacy.errors, "latency_ms": traffic.legacy.latency_ms},
                "lambda": {"errors": traffic.lambda_.errors, "latency_ms": traffic.lambda_.latency_ms},
            },
            "routes": {run.route: run.to_json() for run in self.runs},
        }

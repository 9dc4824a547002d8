"""The bodies about releases that control accepts, checked where they enter."""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from ..ramp.events import Command, Order
from .meant import Ordered
from .shapes import Plain

_Name = Annotated[Plain, Field(max_length=255)]
_Actor = Annotated[_Name, Field(min_length=1)]
_Why = Annotated[Plain, Field(min_length=1, max_length=4000)]
_ORDERS = (Command.APPROVE, Command.PAUSE, Command.RESUME, Command.ABORT, Command.ROLLBACK)


class SeenBody(BaseModel):
    """What of the present a plan counts with: its own weights, and what other routes send to its functions."""

    model_config = ConfigDict(extra="forbid")

    head: _Name
    estate: _Name
    weights: dict[_Name, int]
    others: dict[_Name, Annotated[float, Field(ge=0, le=1)]]
    frozen: bool


class StartBody(BaseModel):
    """`POST /v1/releases`. `document` is the release's text; `seen`: what its plan counts with, if it saw any.

    `basis` instead is the digest of everything in force: whoever gives it is refused when anything at all has moved.
    """

    model_config = ConfigDict(extra="forbid")

    document: Annotated[str, Field(min_length=1)]
    plan: _Name
    basis: str | None = None
    seen: SeenBody | None = None
    actor: _Actor
    reason: Annotated[Plain, Field(max_length=4000)] = ""


class OrderBody(BaseModel):
    """`POST /v1/releases/<name>/orders`."""

    model_config = ConfigDict(extra="forbid")

    command: Annotated[str, Field(pattern="^(" + "|".join(one.value for one in _ORDERS) + ")$")]
    route: _Name | None = None
    actor: _Actor
    reason: _Why
    wait_seconds: Annotated[float, Field(ge=0, le=600, allow_inf_nan=False)] = 5.0

    def order(self, release: str) -> Ordered:
        """The wish that the body stands for."""
        order = Order(command=Command(self.command), actor=self.actor, reason=self.reason)
        return Ordered(release=release, route=self.route, order=order)


class FreezeBody(BaseModel):
    """`POST /v1/freeze` and `/v1/thaw`."""

    model_config = ConfigDict(extra="forbid")

    actor: _Actor
    reason: _Why

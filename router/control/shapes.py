"""The bodies that control accepts, checked where they enter. A person's are strict, a node's may have more.

A node one version ahead of control must not be cut off, so its unknown keys are kept and shown, not refused.
"""

import re
from datetime import UTC, datetime
from typing import Annotated, Any

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    ValidationError,
    ValidatorFunctionWrapHandler,
    WrapValidator,
)

from strangler_fig.units import FULL_SHARE

from ..snapshot.figures import Shares
from ..weight import Weight
from .nodes import Rejection, Report, SharesInUse
from .publishing import Order
from .shadows import shares_version
from .sharing import Holding
from .state import Move

_LARGEST = 2**53
_CONTROL_CHARACTERS = re.compile(r"[\x00-\x1f\x7f-\x9f]+")


def _plain(text: str) -> str:
    """Without control characters: the text is shown on terminals."""
    return _CONTROL_CHARACTERS.sub(" ", text).strip()


def _in_utc(at: datetime) -> datetime:
    """A time without a zone is taken as UTC."""
    return at if at.tzinfo else at.replace(tzinfo=UTC)


Plain = Annotated[str, AfterValidator(_plain)]
_Name = Annotated[Plain, Field(max_length=255)]
_Reason = Annotated[Plain, Field(max_length=4000)]
_Version = Annotated[int, Field(ge=0, le=_LARGEST)]
_Count = Annotated[int, Field(ge=0, le=2**63)]
_Parts = Annotated[int, Field(strict=True, ge=0, le=FULL_SHARE)]
_Wait = Annotated[float, Field(ge=0, le=600, allow_inf_nan=False)]


class ShiftBody(BaseModel):
    """`POST /v1/shifts`."""

    model_config = ConfigDict(extra="forbid")

    route: _Name
    weight: _Parts
    actor: Annotated[_Name, Field(min_length=1)]
    reason: _Reason = ""
    wait_seconds: _Wait = 5.0

    def move(self, at: datetime) -> Move:
        """The wish that the body stands for."""
        return Move(route=self.route, to=Weight(self.weight), actor=self.actor, reason=self.reason, at=at)


class BackBody(BaseModel):
    """`POST /v1/publishes/back`."""

    model_config = ConfigDict(extra="forbid")

    actor: Annotated[_Name, Field(min_length=1)]
    reason: _Reason = ""
    wait_seconds: _Wait = 30.0
    dry_run: bool = False
    base: str | None = None

    def order(self) -> Order:
        """The wish that the body stands for."""
        return Order(
            actor=self.actor, reason=self.reason, wait_seconds=self.wait_seconds, dry_run=self.dry_run, base=self.base
        )


class PublishBody(BackBody):
    """`POST /v1/publishes`; `estate` is a normalised estate, judged by the loader, not here."""

    estate: dict[str, Any]


class _Lenient(BaseModel):
    model_config = ConfigDict(extra="allow")


class LocalMove(_Lenient):
    """A move towards legacy that a node made alone."""

    id: Annotated[str, Field(min_length=1, max_length=255)]
    route: _Name
    to: _Parts
    actor: _Name
    reason: _Reason = ""
    at: Annotated[datetime, AfterValidator(_in_utc)]

    def move(self, node: str) -> Move:
        """The move that the node tells of."""
        return Move(
            route=self.route,
            to=Weight(self.to),
            actor=self.actor or node,
            reason=self.reason,
            at=self.at,
            node=node,
            move_id=self.id,
        )


class Rejected(_Lenient):
    """The snapshot that a node did not take."""

    snapshot: str
    reason: _Reason


class Latency(_Lenient):
    """A histogram; buckets are cumulative."""

    bounds: list[float]
    counts: list[float]


class SideCounters(_Lenient):
    """What was counted for one assigned side of a route."""

    requests: float = 0
    by_status: dict[str, float] = {}
    fallbacks: float = 0
    latency_ms: Latency | None = None


class Traffic(_Lenient):
    """A node's reading of Envoy's counters."""

    epoch: str
    routes: dict[str, dict[str, SideCounters]]


def _if_it_fits(value: Any, parse: ValidatorFunctionWrapHandler) -> Any:
    """What is only shown must not cut a node off that says it otherwise: then it is left out."""
    try:
        return parse(value)
    except ValidationError:
        return None


_Shown = WrapValidator(_if_it_fits)
_Counts = dict[str, int]


class RouteFaults(_Lenient):
    """What did not go as it should on one route: how many requests by kind, and calls of candidates by reason."""

    requests: _Counts = {}
    calls: _Counts = {}
    shadow_calls: _Counts = {}


class CountersReading(_Lenient):
    """A node's reading of what should not be: by route, by alarm and service, of the telemetry receiver."""

    epoch: str
    routes: dict[str, RouteFaults] = {}
    odd_paths: _Counts = {}
    alarms: dict[str, _Counts] = {}
    telemetry: _Counts = {}


class Aws(_Lenient):
    """The credentials that a node lends to its Envoy, and how far its clock is from the API's (seconds)."""

    source: Plain
    method: Plain | None = None
    expires_at: datetime | None = None
    valid: bool | None = None
    clock_skew_seconds: float | None = None


class Certificate(_Lenient):
    """A certificate that a node's Envoy reads."""

    file: Plain
    subject: Plain = ""
    not_after: Annotated[datetime, AfterValidator(_in_utc)]


class EnvoyState(_Lenient):
    """Envoy, as its node sees it."""

    state: Plain
    pid: int | None = None
    version: Plain | None = None
    restarts: int = 0


class SharesSaid(_Lenient):
    """What a node may use of the fleet's figures and uses now, by runtime key; `refused` by limits, by route."""

    version: str | None = None
    nodes: _Count | None = None
    of: dict[str, _Count] = {}
    in_use: dict[str, _Count] = {}
    overflows: dict[str, _Count] = {}
    refused: dict[str, _Count] = {}

    def value(self) -> SharesInUse:
        """The same as a value."""
        return SharesInUse(
            holding=Holding(
                version=shares_version(self.version), shares=Shares(nodes=self.nodes, of=self.of), in_use=self.in_use
            ),
            overflows=self.overflows,
            refused=self.refused,
        )


class ReportBody(_Lenient):
    """`POST /v1/nodes/<name>/report`."""

    revision: _Version
    snapshot: str | None = None
    weights_version: _Version
    entry: Plain | None = None
    envoy: EnvoyState | None = None
    problems: list[Plain] = []
    rejected: Rejected | None = None
    local_moves: list[LocalMove] = []
    traffic: Traffic | None = None
    evidence: dict[str, Any] | None = None
    shares: SharesSaid | None = None
    left: bool = False
    counters: Annotated[CountersReading | None, _Shown] = None
    aws: Annotated[Aws | None, _Shown] = None
    certificates: list[Annotated[Certificate | None, _Shown]] = []
    at: str | None = None

    def report(self) -> Report:
        """The report as a value; what `fig status` shows of it has no counters, shares or moves of its own."""
        said = self.model_dump(mode="json", exclude={"traffic", "evidence", "local_moves", "counters", "shares"})
        said["certificates"] = [one for one in said["certificates"] if one is not None]
        return Report(
            revision=self.revision,
            snapshot=self.snapshot,
            weights_version=self.weights_version,
            rejected=Rejection(snapshot=self.rejected.snapshot, reason=self.rejected.reason) if self.rejected else None,
            traffic=self.traffic.model_dump(mode="json") if self.traffic else None,
            counters=self.counters.model_dump(mode="json") if self.counters else None,
            said=said,
            shares=self.shares.value() if self.shares else None,
            has_left=self.left,
        )

"""The release file's shapes: which keys there are, what each value must be, and what a reader should know about it."""

from datetime import datetime, time
from typing import Annotated, Any, Literal, Self

from pydantic import BeforeValidator, ConfigDict, Field, PlainValidator, WithJsonSchema, model_validator

from ..source import tokens
from ..source.fault import Fault
from ..source.shapes import only_a_number
from ..source.values import (
    Duration,
    HeaderName,
    HeaderValue,
    Name,
    Shape,
    ShareOfRequests,
    described,
    exactly_one,
    parsed,
    refused,
)
from . import grammar
from .gate_shape import GateShape
from .grammar import Days, Held

STEP = "RS107"


def _days(value: object) -> Days:
    """The days that a text or a list of texts names."""
    words = value if isinstance(value, list) else [value]
    days = Days()
    for word in words:
        if not isinstance(word, str):
            raise refused(Fault(grammar.DAYS, f"{word!r} is not a day", "write mon-fri, sat, or a date as 2026-12-05"))
        try:
            found = grammar.parse_days(word)
        except Fault as fault:
            raise refused(fault) from fault
        days = Days(days.weekdays | found.weekdays, days.dates | found.dates)
    return days


_ANY_OF = ("shadow", "cohort", "lambda", "pause", "glide", "ready")

ReleaseName = Annotated[str, parsed(grammar.parse_release_name), described(grammar.NAME_PATTERN, "2026.11.2")]
RouteName = Annotated[str, parsed(grammar.parse_route_name), described(tokens.ID_PATTERN, "books-read")]
Line = Annotated[str, parsed(grammar.parse_line), described(f".{{1,{grammar.LONGEST_LINE}}}", "CHG-4711")]
HeldShare = Annotated[
    Held, parsed(grammar.parse_held, of_number=True), described(grammar.HELD_PATTERN, "1% for 2h", "100% for 7d")
]
DaysOrDay = Annotated[
    Days,
    PlainValidator(_days),
    WithJsonSchema({"type": ["string", "array"], "items": {"type": "string"}, "examples": ["mon-fri", "2026-12-05"]}),
]
Clock = Annotated[time | None, parsed(grammar.parse_clock), described(grammar.CLOCK_PATTERN, "08:30")]
Instant = Annotated[datetime, parsed(grammar.parse_instant), described(grammar.INSTANT_PATTERN, "2026-12-18 18:00")]
LastInstant = Annotated[datetime, parsed(grammar.parse_last_instant), described(grammar.INSTANT_PATTERN, "2027-01-04")]
Zone = Annotated[str, parsed(grammar.parse_zone), described("[A-Za-z0-9_+/-]+", "Europe/Zurich")]
Count = Annotated[int, Field(ge=1, le=10_000)]


class CohortShape(Shape):
    """Named users who go to Lambda before any share of all users does."""

    header: HeaderName = Field(description="The request header that names them.")
    values: Annotated[list[HeaderValue], Field(min_length=1)] = Field(description="Its values.")
    for_: Duration | None = Field(None, alias="for", description="How long at least before the next step. Default: 0s.")


class ReadyShape(Shape):
    """What is made ready before the next share."""

    model_config = ConfigDict(json_schema_extra=exactly_one("warm_calls", "provisioned_concurrency"))

    warm_calls: Count | None = Field(None, description="So many calls at once, so that environments have started.")
    provisioned_concurrency: Count | None = Field(None, description="So much of it on the function's alias or version.")

    @model_validator(mode="after")
    def _one(self) -> Self:
        if (self.warm_calls is None) == (self.provisioned_concurrency is None):
            raise refused(Fault(STEP, "exactly one thing is made ready", "write warm_calls or provisioned_concurrency"))
        return self


class StepShape(Shape):
    """One step: exactly one of shadow, cohort, lambda, pause, glide, ready; beside lambda also shadow and holdback."""

    model_config = ConfigDict(json_schema_extra={"anyOf": [{"required": [key]} for key in _ANY_OF]})

    shadow: HeldShare | None = Field(
        None, description="Show Lambda this share of what legacy serves; alone, or beside lambda."
    )
    cohort: CohortShape | None = Field(None, description="Send named users to Lambda.")
    lambda_: HeldShare | None = Field(
        None, alias="lambda", description="Send this share of users to Lambda, held at least so long."
    )
    pause: Literal["approval"] | None = Field(None, description="Go on when a person has approved.")
    glide: Duration | None = Field(None, description="Reach the next share in so much time, in small moves.")
    ready: ReadyShape | None = Field(None, description="Make something ready before the next share.")
    holdback: ShareOfRequests | None = Field(
        None, description="Beside lambda: 100%: keep so many users on legacy to compare with, until the hold is over."
    )

    @model_validator(mode="after")
    def _one(self) -> Self:
        given = [key for key in _ANY_OF if getattr(self, "lambda_" if key == "lambda" else key) is not None]
        if given == ["shadow", "lambda"]:
            given = ["lambda"]
        if len(given) != 1:
            text = f"{' and '.join(given)} in one step" if given else "a step that does nothing"
            raise refused(Fault(STEP, text, f"write one of {', '.join(_ANY_OF)}, each as a list item of its own"))
        if self.holdback is not None and self.lambda_ is None:
            raise refused(Fault(STEP, f"holdback beside {given[0]}", "a holdback belongs beside lambda: 100%"))
        if self.shadow is not None and self.lambda_ is not None and self.shadow.seconds is not None:
            raise refused(Fault(STEP, "shadow beside lambda lasts as long as the share", "write shadow without a time"))
        return self


class HoursShape(Shape):
    """From when to when on which days."""

    days: DaysOrDay = Field(description="mon-fri, one day, a date, or a list of them.")
    from_: Clock = Field(alias="from", description="When it opens, by the time zone's clock.")
    until: Clock = Field(description="When it closes; before `from`, on the next day. The day ends at 24:00.")


class FreezeShape(Shape):
    """A time in which nothing moves towards Lambda."""

    from_: Instant = Field(alias="from", description="When it begins: a date, or a date and a time.")
    until: LastInstant = Field(description="When it ends: a date (all of it), or a date and a time.")
    reason: Line | None = Field(None, description="What is shown to those who wait.")


class WindowsShape(Shape):
    """When the release may move towards Lambda. Towards legacy it always may."""

    time_zone: Zone = Field(description="Whose clock the times are read by.")
    open: list[HoursShape] | None = Field(None, description="When it may move. Default: always.")
    freezes: list[FreezeShape] = Field(default_factory=list, description="When it may not, whatever the hours say.")


OnBreachText = Literal["rollback", "step back", "freeze"]


class RampShape(Shape):
    """What one route, or a group of them, does step by step."""

    from_: ShareOfRequests = Field(
        0, alias="from", description="The share that an earlier release left it at. Default: 0%."
    )
    steps: Annotated[list[StepShape], Field(min_length=1)] = Field(description="What happens, in this order.")
    gate: GateShape | None = Field(None, description="What each step must keep. Default: the release's.")
    on_breach: OnBreachText | None = Field(None, description="What a failed gate does. Default: the release's.")
    windows: WindowsShape | None = Field(None, description="When it may move. Default: the release's.")


class GroupShape(RampShape):
    """Routes that move together: one weight, one cohort, and each step waits for all."""

    routes: Annotated[list[RouteName], Field(min_length=2)] = Field(
        description="The routes, which share a salt in the estate."
    )


class ReleaseShape(Shape):
    """One reviewed file: what moves, how, when, and what it must keep."""

    version: Annotated[Literal[1], BeforeValidator(only_a_number)] = Field(description="Version of this format.")
    release: ReleaseName = Field(description="Its name.")
    ticket: Line = Field(description="The change's ticket, which the history names.")
    gate: GateShape | None = Field(None, description="What each step must keep. Default: the built-in limits.")
    on_breach: OnBreachText = Field(
        "rollback", description="What a failed gate does: all to legacy, one step back, or stay. Default: rollback."
    )
    windows: WindowsShape | None = Field(None, description="When it may move. Default: always.")
    routes: dict[Name, RampShape] = Field(default_factory=dict, description="Routes that move alone.")
    groups: dict[Name, GroupShape] = Field(default_factory=dict, description="Routes that move together, by group.")

    @property
    def ramps(self) -> list[tuple[tuple[str, str], RampShape, tuple[str, ...]]]:
        """Every ramp: its place in the file, its shape, its routes."""
        alone: list[tuple[tuple[str, str], RampShape, tuple[str, ...]]] = [
            (("routes", name), shape, (name,)) for name, shape in self.routes.items()
        ]
        return alone + [(("groups", name), shape, tuple(shape.routes)) for name, shape in self.groups.items()]


def known_keys() -> dict[tuple[str, ...], list[str]]:
    """The keys that are allowed at each path, for "did you mean"; `*` stands for a name or a place in a list."""
    gate = {(): _keys(GateShape)} | GateShape.known_below()
    windows: dict[tuple[str, ...], list[str]] = {
        (): _keys(WindowsShape),
        ("open", "*"): _keys(HoursShape),
        ("freezes", "*"): _keys(FreezeShape),
    }
    step: dict[tuple[str, ...], list[str]] = {
        (): _keys(StepShape),
        ("cohort",): _keys(CohortShape),
        ("ready",): _keys(ReadyShape),
    }
    ramp = _below(("gate",), gate) | _below(("windows",), windows) | _below(("steps", "*"), step)
    return (
        {(): _keys(ReleaseShape), ("routes", "*"): _keys(RampShape), ("groups", "*"): _keys(GroupShape)}
        | _below(("gate",), gate)
        | _below(("windows",), windows)
        | _below(("routes", "*"), ramp)
        | _below(("groups", "*"), ramp)
    )


def _keys(shape: type[Shape]) -> list[str]:
    return [field.alias or name for name, field in shape.model_fields.items()]


def _below(path: tuple[str, ...], known: dict[tuple[str, ...], Any]) -> dict[tuple[str, ...], list[str]]:
    return {(*path, *inner): keys for inner, keys in known.items()}

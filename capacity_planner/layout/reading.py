"""The plan file read back, strictly: text becomes the plan that was written, or everything that is wrong with it."""

from typing import Any, NoReturn

import pydantic

from strangler_fig.diagnostics import Diagnostic, Refused, in_file_order
from strangler_fig.shapes import shape_diagnostics

from ..addresses.block import Block
from ..allocations.json_text import JsonDocument, read_json
from ..interfaces import Model
from . import document
from .extent import Extent
from .shapes import PlanShape, RoomShape, SegmentShape, SpaceShape, VpcShape, known_keys
from .soundness import contradictions
from .values import (
    Figure,
    FunctionPlace,
    Kind,
    Plan,
    Purpose,
    Range,
    Room,
    Savings,
    Segment,
    Space,
    Spot,
    Use,
    Vpc,
    Zone,
)

NO_PLAN = "PL101"
VERSION = "PL102"
DIGEST = "PL103"
VALUE = "PL104"
CONTRADICTION = "PL105"

_HINT = "a plan is written by `fig cidr plan` alone: take the file from version control, or plan again without it"
_UPGRADE = "upgrade fig: pip install --upgrade 'strangler-fig[planner]'"

_Path = tuple[str | int, ...]


def read(text: str, *, file: str) -> Plan:
    """The plan that a plan file holds. Raises `Refused` with every finding."""
    read_text, found = read_json(text, file=file)
    if read_text is None:
        raise Refused(found)
    return _Reader(read_text).plan()


class _Reader:
    """One file on its way to a plan."""

    def __init__(self, places: JsonDocument) -> None:
        self.places = places
        self.found: list[tuple[_Path, str]] = []

    def plan(self) -> Plan:
        data = self.places.data
        if not isinstance(data, dict) or "version" not in data:
            self._refuse(NO_PLAN, "this is not a plan: it has no version", hint=_HINT)
        self._version(data["version"])
        if data.get("digest") != document.digest_of(data):
            message = "the digest does not fit the plan: the file was changed by hand, or damaged"
            self._refuse(DIGEST, message, "digest", hint=_HINT)
        plan = self._values(self._shape(data))
        self._stop(VALUE)
        self.found.extend(contradictions(plan))
        self._stop(CONTRADICTION)
        if document.to_json(plan) != {key: value for key, value in data.items() if key not in ("version", "digest")}:
            self._refuse(CONTRADICTION, "the plan does not agree with itself: derived figures differ", hint=_HINT)
        return plan

    def _version(self, version: Any) -> None:
        if version == document.VERSION and isinstance(version, int) and not isinstance(version, bool):
            return
        if isinstance(version, int) and version > document.VERSION:
            message = f"the plan has version {version}, and this fig reads version {document.VERSION}"
            self._refuse(
                VERSION, message, "version", hint="upgrade fig: pip install --upgrade 'strangler-fig[planner]'"
            )
        self._refuse(VERSION, f"{version!r} is no version of a plan", "version", hint=_HINT)

    def _shape(self, data: dict[str, Any]) -> PlanShape:
        try:
            return PlanShape.model_validate(data)
        except pydantic.ValidationError as error:
            errors = [dict(one) for one in error.errors()]
            found = shape_diagnostics(errors, self.places, known_keys=known_keys())
            raise Refused(in_file_order(found)) from None

    def _refuse(self, code: str, message: str, *path: str | int, hint: str) -> NoReturn:
        position = self.places.at(*path)
        raise Refused([Diagnostic(code=code, message=message, position=position, hint=hint)])

    def _stop(self, code: str) -> None:
        """Raise `Refused` where anything was found."""
        if self.found:
            raise Refused(
                in_file_order(
                    Diagnostic(code=code, message=message, position=self.places.at(*path), hint=_HINT)
                    for path, message in self.found
                )
            )

    def _values(self, shape: PlanShape) -> Plan:
        return Plan(
            as_of=shape.as_of,
            model=Model(shape.model),
            region=shape.region or "",
            azs=tuple(shape.azs),
            growth=shape.growth.factor,
            years=shape.growth.years,
            vpcs=tuple(self._vpc(vpc, ("vpcs", place)) for place, vpc in enumerate(shape.vpcs)),
            functions=tuple(
                FunctionPlace(name=name, vpc=one.vpc, zone=one.zone, azs=tuple(one.azs), set_number=one.set or 1)
                for name, one in shape.functions.items()
            ),
            spaces=tuple(self._space(space, ("spaces", place)) for place, space in enumerate(shape.spaces)),
            savings=Savings(**shape.savings.model_dump()),
            figures=tuple(Figure(key=key, **figure.model_dump()) for key, figure in shape.limits.items()),
            inputs=shape.inputs,
        )

    def _vpc(self, shape: VpcShape, path: _Path) -> Vpc:
        ranges = [
            Range(
                extent=self._extent(one.block, one.parts, one.reserve, (*path, "ranges", place)),
                is_routable=one.routable,
            )
            for place, one in enumerate(shape.ranges)
        ]
        return Vpc(
            name=shape.name,
            kind=Kind(shape.kind),
            way=shape.way or "",
            ranges=tuple(ranges),
            segments=tuple(
                self._segment(segment, (*path, "segments", place)) for place, segment in enumerate(shape.segments)
            ),
            endpoints=tuple(shape.endpoints),
            stock=dict(shape.stock),
            zones=tuple(Zone(**zone.model_dump()) for zone in shape.zones),
            others=tuple(self._block(one, (*path, "others", place)) for place, one in enumerate(shape.others)),
            room=_room(shape.free),
            is_dual_stack=bool(shape.dual_stack),
            ipv6=self._block(shape.ipv6, (*path, "ipv6")) if shape.ipv6 else None,
        )

    def _segment(self, shape: SegmentShape, path: _Path) -> Segment:
        indices = tuple(subnet.ipv6_index for subnet in shape.subnets if subnet.ipv6_index is not None)
        if indices and len(indices) < len(shape.subnets):
            self.found.append(((*path, "subnets"), "some subnets have an ipv6_index and some have none"))
            indices = ()
        parts = [subnet.cidr for subnet in shape.subnets]
        return Segment(
            spot=Spot(purpose=Purpose(shape.purpose), zone=shape.zone or "", az=shape.az, number=shape.number or 1),
            extent=self._extent(shape.block, parts, shape.reserve, path),
            uses=tuple(Use(what=use.what, addresses=use.addresses) for use in shape.uses),
            ipv6_indices=indices,
        )

    def _space(self, shape: SpaceShape, path: _Path) -> Space:
        return Space(
            block=self._block(shape.block, (*path, "block")),
            is_routable=shape.routable,
            others=shape.others,
            room=_room(shape.free),
            occupied=tuple(shape.occupied),
        )

    def _extent(self, block: str, parts: list[str], reserve: str | None, path: _Path) -> Extent:
        whole = self._block(block, (*path, "block"))
        rows = tuple(self._block(part, path) for part in parts)
        kept = self._block(reserve, (*path, "reserve")) if reserve else None
        try:
            return Extent(block=whole, parts=rows, reserve=kept)
        except ValueError as error:
            self.found.append((path, str(error)))
            return Extent.new(whole)

    def _block(self, text: str, path: _Path) -> Block:
        try:
            return Block.of(text)
        except ValueError as error:
            self.found.append((path, f"{text!r} is not a block: {error}"))
            return Block(4, 0, 32)


def _room(shape: RoomShape) -> Room:
    return Room(
        addresses=shape.addresses,
        largest=int(shape.largest.removeprefix("/")) if shape.largest else None,
        fragmentation=shape.fragmentation,
    )

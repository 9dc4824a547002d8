"""Control's HTTP API: reads and checks what was sent, asks the parts, answers JSON. It decides nothing itself."""

import asyncio
import json
import re
import sys
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from starlette.requests import Request
from starlette.responses import FileResponse, JSONResponse, Response
from starlette.routing import Route

from ..errors import LedgerFailed
from ..ledger.records import Entry
from ..snapshot.directory import FILES
from ..weight import LAMBDA_ONLY
from .guard import read_body
from .history import WINDOW_SECONDS, summed
from .intake import Intake
from .keeper import Keeper
from .nodes import Nodes, Seen, runs
from .publishing import Publishing
from .refusal import NotDone
from .releases_api import ReleasesApi
from .shadows import shadows, told_json, told_version
from .shapes import BackBody, PublishBody, ReportBody, ShiftBody
from .shares_status import shares_status, small_figures
from .sharing import Sharing
from .shifting import Shifting
from .state import too_many, weight_of
from .traffic import rates

LONGEST_POLL_SECONDS = 30.0
_MOST_ENTRIES = 1000
_SMALL_BYTES = 64 * 1024
_REPORT_BYTES = 16 * 1024 * 1024
_ESTATE_BYTES = 64 * 1024 * 1024
_DIGEST = re.compile(r"[0-9a-f]{64}")
_NODE = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,252}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Api:
    """The handlers, and the parts they ask."""

    keeper: Keeper
    nodes: Nodes
    shifting: Shifting
    publishing: Publishing
    sharing: Sharing
    releases: ReleasesApi
    intake: Intake
    now: Callable[[], datetime]

    def routes(self) -> list[Route]:
        """Every path that control has."""
        return [
            Route("/v1/health", self.health, methods=["GET"]),
            Route("/v1/desired", self.desired, methods=["GET"]),
            Route("/v1/snapshots/{digest}/{file}", self.snapshot_file, methods=["GET"]),
            Route("/v1/nodes/{name}/report", self.report, methods=["POST"]),
            Route("/v1/status", self.status, methods=["GET"]),
            Route("/v1/shifts", self.shift, methods=["POST"]),
            Route("/v1/history", self.history, methods=["GET"]),
            Route("/v1/publishes", self.publish, methods=["POST"]),
            Route("/v1/publishes/back", self.publish_back, methods=["POST"]),
            Route("/v1/estate", self.estate, methods=["GET"]),
            *self.releases.routes(),
        ]

    async def health(self, _request: Request) -> Response:
        """Say that this process answers; the one path without a token."""
        return JSONResponse({"ok": True})

    async def desired(self, request: Request) -> Response:
        """What nodes should run, as soon as its revision differs from `after`, or after `wait` seconds.

        Differs, not exceeds: a node that knows a newer revision (the ledger came from a backup) must hear at once. One
        that says who it is hears its shares too, as soon as their version differs from `shares`.
        """
        after = _number(request, "after", -1)
        wait = min(max(_number(request, "wait", 0), 0), LONGEST_POLL_SECONDS)
        node, shares = request.query_params.get("node"), request.query_params.get("shares")
        if node is not None:
            _checked(node)
            self.sharing.polled(node)

        def news() -> bool:
            told = self.sharing.told_to(node) if node is not None else None
            version = told_version(told, self._shadows()) if told is not None else shares
            return self.keeper.desired.revision != after or version != shares

        await self.keeper.bell.until(news, wait)
        desired = self.keeper.desired
        weights = {"version": desired.weights_version, "routes": desired.moving()}
        answer = {"revision": desired.revision, "snapshot": desired.snapshot, "weights": weights}
        told = self.sharing.told_to(node) if node is not None else None  # None: it has left since
        return JSONResponse(answer | ({"shares": told_json(told, self._shadows())} if told else {}))

    async def snapshot_file(self, request: Request) -> Response:
        """One file of a snapshot; only a digest and a file's known name are ever made into a path."""
        digest, name = request.path_params["digest"], request.path_params["file"]
        if _DIGEST.fullmatch(digest) and name in FILES:
            path = self.keeper.snapshots / digest / name
            if path.is_file():
                return FileResponse(path, media_type="application/json")
        raise NotDone(404, "CT404", "there is no such snapshot or file")

    async def report(self, request: Request) -> Response:
        """Take a node's report; the answer acknowledges the node's own moves that are in the history now."""
        name = _checked(request.path_params["name"])
        body = await read_body(request, ReportBody, _REPORT_BYTES)
        acknowledged: list[str] = []
        report = body.report()
        if report.has_left:
            self.sharing.left(name)
        else:
            self.sharing.heard(name, report.shares.holding if report.shares else None)
        try:
            before = self.nodes.heard(name, report)
            self.releases.legacy_use.heard(name, report)
            self.intake.heard(name, body.evidence, has_left=report.has_left)
            if body.local_moves:
                acknowledged = await self.shifting.reconcile(name, [move.move(name) for move in body.local_moves])
            if before is None:
                await asyncio.to_thread(self.keeper.ledger.remember_node, name, self.now())
            await self.publishing.heard(self.nodes.last(name))
        except LedgerFailed as error:  # the node reports again in a second; what it runs does not depend on the ledger
            sys.stderr.write(f"control: {error}\n")
        return JSONResponse({"acknowledged": acknowledged})

    async def status(self, _request: Request) -> Response:
        """Routes with weights and traffic, nodes with what is in force there."""
        published, live = self.keeper.published, self.nodes.live()
        problems = small_figures(published, self.sharing)
        problems += [
            *self.keeper.found_at_start,
            *self.intake.problems.values(),
            *self.releases.ramping.told_problems(),
        ]
        if many := too_many(self.keeper.desired):
            problems.append(many)
        if self.keeper.behind:
            problems.append("moves towards legacy are in force that the ledger could not take yet")
        return JSONResponse(
            {
                "snapshot": self.keeper.desired.snapshot,
                "published_at": published.published_at.isoformat() if published else None,
                "revision": self.keeper.desired.revision,
                "problems": problems,
                "routes": self._routes(rates(seen.readings for seen in live)),
                "counters": {"window_seconds": WINDOW_SECONDS, **summed(seen.history for seen in live)},
                "nodes": [self._node(seen) for seen in self.nodes.all()],
                **shares_status(published, self.sharing, self.nodes),
                **await self.releases.status(),
            }
        )

    async def shift(self, request: Request) -> Response:
        """Set a route's weight."""
        body = await read_body(request, ShiftBody, _SMALL_BYTES)
        return JSONResponse(await self.shifting.shift(body.move(self.now()), body.wait_seconds))

    async def history(self, request: Request) -> Response:
        """Who moved what, when; newest first."""
        limit = int(min(max(_number(request, "limit", 50), 1), _MOST_ENTRIES))
        route, release = request.query_params.get("route"), request.query_params.get("release")
        after = int(max(_number(request, "after", 0), 0))
        read = self.keeper.ledger.history
        entries = await asyncio.to_thread(read, route=route, release=release, after=after, limit=limit)
        return JSONResponse({"entries": [_entry(entry) for entry in entries]})

    async def publish(self, request: Request) -> Response:
        """Publish an estate, or say what it would change."""
        body = await read_body(request, PublishBody, _ESTATE_BYTES)
        return JSONResponse(await self.publishing.publish(json.dumps(body.estate), body.order()))

    async def publish_back(self, request: Request) -> Response:
        """Publish the estate before the present one."""
        body = await read_body(request, BackBody, _SMALL_BYTES)
        return JSONResponse(await self.publishing.publish_back(body.order()))

    async def estate(self, _request: Request) -> Response:
        """The published estate and its weights."""
        published = self.keeper.published
        if published is None:
            raise NotDone(404, "CT404", "no estate is published", hint="fig publish ESTATE")
        desired = self.keeper.desired
        weights = {route: weight_of(desired, route).parts for route in published.manifest.routes}
        estate = json.loads(published.text)
        return JSONResponse({"estate": estate, "weights": weights, "snapshot": desired.snapshot})

    def _shadows(self) -> dict[str, int]:
        return shadows(self.releases.ramping.parts.running, self.keeper.desired)

    def _routes(self, traffic: dict[str, Any]) -> list[dict[str, Any]]:
        published, desired = self.keeper.published, self.keeper.desired
        listed = []
        for route in published.estate.routes if published else ():
            held = desired.weights.get(route.name) if route.has_two_sides else None
            only_lambda = LAMBDA_ONLY if route.legacy is None else None
            weight = held.weight if held else only_lambda
            sides = traffic.get(route.name, {})
            listed.append(
                {
                    "route": route.name,
                    "weight": weight.parts if weight is not None else None,
                    "weight_text": str(weight) if weight is not None else "-",
                    "two_sides": route.has_two_sides,
                    "moving": held.moving if held else False,
                    "since": held.since.isoformat() if held else None,
                    "by": held.by if held else None,
                    "traffic": {side: rate.to_json() for side, rate in sides.items()},
                }
            )
        return listed

    def _node(self, seen: Seen) -> dict[str, Any]:
        desired, live = self.keeper.desired, self.nodes.is_live(seen)
        in_force = runs(seen, snapshot=desired.snapshot, weights_version=desired.weights_version)
        about = {"name": seen.name, "live": live, "last_seen_seconds": round(self.nodes.age_seconds(seen), 1)}
        # What concerns routes stands once, for all nodes together.
        about["counters"] = {name: tree for name, tree in summed([seen.history]).items() if name != "routes"}
        return {**seen.report.said, **about, "in_force": live and in_force}


def _checked(name: str) -> str:
    if not _NODE.fullmatch(name):
        raise NotDone(422, "CT422", "a node's name has letters, digits, dots and dashes only")
    return name


def _number(request: Request, name: str, default: float) -> float:
    text = request.query_params.get(name)
    if text is None:
        return default
    if not re.fullmatch(r"-?[0-9]{1,18}(\.[0-9]{1,9})?", text):
        raise NotDone(422, "CT422", f"{name} is not a number")
    return float(text) if "." in text else int(text)


def _entry(entry: Entry) -> dict[str, Any]:
    return {
        "id": entry.id,
        "at": entry.at.isoformat(),
        "kind": entry.kind.value,
        "route": entry.route,
        "from": entry.before.parts if entry.before is not None else None,
        "to": entry.after.parts if entry.after is not None else None,
        "actor": entry.actor,
        "reason": entry.reason,
        "snapshot": entry.snapshot,
        "node": entry.node,
        "release": entry.release,
        "step": entry.step,
        "evidence": entry.evidence,
        "details": json.loads(entry.details) if entry.details else None,
        "digest": entry.digest,
    }

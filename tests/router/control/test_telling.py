"""What control tells by OTLP, decoded by the protocol's own schema, and that nothing waits for who hears it."""

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from google.protobuf.json_format import Parse
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest

from router.control.keeper import Keeper
from router.control.telling import Telling
from router.estate import Endpoint, Telemetry
from router.ledger.records import Kind, NewEntry
from router.weight import Weight
from tests.router.dataplane.otlp import attributes
from tests.router.dataplane.standins import Reply, Seen, StandIn

from .fakes import Here, run, until
from .ramps import ESTATE

AT = datetime(2026, 11, 2, 8, 0, tzinfo=UTC)
ENTRY = NewEntry(
    at=AT,
    kind=Kind.STEP,
    actor="control",
    reason="step 1 passed",
    route="books",
    before=Weight(100),
    after=Weight(1000),
    release="r1",
    step=2,
    details='{"verdict": "pass"}',
)


def watched(keeper: Keeper, port: int) -> None:
    """Let the published estate have telemetry that goes to this port."""
    published = keeper.published
    assert published is not None
    telemetry = Telemetry(otlp=Endpoint("127.0.0.1", port), tls=None, path="", sample=0)
    keeper.published = replace(published, estate=replace(published.estate, telemetry=telemetry))


def events(seen: Sequence[Seen]) -> list[Any]:
    """The log records that came so far."""
    logs = [Parse(one.body, ExportLogsServiceRequest()) for one in seen if one.path == "/v1/logs"]
    scopes = [scope for one in logs for group in one.resource_logs for scope in group.scope_logs]
    return [record for scope in scopes for record in scope.log_records]


def test_decisions_and_weights_are_told(tmp_path: Path) -> None:
    """Each entry of the history is a log event with its route, release, step, verdict; each weight is a gauge."""

    async def story(here: Here) -> None:
        await here.publish(ESTATE, wait_seconds=0)
        telling = Telling(keeper=here.control.keeper, now=lambda: AT)
        with StandIn(lambda _: Reply()).running() as receiver:
            watched(here.control.keeper, receiver.port)
            task = asyncio.create_task(telling.run())
            here.control.keeper.decided = telling.decided
            telling.decided([ENTRY])
            await here.shift("books", 100, wait_seconds=0)
            await until(lambda: len({one.event_name for one in events(receiver.seen)}) == 3)
            task.cancel()
        step = next(one for one in events(receiver.seen) if one.event_name == "fig.step")
        assert attributes(step.attributes) == {
            "fig.route": "books",
            "fig.weight": 1000,
            "fig.release": "r1",
            "fig.step": 2,
            "fig.verdict": "pass",
            "fig.actor": "control",
        }
        assert step.time_unix_nano == int(AT.timestamp()) * 10**9
        head = [one for one in events(receiver.seen) if one.event_name == "fig.ledger.head"][-1]
        assert head.body.string_value == here.ledger.head().digest
        body = [one.body for one in receiver.seen if one.path == "/v1/metrics"][-1]
        (group,) = Parse(body, ExportMetricsServiceRequest()).resource_metrics
        assert attributes(group.resource.attributes) == {"service.name": "fig-control"}
        points = group.scope_metrics[0].metrics[0].gauge.data_points
        assert {attributes(one.attributes)["fig.route"]: one.as_int for one in points} == {
            "books": 100,
            "ink": 0,
            "pens": 0,
        }

    run(tmp_path, story)


def test_what_was_not_taken_is_told_again_in_order(tmp_path: Path) -> None:
    """While the receiver refuses, events are kept; when it is well they come once, in their order."""

    async def story(here: Here) -> None:
        await here.publish(ESTATE, wait_seconds=0)
        telling = Telling(keeper=here.control.keeper, now=lambda: AT, again_seconds=0.01)
        status = 503
        with StandIn(lambda _: Reply(status=status)).running() as receiver:
            watched(here.control.keeper, receiver.port)
            task = asyncio.create_task(telling.run())
            telling.decided([replace(ENTRY, reason=f"step {number}") for number in range(3)])
            await until(lambda: len(receiver.seen) >= 2)
            receiver.seen.clear()
            status = 200
            await until(lambda: any(one.path == "/v1/metrics" for one in receiver.seen))
            task.cancel()
            told = [one.body.string_value for one in events(receiver.seen) if one.event_name == "fig.step"]
            assert told[-3:] == ["step 0", "step 1", "step 2"]

    run(tmp_path, story)


def test_a_receiver_that_hangs_holds_nothing_up_and_the_oldest_is_dropped(tmp_path: Path) -> None:
    """With a receiver that never answers a shift returns as always, and what is kept for it is bounded."""

    async def story(here: Here) -> None:
        await here.publish(ESTATE, wait_seconds=0)
        telling = Telling(keeper=here.control.keeper, now=lambda: AT)
        telling.decided([ENTRY])
        assert telling.lost == 0
        with StandIn(lambda _: Reply(hang=True)).running() as receiver:
            watched(here.control.keeper, receiver.port)
            task = asyncio.create_task(telling.run())
            here.control.keeper.decided = telling.decided
            telling.decided([ENTRY] * 2_500)
            await until(lambda: bool(receiver.seen))
            await asyncio.wait_for(here.shift("books", 100, wait_seconds=0), 30)
            assert telling.lost == 501
            task.cancel()

    run(tmp_path, story)

"""Half an hour of a bank that moves to Lambda, as its emitters would send it: for tests of pages and for pictures.

The same seed gives the same story. Nine routes at different weights; one whose functions are slow, one that falls back.
"""

import math
import random
from collections.abc import Iterator
from dataclasses import dataclass

from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.logs.v1.logs_pb2 import LogRecord
from opentelemetry.proto.trace.v1.trace_pb2 import Span

from tests.observability.telemetry import CLIENT, INTERNAL, SECOND, SERVER, logs, record, span, traces

MINUTE = 60 * SECOND


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """What is told of one route: how much, how slow on either side, how often it fails, and its weights over time."""

    route: str
    path: str
    per_minute: int
    legacy_ms: float
    lambda_ms: float
    weights: tuple[int, ...]
    failing: float = 0.002
    fallbacks: float = 0.0
    method: str = "GET"


ROUTES = (
    Told(route="catalogue", path="/catalogue", per_minute=90, legacy_ms=34, lambda_ms=21, weights=(500, 2500, 5000)),
    Told(route="account-summary", path="/accounts/17", per_minute=70, legacy_ms=52, lambda_ms=41, weights=(2500,)),
    Told(route="rates", path="/rates", per_minute=60, legacy_ms=8, lambda_ms=14, weights=(10_000,)),
    Told(
        route="transfers",
        path="/transfers",
        per_minute=26,
        legacy_ms=88,
        lambda_ms=131,
        weights=(100, 500),
        failing=0.01,
        fallbacks=0.06,
        method="POST",
    ),
    Told(route="cards", path="/cards/4", per_minute=22, legacy_ms=47, lambda_ms=190, weights=(1000,), failing=0.03),
    Told(route="statements", path="/statements/2026-10", per_minute=12, legacy_ms=410, lambda_ms=260, weights=(5000,)),
    Told(route="branches", path="/branches", per_minute=9, legacy_ms=16, lambda_ms=19, weights=(10_000,)),
    Told(route="standing-orders", path="/standing-orders", per_minute=5, legacy_ms=64, lambda_ms=70, weights=(0,)),
    Told(route="kyc-upload", path="/kyc", per_minute=1, legacy_ms=940, lambda_ms=700, weights=(0,), method="POST"),
)


def records(now: int, minutes: int = 30, share: float = 1.0) -> Iterator[ExportLogsServiceRequest]:
    """The router's records of every request until now, and now and then an application's own."""
    chance = random.Random(7)  # noqa: S311 - a story, no secret
    for back in range(minutes):
        told: list[LogRecord] = []
        for one in ROUTES:
            weight = one.weights[min((minutes - 1 - back) * len(one.weights) // minutes, len(one.weights) - 1)]
            wave = 1 + 0.25 * math.sin((minutes - back) / 4 + len(one.route))
            number = max(int(one.per_minute * wave * share * chance.uniform(0.85, 1.15)), 1)
            told += [
                _served(one, weight, now - back * MINUTE - chance.randrange(MINUTE), chance) for _ in range(number)
            ]
        yield logs(*told, service="fig-router")


def _served(one: Told, weight: int, time: int, chance: random.Random) -> LogRecord:
    assigned = "lambda" if chance.random() * 10_000 < weight else "legacy"
    fell_back = assigned == "lambda" and chance.random() < one.fallbacks
    side = "legacy" if fell_back else assigned
    middle = one.lambda_ms if side == "lambda" else one.legacy_ms
    status = 503 if chance.random() < one.failing * (3 if side == "lambda" else 1) else 200
    attributes = {
        "fig__route": one.route,
        "fig__side": side,
        "fig__assigned": assigned,
        "fig__duration_ms": f"{chance.lognormvariate(math.log(middle), 0.45):.3f}",
        "fig__weight": str(weight),
        "fig__upstream": one.route,
        "http__request__method": one.method,
        "http__response__status_code": str(status),
        "url__path": one.path,
    } | ({"fig__fallback": "legacy"} if fell_back else {})
    return record(f"{one.method} {one.path} {status}", time=time, trace=chance.randbytes(16).hex(), **attributes)


def journeys(now: int, each: int = 4) -> Iterator[ExportTraceServiceRequest | ExportLogsServiceRequest]:
    """A few traces of each route: router, function and what it calls on-premises, or legacy and its database."""
    chance = random.Random(11)  # noqa: S311 - as above
    for one in ROUTES:
        for number in range(each):
            is_lambda = chance.random() * 10_000 < one.weights[-1]
            start = now - chance.randrange(10 * MINUTE) - 2 * SECOND
            yield from _journey(one, chance, start, is_cold=number == 0, side="lambda" if is_lambda else "legacy")


def _journey(
    one: Told, chance: random.Random, start: int, *, is_cold: bool, side: str
) -> Iterator[ExportTraceServiceRequest | ExportLogsServiceRequest]:
    trace, ids = chance.randbytes(16).hex(), [chance.randbytes(8).hex() for _ in range(8)]
    middle = one.lambda_ms if side == "lambda" else one.legacy_ms
    whole = chance.lognormvariate(math.log(middle), 0.4) + (380 if is_cold and side == "lambda" else 0)
    name, status = f"{one.method} {one.path}", "503" if chance.random() < one.failing * 5 else "200"
    http = {"http.request.method": one.method, "url.path": one.path, "http.response.status_code": status}
    routed = http | {"fig.route": one.route, "fig.side": side, "fig.request_id": f"req-{trace[:8]}"}
    said = {"trace": trace, "kind": SERVER}

    def at(share: float) -> int:
        return start + int(share * whole * 1e6)

    def part(title: str, id_: int, parent: int, kind: int, spread: tuple[float, float], **more: str) -> Span:
        attributes = {key.replace("__", "."): value for key, value in more.items()}
        took = (spread[1] - spread[0]) * whole
        begin = at(spread[0])
        return span(
            title,
            trace=trace,
            id_=ids[id_],
            parent=ids[parent],
            kind=kind,
            start=begin,
            milliseconds=took,
            attributes=attributes,
        )

    hop = {
        "fig__route": one.route,
        "fig__side": side,
        "http__response__status_code": status,
    }
    yield traces(
        span(name, id_=ids[0], start=start, milliseconds=whole, attributes=routed, **said),  # type: ignore[arg-type]  # two keywords
        part(f"{side} {one.route}", 1, 0, CLIENT, (0.02, 0.98), **hop),
        service="fig-router",
        service__instance__id="router-1",
    )
    server = {key.replace(".", "__"): value for key, value in http.items()} | {"http__route": one.route}
    if side == "lambda":
        begins = 0.55 if is_cold else 0.14
        yield traces(
            part(one.route, 2, 1, SERVER, (begins, 0.95), faas__coldstart=str(is_cold).lower(), **server),
            part("read settings", 3, 2, INTERNAL, (begins + 0.02, begins + 0.06)),
            part("GET core-banking", 4, 2, CLIENT, (begins + 0.08, 0.90), server__address="core.bank.example"),
            service=one.route,
            cloud__platform="aws_lambda",
            faas__name=one.route,
        )
        yield traces(
            part("GET /core", 5, 4, SERVER, (begins + 0.12, 0.86), **(server | {"http__route": "/core/{id}"})),
            part("SELECT accounts", 6, 5, CLIENT, (begins + 0.16, 0.80), db__system__name="mariadb"),
            service="core-banking",
        )
    else:
        yield traces(
            part(name, 2, 1, SERVER, (0.06, 0.95), **server),
            part("SELECT accounts", 3, 2, CLIENT, (0.2, 0.7), db__system__name="mariadb"),
            part("render", 4, 2, INTERNAL, (0.72, 0.93)),
            service="bank",
        )
    yield logs(
        record(f"{one.route}: {status}", time=at(0.6), trace=trace, fig__route=one.route),
        service=one.route if side == "lambda" else "bank",
    )

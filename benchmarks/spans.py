"""Encoded traces for the benchmark of ingest: five spans each, over forty routes, of router, application, database.

A body is encoded once and sent many times: its times, the beginnings of its trace ids and of what is one request's own
(its path, its id, its SQL) are markers, which are replaced for each sending. Encoding costs the generator nothing then,
and neither a trace nor a request comes twice: a receiver that remembers what it met before gains by that only where
real telemetry repeats itself, too.
"""

import random
from collections.abc import Mapping

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, KeyValue

SPANS_OF_A_TRACE = 5
TRACES_OF_A_BODY = 200
SPANS_OF_A_BODY = SPANS_OF_A_TRACE * TRACES_OF_A_BODY
_ROUTES = 40
Attributes = dict[str, str | int]
_TIME_MARK, _TRACE_MARK = 0x17E5_A3C9, b"\xf1\x9a\xc3\x07"
_TIME_BYTES = _TIME_MARK.to_bytes(4, "little")
_NUMBER_MARK, _NUMBER_DIGITS = b"718293", 6
TICK = 2**32
"""Nanoseconds that one step of a body's time is: what is below the four bytes that are replaced."""


def body(seed: int) -> bytes:
    """An encoded request of `SPANS_OF_A_BODY` spans, in the marked time."""
    chance = random.Random(seed)
    groups: dict[str, list[dict[str, object]]] = {}
    for _ in range(TRACES_OF_A_BODY):
        _add_trace(groups, chance)
    request = ExportTraceServiceRequest()
    for service, spans in groups.items():
        group = request.resource_spans.add()
        platform = {"cloud.platform": "aws_lambda"} if service.endswith("-fn") else {}
        group.resource.attributes.extend(
            _pairs(
                {"service.name": service, "service.instance.id": "1", "telemetry.sdk.name": "opentelemetry"} | platform
            )
        )
        scope = group.scope_spans.add()
        scope.scope.name = "benchmark"
        for one in spans:
            scope.spans.add(**one)
    return bytes(request.SerializeToString())


def at(template: bytes, time: int, trace: bytes) -> bytes:
    """The body with its times moved to about `time`, and its trace ids beginning with these four bytes."""
    number = int.from_bytes(trace) % 10**_NUMBER_DIGITS
    moved = template.replace(_TIME_BYTES, (time // TICK).to_bytes(4, "little")).replace(_TRACE_MARK, trace)
    return moved.replace(_NUMBER_MARK, f"{number:0{_NUMBER_DIGITS}}".encode())


def first_trace(sent: bytes, trace: bytes) -> str:
    """The id, in hexadecimal, of the first trace of a body that was sent with these four bytes."""
    place = sent.index(trace)
    return sent[place : place + 16].hex()


def _add_trace(groups: dict[str, list[dict[str, object]]], chance: random.Random) -> None:
    trace, ids = _TRACE_MARK + chance.randbytes(12), [chance.randbytes(8) for _ in range(SPANS_OF_A_TRACE)]
    route = f"route-{min(int(chance.expovariate(0.2)), _ROUTES - 1)}"
    side, number = chance.choice(("legacy", "lambda")), chance.randrange(10**4)
    own = f"{_NUMBER_MARK.decode()}{number:04}"
    start = _TIME_MARK * TICK + chance.randrange(TICK // 2)
    ours: Attributes = {"fig.route": route, "fig.side": side, "fig.assigned": side, "fig.weight": 5_000}
    status = "500" if chance.random() < 0.01 else "200"
    hop: Attributes = {
        "http.status_code": status,
        "http.protocol": "HTTP/1.1",
        "upstream_cluster": "lambda.books",
        "response_flags": "-",
        "component": "proxy",
    }
    served: Attributes = {
        "http.method": "GET",
        "http.url": "http://x",
        "user_agent": "curl/8",
        "peer.address": f"10.0.{number % 255}.7",
        "guid:x-request-id": f"{own}{chance.getrandbits(88):022x}",
        "downstream_cluster": "-",
        "request_size": "0",
        "response_size": str(number % 9_000),
        "url.path": f"/orders/{own}",
    }
    handled: Attributes = {
        "http.request.method": "GET",
        "http.route": f"/{route}/{{id}}",
        "url.path": f"/orders/{own}",
        "http.response.status_code": int(status),
        "server.address": "orders.bank.example",
    }
    asked = {
        "db.system.name": "mysql",
        "db.query.text": f"SELECT * FROM orders WHERE id = {own}",  # noqa: S608 - it is never run
        "db.namespace": "shop",
    }
    service = "orders-fn" if side == "lambda" else "orders"
    spans: list[tuple[str, int, str, int, Mapping[str, str | int]]] = [
        ("fig-router", -1, f"GET {route}", 2, ours | hop | served),
        ("fig-router", 0, f"{side} books", 3, ours | hop | {"upstream_address": "10.0.0.1:80"}),
        (service, 1, f"GET /{route}/{{id}}", 2, handled),
        (service, 2, "SELECT orders", 3, asked),
        (service, 2, "render", 1, {"code.function.name": "render"}),
    ]
    for position, (told_by, parent, name, kind, attributes) in enumerate(spans):
        groups.setdefault(told_by, []).append(
            {
                "trace_id": trace,
                "span_id": ids[position],
                "parent_span_id": ids[parent] if parent >= 0 else b"",
                "name": name,
                "kind": kind,
                "start_time_unix_nano": start + position * 100_000,
                "end_time_unix_nano": start + position * 100_000 + int(chance.lognormvariate(2, 1) * 1e6),
                "attributes": _pairs(attributes),
            }
        )


def _pairs(values: Mapping[str, str | int]) -> list[KeyValue]:
    return [
        KeyValue(key=name, value=AnyValue(int_value=one) if isinstance(one, int) else AnyValue(string_value=one))
        for name, one in values.items()
    ]

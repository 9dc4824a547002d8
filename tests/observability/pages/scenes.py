"""Requests as the trace page shows them: across both worlds with a shadow, broken, hostile, very large."""

import random
from collections.abc import Iterator
from dataclasses import dataclass

from google.protobuf.message import Message
from opentelemetry.proto.common.v1.common_pb2 import AnyValue
from opentelemetry.proto.logs.v1.logs_pb2 import LogRecord
from opentelemetry.proto.trace.v1.trace_pb2 import Span

from strangler_fig.names import ROUTER_SERVICE
from tests.observability.telemetry import CLIENT, INTERNAL, SERVER, logs, pairs, record, span, traces

MILLISECOND = 1_000_000
ERROR = 17
HOSTILE = "<img src=x onerror=\"document.title='owned'\"><script>document.title='owned'</script>javascript:alert(1)"
_BATCH = 5_000
_DEEP = 0.8
_SERVICES = ("orders-fn", "shop", "stock-fn", "billing", "mail", "search-fn")


@dataclass(frozen=True, slots=True)
class Scene:
    """A trace's id, and what is sent of it, by signal."""

    trace: str
    sent: tuple[tuple[str, Message], ...]


def id_of(number: int) -> str:
    """A span's id."""
    return f"{number:016x}"


def across(trace: str, start: int, *, cold: bool = True, scale: float = 1.0) -> Scene:
    """Router, Lambda (cold), its database, back to on-premises and its database; a shadow; records."""

    def at(milliseconds: float) -> int:
        return start + int(milliseconds * scale * MILLISECOND)

    def one(number: int, name: str, parent: int, begin: float, long: float, kind: int, **told: str) -> Span:  # noqa: PLR0913, PLR0917
        return span(
            name,
            trace=trace,
            id_=id_of(number),
            parent=id_of(parent) if parent else "",
            kind=kind,
            start=at(begin),
            milliseconds=long * scale,
            attributes={key.replace("__", "."): value for key, value in told.items()},
        )

    init = 310.0 if cold else 0.0
    routed = {"fig__route": "orders", "fig__side": "lambda", "fig__request_id": f"req-{trace[:8]}"}
    router = traces(
        one(1, "GET /orders/{id}", 0, 0, init + 96, SERVER, http__status_code="200", url__path="/orders/42", **routed),
        one(
            2,
            "lambda orders",
            1,
            1.5,
            init + 93,
            CLIENT,
            http__status_code="200",
            upstream_cluster="lambda.orders",
            **routed,
        ),
        one(3, "mirror", 1, 1.8, 41, CLIENT, upstream_cluster="legacy.shop"),
        service=ROUTER_SERVICE,
    )
    handler = one(4, "GET /orders/{id}", 2, init + 14, 72, SERVER, faas__coldstart=str(cold).lower(), **routed)
    handler.events.add(time_unix_nano=at(init + 40), name="cache miss", attributes=pairs({"cache.key": "order:42"}))
    started = [one(11, "init", 2, 12, init + 2, INTERNAL, fig__side="lambda", faas__coldstart="true")] if cold else []
    function = traces(
        *started,
        handler,
        one(
            5,
            "SELECT orders",
            4,
            init + 20,
            9,
            CLIENT,
            db__system__name="mysql",
            db__query__text="SELECT * FROM orders WHERE id = ?",
        ),
        one(6, "GET stock", 4, init + 32, 44, CLIENT, server__address="stock.internal"),
        one(7, "render", 4, init + 78, 6, INTERNAL),
        service="orders-fn",
        cloud__platform="aws_lambda",
    )
    legacy = traces(
        one(8, "GET /stock", 6, init + 39, 31, SERVER, http__route="/stock"),
        one(9, "SELECT stock", 8, init + 45, 18, CLIENT, db__system__name="mariadb"),
        one(10, "GET /orders/{id}", 3, 4, 36, SERVER, http__route="/orders/{id}"),
        service="shop",
    )
    said = [
        _said("order 42 is asked for", at(init + 16), trace, 4, 9),
        _said("no entry in the cache, asking the stock service", at(init + 41), trace, 4, 13),
        _said("stock of 3 shelves read", at(init + 66), trace, 8, 9),
    ]
    stray = _said("request finished", at(init + 97), trace, 0, 9)
    return Scene(
        trace,
        (
            ("traces", router),
            ("traces", function),
            ("traces", legacy),
            ("logs", logs(*said, service="orders-fn")),
            ("logs", logs(stray)),
        ),
    )


def broken(trace: str, start: int) -> Scene:
    """Lambda failed and legacy answered; a fast clock; a parent that never came; a silent hop; 201 attributes."""
    routed = {"fig.route": "orders"}
    router = traces(
        _plain(
            "GET /orders", trace, 1, 0, start, 80, SERVER, routed | {"fig.side": "legacy", "http.status_code": "502"}
        ),
        _plain("lambda orders", trace, 2, 1, start + MILLISECOND, 30, CLIENT, {"fig.side": "lambda"}),
        _plain("legacy shop", trace, 3, 1, start + 32 * MILLISECOND, 46, CLIENT, {"fig.side": "legacy"}),
        service=ROUTER_SERVICE,
    )
    failed = _plain("GET /orders", trace, 4, 3, start + 28 * MILLISECOND, 44, SERVER, {"http.route": "/orders"})
    failed.status.code = 2  # type: ignore[assignment]  # an enum's number: error
    failed.status.message = "the stock service did not answer"
    many = {"db.system.name": "a-long-name-" * 9} | {f"many.{number}": "x" for number in range(200)}
    lost = _plain("charge", trace, 6, 99, start + 50 * MILLISECOND, 5, INTERNAL, many)
    said = _said("Traceback: connection refused", start + 60 * MILLISECOND, trace, 4, ERROR)
    return Scene(trace, (("traces", router), ("traces", traces(failed, lost, service="shop")), ("logs", logs(said))))


def circle(trace: str, start: int) -> Scene:
    """Two spans, each of which names the other as its parent."""
    told = [_plain(f"round {n}", trace, n, 3 - n, start + n * MILLISECOND, 5, INTERNAL, {}) for n in (1, 2)]
    return Scene(trace, (("traces", traces(*told, service="shop")),))


def doubtful(trace: str, start: int) -> Scene:
    """A call that Lambda refused, an id that two spans have, a time that cannot be true, an end before the begin."""
    refused = {"fig.side": "lambda", "http.status_code": "429", "component": "proxy"}
    router = traces(
        _plain("GET /orders", trace, 1, 0, start, 30, SERVER, {"fig.side": "legacy", "http.status_code": "404"}),
        _plain("lambda orders", trace, 2, 1, start + MILLISECOND, 3, CLIENT, refused),
        service="fig-router",
    )
    odd = traces(
        _plain("one", trace, 3, 1, start + 5 * MILLISECOND, 5, INTERNAL, {}),
        _plain("other", trace, 3, 1, start + 6 * MILLISECOND, 5, INTERNAL, {}),
        _plain("future", trace, 4, 1, start + 86_400_000 * MILLISECOND, 5, INTERNAL, {}),
        _plain("backwards", trace, 5, 1, start + 7 * MILLISECOND, -4, INTERNAL, {}),
        service="shop",
    )
    return Scene(trace, (("traces", router), ("traces", odd)))


def hostile(trace: str, start: int) -> Scene:
    """Markup and addresses in whatever a sender may fill in."""
    named = {"http.route": HOSTILE, "fig.request_id": HOSTILE, "url.full": "javascript:alert(1)", HOSTILE: HOSTILE}
    root = _plain(HOSTILE, trace, 1, 0, start, 10, SERVER, named)
    root.events.add(time_unix_nano=start, name=HOSTILE, attributes=pairs({HOSTILE: HOSTILE}))
    root.links.add(trace_id=bytes(16), span_id=bytes(8), trace_state=HOSTILE)
    root.status.message = HOSTILE
    root.trace_state = HOSTILE
    said = _said(HOSTILE, start, trace, 1, 9)
    said.attributes.extend(pairs({HOSTILE: HOSTILE, "fig.route": HOSTILE}))
    return Scene(trace, (("traces", traces(root, service=HOSTILE)), ("logs", logs(said, service=HOSTILE))))


def large(trace: str, start: int, count: int, seed: int = 7) -> Iterator[Message]:
    """A trace of so many spans in messages of 5,000: some wide, some deep, over six services of both worlds."""
    chance = random.Random(seed)  # noqa: S311 - a picture, not a secret
    begin, parents = [0], [0]
    for number in range(1, count):
        parent = chance.randrange(max(number - 40, 0), number) if chance.random() < _DEEP else chance.randrange(number)
        parents.append(parent + 1)
        begin.append(begin[parent] + chance.randrange(20_000, 400_000))
    whole = max(begin) / MILLISECOND + 5
    for first in range(0, count, _BATCH):
        by_service: dict[str, list[Span]] = {}
        for number in range(first, min(first + _BATCH, count)):
            kind = INTERNAL if number % 5 else SERVER
            long = chance.uniform(0.05, 3.0) if number else whole
            told = {"step": f"no {number}"}
            one = _plain(
                f"step {number % 97}", trace, number + 1, parents[number], start + begin[number], long, kind, told
            )
            by_service.setdefault(_SERVICES[(number // 5) % len(_SERVICES)], []).append(one)
        for service, spans in by_service.items():
            platform = {"cloud__platform": "aws_lambda"} if service.endswith("-fn") else {}
            yield traces(*spans, service=service, **platform)


def _plain(  # noqa: PLR0913, PLR0917 - a span has many parts
    name: str, trace: str, number: int, parent: int, start: int, milliseconds: float, kind: int, told: dict[str, str]
) -> Span:
    return span(
        name,
        trace=trace,
        id_=id_of(number),
        parent=id_of(parent) if parent else "",
        kind=kind,
        start=start,
        milliseconds=milliseconds,
        attributes=told,
    )


def _said(body: str, time: int, trace: str, number: int, severity: int) -> LogRecord:
    found = record(body, time=time, trace=trace)
    found.severity_number = severity  # type: ignore[assignment]  # an enum's number
    found.body.CopyFrom(AnyValue(string_value=body))
    if number:
        found.span_id = bytes.fromhex(id_of(number))
    return found

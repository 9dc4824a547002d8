"""What comes through the door and what does not: types, encodings, sizes, bombs, and hostile content."""

import asyncio
import gzip
import json
import zlib
from collections.abc import AsyncIterator
from concurrent.futures import Future
from typing import Any

import httpx2
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from starlette.applications import Starlette

from observability.commands.observe import _hosts
from observability.errors import StoreFailed, StoreFull
from observability.normalise.shallow import as_shallow
from observability.receive import door as doors
from observability.receive import repeated
from observability.receive.body import Limits
from observability.receive.counts import Counts
from observability.receive.door import Door
from observability.tables import Batch
from tests.observability.process import PROTOBUF
from tests.observability.telemetry import NOW, SECOND, TRACE, logs, record, span, traces

JSON = {"Content-Type": "application/json"}
BODY = traces(span()).SerializeToString()


class Memory:
    """A store that keeps batches in memory, or fails as it is told."""

    def __init__(self) -> None:
        self.batches: list[Batch] = []
        self.fault: StoreFailed | None = None
        self.late_fault: StoreFailed | None = None
        self.held: Future[None] | None = None

    def check_room(self, _size: int) -> None:
        """Raise the fault, if any."""
        if self.fault:
            raise self.fault

    def submit(self, batch: Batch) -> "Future[None]":
        """Keep a batch, or fail later, or leave it to the test what becomes of it."""
        if self.held is not None:
            held, self.held = self.held, None
            return held
        stored: Future[None] = Future()
        if self.late_fault:
            stored.set_exception(self.late_fault)
        else:
            self.batches.append(batch)
            stored.set_result(None)
        return stored

    def rows(self, table: str) -> list[Any]:
        """The rows of a table that came so far."""
        return [row for batch in self.batches for row in batch.rows.get(table, [])]


class World:
    """A door over a store in memory, asked without a socket."""

    def __init__(self, **settings: Any) -> None:
        self.store = Memory()
        self.counts = Counts(since=0)
        self.door = Door(store=self.store, counts=self.counts, now=lambda: NOW, **settings)
        self.app = Starlette(routes=list(self.door.routes()))

    def post(self, path: str, body: Any, headers: dict[str, str] | None = None) -> httpx2.Response:
        """The answer to a body."""

        async def ask() -> httpx2.Response:
            transport = httpx2.ASGITransport(app=self.app)
            async with httpx2.AsyncClient(transport=transport, base_url="http://door") as client:
                return await client.post(path, content=body, headers=headers or PROTOBUF)

        return asyncio.run(ask())


@pytest.fixture
def world() -> Any:
    made = World()
    yield made
    made.door.close()


async def _pieces() -> AsyncIterator[bytes]:
    for start in range(0, len(BODY), 7):
        yield BODY[start : start + 7]


def test_protobuf_json_gzip_deflate_and_chunks(world: World) -> None:
    """The same span comes through in every form that OTLP knows, without a length as Envoy sends it."""
    as_json = json.dumps(
        {
            "resourceSpans": [
                {
                    "resource": {"attributes": [{"key": "service.name", "value": {"stringValue": "orders"}}]},
                    "scopeSpans": [
                        {
                            "spans": [
                                {
                                    "traceId": TRACE.upper(),
                                    "spanId": "00f067aa0ba902b7",
                                    "name": "GET /orders",
                                    "kind": 2,
                                    "startTimeUnixNano": str(NOW),
                                    "endTimeUnixNano": str(NOW + 10_000_000),
                                    "unknownField": {"a": 1},
                                }
                            ]
                        }
                    ],
                }
            ]
        }
    ).encode()
    forms: list[tuple[Any, dict[str, str]]] = [
        (BODY, PROTOBUF),
        (_pieces(), PROTOBUF),
        (gzip.compress(BODY), PROTOBUF | {"Content-Encoding": "gzip"}),
        (zlib.compress(BODY), PROTOBUF | {"Content-Encoding": "deflate"}),
        (as_json, {"Content-Type": "application/json; charset=utf-8"}),
    ]
    for body, headers in forms:
        answer = world.post("/v1/traces", body, headers)
        assert answer.status_code == 200, answer.text
        assert answer.headers["content-type"].startswith(headers["Content-Type"].partition(";")[0])
    rows = world.store.rows("otel_traces")
    assert len(rows) == 5
    assert rows.count(rows[0]) == 5


BAD_ATTRIBUTE = traces(span(attributes={"a": "bbbb"})).SerializeToString().replace(b"bbbb", b"\xff\xfe\xfd\xfc")
BAD: list[tuple[str, bytes, dict[str, str], int]] = [
    ("garbage", b"\xff\xfe\x00garbage", PROTOBUF, 400),
    ("cut off", BODY[:-5], PROTOBUF, 400),
    ("invalid UTF-8", BODY.replace(b"GET /orders", b"GET \xff\xfe\xfders"), PROTOBUF, 400),
    ("an attribute of no UTF-8", BAD_ATTRIBUTE, PROTOBUF, 400),
    ("a resource that is none", b"\x0a\x04\x0a\x02\xff\xff", PROTOBUF, 400),
    ("no JSON", b"{", JSON, 400),
    ("a JSON list", b"[]", JSON, 400),
    ("another shape", b'{"resourceSpans": 7}', JSON, 400),
    ("ids of no hex", b'{"resourceSpans":[{"scopeSpans":[{"spans":[{"traceId":"zz"}]}]}]}', JSON, 400),
    ("lone surrogates", b'{"resourceSpans":[{"scopeSpans":[{"spans":[{"name":"\\ud800"}]}]}]}', JSON, 400),
    ("invalid UTF-8 in JSON", b'{"a":"\xff"}', JSON, 400),
    ("deep JSON", b'{"a":' * 900 + b"1" + b"}" * 900, JSON, 400),
    ("deeper JSON", b"[" * 200_000, JSON, 400),
    ("a form", b"a=b", {"Content-Type": "application/x-www-form-urlencoded"}, 415),
    ("no type", b"", {"Content-Type": ""}, 415),
    ("an unknown encoding", BODY, PROTOBUF | {"Content-Encoding": "br"}, 415),
    ("no gzip", BODY, PROTOBUF | {"Content-Encoding": "gzip"}, 400),
    ("half a gzip", gzip.compress(BODY)[:-9], PROTOBUF | {"Content-Encoding": "gzip"}, 400),
    ("a bomb", gzip.compress(b"\0" * 40 * 2**20), PROTOBUF | {"Content-Encoding": "gzip"}, 413),
    ("20 MB", b"\0" * 20 * 10**6, PROTOBUF, 413),
]


@pytest.mark.parametrize(("body", "headers", "status"), [one[1:] for one in BAD], ids=[one[0] for one in BAD])
def test_what_is_wrong_is_refused_in_words(world: World, body: bytes, headers: dict[str, str], status: int) -> None:
    """A body that is none gets a 4xx that says why, and leaves the door open."""
    answer = world.post("/v1/traces", body, headers)
    assert answer.status_code == status
    assert answer.content
    assert not world.store.batches
    assert world.counts.to_json()["refused"]
    assert world.post("/v1/traces", BODY).status_code == 200


def test_a_long_body_without_a_length_is_cut_short(world: World) -> None:
    """A chunked body is counted, and reading stops at the limit."""
    read = 0

    async def endless() -> AsyncIterator[bytes]:
        nonlocal read
        for _ in range(100):
            read += 2**20
            yield b"\0" * 2**20

    assert world.post("/v1/logs", endless()).status_code == 413
    assert not world.store.batches


def test_deep_protobuf(world: World) -> None:
    """A value nested deeper than any sender nests is refused or bounded, and never too much for us."""
    inner = b""
    for _ in range(3_000):
        inner = b"\x2a" + _varint(len(inner) + 1 + len(_varint(len(inner)))) + b"\x0a" + _varint(len(inner)) + inner
    answer = world.post("/v1/logs", inner)
    assert answer.status_code in (200, 400)


def _varint(number: int) -> bytes:
    out = b""
    while number > 127:
        out += bytes([number & 127 | 128])
        number >>= 7
    return out + bytes([number])


def test_only_three_paths(world: World) -> None:
    """What is not a signal is not found."""
    assert world.post("/v1/profiles", BODY).status_code == 404


def test_a_full_store_asks_to_come_again(world: World) -> None:
    """Nothing is dropped silently: 503 with Retry-After, before the body and after it."""
    world.store.fault = StoreFull("the queue is full", retry_after_seconds=2)
    answer = world.post("/v1/traces", BODY)
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "2")
    assert b"the queue is full" in answer.content
    world.store.fault, world.store.late_fault = None, StoreFull("the disk is full", retry_after_seconds=15)
    answer = world.post("/v1/traces", BODY, PROTOBUF)
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "15")
    world.store.late_fault = StoreFailed("a row that does not fit")
    assert world.post("/v1/traces", BODY).status_code == 500


@pytest.mark.parametrize("fault", [StoreFull("the disk is full", retry_after_seconds=2), StoreFailed("it is closed")])
def test_a_refused_body_is_read_to_its_end(world: World, fault: StoreFailed) -> None:
    """Who is told to come again has sent everything by then: a sender in the middle would see a reset and no answer."""
    read = 0

    async def long() -> AsyncIterator[bytes]:
        nonlocal read
        for _ in range(5):
            read += 1
            yield b"\0" * 2**20

    world.store.fault = fault
    assert world.post("/v1/traces", long()).status_code in (500, 503)
    assert read == 5


def test_many_bodies_at_once_are_bounded(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """What all connections read at one time has a limit, and room is given back whatever became of a body."""
    monkeypatch.setattr(doors, "_MAX_READING_BYTES", 1_000)
    answer = world.post("/v1/logs", b"\0" * 2_000)
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "2")
    assert world.post("/v1/logs", b"\xff" * 900).status_code == 400
    for _ in range(5):
        assert world.post("/v1/traces", BODY).status_code == 200


def test_a_token_where_one_is_wanted() -> None:
    """With a token set, nothing is taken without it."""
    world = World(token="s3cret")  # noqa: S106 - a test's own
    assert world.post("/v1/traces", BODY).status_code == 401
    assert world.post("/v1/traces", BODY, PROTOBUF | {"Authorization": "Bearer other"}).status_code == 401
    assert world.post("/v1/traces", BODY, PROTOBUF | {"Authorization": "Bearer s3cret"}).status_code == 200
    world.door.close()


def test_pages_of_others_send_nothing() -> None:
    """Without a token, a name that was made to lead here and a page's Origin are refused; emitters' names are not."""
    world = World(is_ours=_hosts("127.0.0.1", [8317, 4318], ("fig.bank.example",)))
    told = [
        ({"Host": "evil.example:4318"}, 421),
        ({"Host": "127.0.0.1.evil.example"}, 421),
        ({"Host": "[::"}, 421),
        ({"Host": "localhost:4318", "Origin": "https://evil.example"}, 403),
        ({"Host": "localhost:4318", "Origin": "null"}, 403),
        ({"Host": "localhost:4318", "Origin": "http://10.0.0.9:4318"}, 403),
        ({"Host": "127.0.0.1:4318"}, 200),
        ({"Host": "10.0.0.5:4318"}, 200),
        ({"Host": "[::1]:4318"}, 200),
        ({"Host": "observe:4318"}, 200),
        ({"Host": "fig.bank.example"}, 200),
        ({"Host": "localhost:4318", "Origin": "http://127.0.0.1:8317"}, 200),
    ]
    for headers, status in told:
        assert world.post("/v1/traces", BODY, PROTOBUF | headers).status_code == status, headers
    assert world.counts.refused["traces", "stranger"] == 6
    assert len(world.store.batches) == 6
    world.door.close()


def test_limits_are_settings() -> None:
    """The limits of a body, as it comes and decompressed, are what the door was made with."""
    world = World(limits=Limits(wire=100, decompressed=1_000))
    assert world.post("/v1/traces", b"x" * 101).status_code == 413
    assert (
        world.post("/v1/traces", gzip.compress(b"\0" * 1_001), PROTOBUF | {"Content-Encoding": "gzip"}).status_code
        == 413
    )
    world.door.close()


@settings(deadline=None, max_examples=60)
@given(data=st.data())
def test_no_bytes_are_too_much(data: st.DataObject) -> None:
    """Whatever bytes come under whatever name, the answer is 200 or a 4xx."""
    body = bytearray(BODY)
    for _ in range(data.draw(st.integers(1, 6))):
        place = data.draw(st.integers(0, len(body) - 1))
        body[place] = data.draw(st.integers(0, 255))
    cut = data.draw(st.integers(0, len(body)))
    signal, kind = (
        data.draw(st.sampled_from(["traces", "logs", "metrics"])),
        data.draw(st.sampled_from([PROTOBUF, JSON])),
    )
    world = World()
    assert world.post(f"/v1/{signal}", bytes(body[:cut]), kind).status_code in (200, 400)
    world.door.close()


def test_ids_that_are_none_are_emptied_and_counted(world: World) -> None:
    """A wrong length or zeros only join nothing; the span stays, and what is right in it."""
    sent = traces(
        span("short", trace="abcd"),
        span("five", trace="0102030405"),
        span("zero", trace="0" * 32, id_="0" * 16, parent="0" * 16),
        span("parent", parent="ab"),
        span("right", parent="00f067aa0ba902b8"),
    )
    assert world.post("/v1/traces", sent.SerializeToString()).status_code == 200
    rows = {row[5]: row[1:4] for row in world.store.rows("otel_traces")}
    id_ = "00f067aa0ba902b7"
    assert rows == {
        "short": ("", id_, ""),
        "five": ("", id_, ""),
        "zero": ("", "", ""),
        "parent": (TRACE, id_, ""),
        "right": (TRACE, id_, "00f067aa0ba902b8"),
    }
    in_json = b'{"resourceLogs":[{"scopeLogs":[{"logRecords":[{"traceId":"abcd","spanId":"00f067aa0ba902b7"}]}]}]}'
    assert world.post("/v1/logs", in_json, JSON).status_code == 200
    assert world.store.rows("otel_logs")[0][1:3] == ("", id_)
    point = {"asInt": "1", "exemplars": [{"traceId": "abcd", "spanId": id_}, {"traceId": TRACE, "spanId": "0" * 16}]}
    sum_ = {"name": "n", "sum": {"dataPoints": [point]}}
    in_json = json.dumps({"resourceMetrics": [{"scopeMetrics": [{"metrics": [sum_]}]}]}).encode()
    assert world.post("/v1/metrics", in_json, JSON).status_code == 200
    assert [row[-4:-2] for row in world.store.rows("otel_metrics_sum")] == [([id_, ""], ["", TRACE])]
    assert world.counts.to_json()["invalid_ids"] == {"traces": 5, "logs": 1, "metrics": 2}


def test_what_is_sent_on_has_no_invalid_ids() -> None:
    """Ids that are none are as empty in what is sent on as in the rows, and a bad attribute is refused before."""
    told: list[Any] = []
    world = World(forward=lambda _signal, message: told.append(message))
    sent = traces(span("short", trace="abcd", parent="0" * 16), span("right", parent="00f067aa0ba902b8"))
    assert world.post("/v1/traces", sent.SerializeToString()).status_code == 200
    spans = told[0].resource_spans[0].scope_spans[0].spans
    ids = [(one.trace_id.hex(), one.parent_span_id.hex()) for one in spans]
    assert ids == [("", ""), (TRACE, "00f067aa0ba902b8")]
    assert world.post("/v1/traces", BAD_ATTRIBUTE).status_code == 400
    assert (len(told), len(world.store.batches)) == (1, 1)
    world.door.close()


def test_empty_requests_are_taken(world: World) -> None:
    """A request without anything in it is answered, and nothing is stored."""
    assert world.post("/v1/metrics", b"").status_code == 200
    assert world.post("/v1/traces", b"{}", JSON).status_code == 200
    assert not world.store.batches


def test_secrets_do_not_get_past_the_door(world: World) -> None:
    """What is planted in a record's body and attributes is not among the rows."""
    sent = record("login of jane@bank.example with password=hunter2", http__request__header__cookie="sid=42")
    assert world.post("/v1/logs", logs(sent).SerializeToString()).status_code == 200
    text = str(world.store.batches)
    assert not [secret for secret in ("jane@", "hunter2", "sid=42") if secret in text]


OURS = PROTOBUF | {"User-Agent": "strangler-fig-instrument"}


def test_what_functions_repeat_is_stored_once(world: World) -> None:
    """Spans and records that came before, in whatever company, are counted and not stored; those of others are."""
    first, second, third = (span(id_=f"{number:016x}") for number in (1, 2, 3))
    world.post("/v1/traces", traces(first, second).SerializeToString(), OURS)
    assert world.post("/v1/traces", traces(second, third, third).SerializeToString(), OURS).status_code == 200
    assert [row[2] for row in world.store.rows("otel_traces")] == [f"{number:016x}" for number in (1, 2, 3)]
    assert sum(row[5] for row in world.store.rows("route_minute")) == 3
    forged = span("GET /forged", id_=f"{1:016x}")
    world.post("/v1/traces", traces(forged).SerializeToString(), OURS)
    world.post("/v1/traces", traces(first, service="other").SerializeToString(), OURS)
    world.post("/v1/traces", traces(first).SerializeToString())
    assert len(world.store.rows("otel_traces")) == 6
    lines = logs(record("a"), record("b")).SerializeToString()
    for _ in range(2):
        assert world.post("/v1/logs", lines, OURS).status_code == 200
    assert len(world.store.rows("otel_logs")) == 2
    assert world.counts.to_json()["repeated"] == {"traces": 2, "logs": 2}


def test_what_was_not_stored_may_come_again(world: World) -> None:
    """A repeated span is known only once the first is stored: until then its sender waits, and hears of it."""
    body = traces(span()).SerializeToString()
    world.store.late_fault = StoreFull("the disk is full", retry_after_seconds=15)
    assert world.post("/v1/traces", body, OURS).status_code == 503
    world.store.late_fault = None

    async def both(outcome: Exception | None) -> list[int]:
        held = world.store.held = Future()
        transport = httpx2.ASGITransport(app=world.app)
        async with httpx2.AsyncClient(transport=transport, base_url="http://door") as client:
            asked = [asyncio.create_task(client.post("/v1/traces", content=body, headers=OURS)) for _ in range(2)]
            done, _ = await asyncio.wait(asked, timeout=0.2)
            assert not done
            if outcome:
                held.set_exception(outcome)
            else:
                held.set_result(None)
            return sorted([(await one).status_code for one in asked])

    assert asyncio.run(both(StoreFull("the disk is full", retry_after_seconds=15))) == [503, 503]
    assert asyncio.run(both(None)) == [200, 200]
    assert world.counts.to_json()["repeated"] == {"traces": 1}


def test_few_are_remembered_and_not_for_long(monkeypatch: pytest.MonkeyPatch) -> None:
    """The memory has an end in number and in time."""
    monkeypatch.setattr(repeated, "_GENERATION", 2)
    now = 0
    memory = repeated.Repeated(lambda: now)

    def repeats(*numbers: int) -> int:
        claim = repeated.Claim()
        memory.claim(as_shallow(traces(*(span(id_=f"{number:016x}") for number in numbers))), claim)
        memory.settle(claim, is_stored=True)
        return claim.repeated

    assert (repeats(1, 2), repeats(1, 2), repeats(3, 4), repeats(1, 2, 3, 4)) == (0, 2, 0, 4)
    assert (repeats(5, 6), repeats(1), repeats(5, 6)) == (0, 0, 2)
    for now in (601 * SECOND, 1_202 * SECOND):
        repeats(9 + now)
    assert repeats(6) == 0

"""The catalogue over a real store: the numbers of routes, traces, searches, and how whole the picture is."""

import re
from collections.abc import Iterator
from typing import Any

import pytest
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
from opentelemetry.proto.metrics.v1.metrics_pb2 import Metric
from sqlalchemy import SelectBase
from sqlalchemy.engine import default
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.functions import GenericFunction

from observability.normalise.bounds import Clock
from observability.normalise.logs import logs_batch
from observability.normalise.metrics import metrics_batch
from observability.normalise.minutes import RouteNames
from observability.normalise.spans import spans_batch
from observability.query import completeness, constructs, logs, routes, traces
from observability.query.constructs import DUCKDB
from observability.query.joinable import joinable
from observability.query.reader import DuckDbReader, Record
from observability.query.traces import Wanted
from observability.query.weights import told_weights
from observability.query.window import MAX_LIMIT, SECOND, Window, last, limited
from observability.store.database import Place, open_database
from observability.store.upkeep import Keep
from observability.store.writer import Writer
from strangler_fig.names import CONTROL_SERVICE, ROUTE_ATTRIBUTE, ROUTER_SERVICE, WEIGHT_METRIC
from tests.observability import telemetry
from tests.observability.telemetry import CLIENT, INTERNAL, NOW, TRACE, record, served, span

AROUND = Window(NOW - 600 * SECOND, NOW + 600 * SECOND)
ID = [f"{number:016x}" for number in range(1, 20)]


def _weights() -> ExportMetricsServiceRequest:
    """What control tells of a route's weight, the later word first."""
    gauge = Metric(name=WEIGHT_METRIC)
    for seconds, weight in ((3_590, 7_500), (3_580, 5_000)):
        point = gauge.gauge.data_points.add(time_unix_nano=NOW + seconds * SECOND, as_int=weight)
        point.attributes.add(key=ROUTE_ATTRIBUTE).value.string_value = "books"
    request = ExportMetricsServiceRequest()
    group = request.resource_metrics.add()
    group.resource.attributes.add(key="service.name").value.string_value = CONTROL_SERVICE
    group.scope_metrics.add().metrics.append(gauge)
    return request


@pytest.fixture(scope="module")
def reader(tmp_path_factory: pytest.TempPathFactory) -> Iterator[DuckDbReader]:
    """A store with a request that went router → Lambda → database, one of an application alone, and records."""
    place = Place(file=tmp_path_factory.mktemp("store") / "observe.duckdb", memory_bytes=200 * 10**6)
    connection = open_database(place)
    writer = Writer(connection, place, Keep())
    names, clock = RouteNames(), Clock(NOW)
    routed = {"fig.route": "books", "fig.side": "lambda"}
    throttled = {"fig.side": "lambda", "http.status_code": "503"}
    router = telemetry.traces(
        span("GET books", id_=ID[0], milliseconds=30, attributes=routed | {"http.status_code": "200"}),
        span("lambda books", id_=ID[1], parent=ID[0], kind=CLIENT, start=NOW + 1_000, attributes=routed),
        span(
            "legacy shop",
            id_=ID[2],
            parent=ID[0],
            kind=CLIENT,
            attributes={"fig.side": "legacy", "fig.fallback": "legacy"},
        ),
        span("lambda shop", trace="9" * 32, id_=ID[10], kind=CLIENT, attributes=throttled),
        span("mirror", id_=ID[3], parent=ID[0], kind=CLIENT, attributes={"upstream_cluster": "legacy.shop"}),
        service=ROUTER_SERVICE,
    )
    function = telemetry.traces(
        span("books", id_=ID[4], parent=ID[1], start=NOW - 2 * 1_000_000, attributes={"fig.route": "books"}),
        span("SELECT", id_=ID[5], parent=ID[4], kind=CLIENT, start=NOW + 5_000),
        span("SELECT", id_=ID[5], parent=ID[4], kind=CLIENT, start=NOW + 5_000),  # sent twice
        service="books-fn",
        cloud__platform="aws_lambda",
    )
    alone = telemetry.traces(
        *(
            span("GET /a", trace=f"{n:032x}", id_=ID[6], milliseconds=n, attributes={"http.route": "/a"})
            for n in range(1, 101)
        ),
        span("one", trace="8" * 32, id_=ID[11], kind=INTERNAL),
        span("other", trace="8" * 32, id_=ID[11], kind=INTERNAL, start=NOW + 1, milliseconds=-1),
        span("lost", trace="f" * 32, id_=ID[7], parent=ID[8], kind=INTERNAL),
        service="shop",
    )
    told = telemetry.logs(
        *(served("books", "lambda", milliseconds=10, weight=2_500, time=NOW + n) for n in range(90)),
        *(served("books", "legacy", milliseconds=100, fallback=True, weight=5_000, time=NOW + 100) for _ in range(9)),
        served("books", "lambda", milliseconds=1_000, status=500, time=NOW + 50, weight=2_500),
        service=ROUTER_SERVICE,
    )
    said = telemetry.logs(record("order 7 failed", trace=TRACE, fig__route="books"), record("bare"), service="shop")
    for batch in (
        *(spans_batch(one, clock, names, 1) for one in (router, function, alone)),
        *(logs_batch(one, clock, names, 1) for one in (told, said)),
        metrics_batch(_weights(), Clock(NOW + 3_600 * SECOND), 1),
    ):
        writer.submit(batch).result(60)
    yield DuckDbReader(lambda: connection)
    writer.close()
    connection.close()


def test_the_numbers_of_routes_and_sides(reader: DuckDbReader) -> None:
    """A route that the router tells of is counted from its records, each side by itself, with the latest weight."""
    books, alone = routes.overview(reader, AROUND)[1], routes.overview(reader, AROUND)[0]
    if books["route"] != "books":
        books, alone = alone, books
    assert (books["source"], books["weight"], alone["source"], alone["weight"]) == ("log", 5_000, "span", None)
    one, other = books["sides"]["lambda"], books["sides"]["legacy"]
    assert (one["requests"], one["errors"], one["fallbacks"]) == (91, 1, 0)
    assert (other["requests"], other["errors"], other["fallbacks"]) == (9, 0, 9)
    assert one["p50_ms"] == pytest.approx(10, rel=0.03)
    assert one["p99_ms"] == pytest.approx(1_000, rel=0.03)
    assert other["p50_ms"] == pytest.approx(100, rel=0.03)
    assert books["total"]["requests"] == 100
    assert books["total"]["p95_ms"] == pytest.approx(100, rel=0.03)
    assert alone["sides"]["legacy"]["p50_ms"] == pytest.approx(50, rel=0.03)
    assert alone["sides"]["legacy"]["p99_ms"] == pytest.approx(99, rel=0.03)
    assert alone["total"]["requests"] == 100


def test_the_weight_is_what_control_says_last(reader: DuckDbReader) -> None:
    """A weight that control told of a moment ago is the route's, whatever the last request said; an old one is not."""
    late = Window(NOW, NOW + 3_600 * SECOND)
    assert {one["route"]: one["weight"] for one in routes.overview(reader, late)}["books"] == 7_500
    assert told_weights(reader, late) == {"books": 7_500}
    assert told_weights(reader, Window(NOW, NOW + 7_200 * SECOND)) == {}


def test_a_route_over_time_adds_up(reader: DuckDbReader) -> None:
    """The steps of a route have the same numbers as its line."""
    steps = routes.series(reader, "books", AROUND, step_minutes=5)
    assert sum(step["requests"] for step in steps) == 100
    assert {step["side"] for step in steps} == {"legacy", "lambda"}
    assert routes.series(reader, "none", AROUND) == []


def test_nothing_is_asked_without_bounds(reader: DuckDbReader) -> None:
    """A window ends after it begins, within bounds, and what lies outside is not found."""
    assert routes.overview(reader, Window(0, 1)) == []
    assert traces.trace(reader, TRACE, Window(0, SECOND)) == []
    assert limited(10**9) == MAX_LIMIT
    assert last(15, NOW).end > NOW
    for start, end in ((2, 1), (-1, 5), (0, 2**63), (1, 1)):
        with pytest.raises(ValueError, match="a window from"):
            Window(start, end)


def test_a_trace_by_its_id(reader: DuckDbReader) -> None:
    """All spans of a trace, each once although one came twice, in the order of time, with their attributes."""
    spans = traces.trace(reader, TRACE, AROUND)
    assert [one["SpanId"] for one in spans] == [ID[4], ID[0], ID[2], ID[3], ID[1], ID[5]]
    assert spans[1]["SpanAttributes"]["http.response.status_code"] == "200"
    assert spans[1]["Timestamp"] == NOW
    assert spans[1]["Events.Timestamp"] == []


def test_what_the_page_of_a_trace_asks(reader: DuckDbReader) -> None:
    """The outline has each span once and says how many rows there are; a text is found in names and values."""
    columns, rows = traces.sketch(reader, TRACE, AROUND)
    assert (sorted(columns["SpanId"]), rows) == (sorted(ID[:6]), 7)
    assert not any(columns["Doubled"])  # one was sent twice: it is the same
    columns, rows = traces.sketch(reader, "8" * 32, AROUND)
    assert (columns["SpanName"], columns["Doubled"], columns["Clamped"], rows) == (
        ("other",),
        (True,),
        ("-1000000",),
        2,
    )
    assert traces.sketch(reader, "0" * 32, AROUND)[0]["SpanId"] == ()
    whole = traces.one_span(reader, TRACE, ID[0], AROUND)
    assert whole is not None
    assert whole["SpanAttributes"]["http.response.status_code"] == "200"
    assert traces.one_span(reader, TRACE, ID[9], AROUND) is None
    assert traces.mentions(reader, TRACE, "LEGACY.shop", AROUND) == [ID[3]]
    assert traces.mentions(reader, TRACE, "select", AROUND) == [ID[5], ID[5]]
    assert traces.mentions(reader, TRACE, "2_0", AROUND) == []
    assert ID[0] in traces.mentions(reader, TRACE, "200", AROUND)
    assert len(logs.brief_of_trace(reader, TRACE, AROUND)) == 101
    assert len(logs.of_span(reader, TRACE, "", AROUND)) == 101
    entries = traces.search(reader, Wanted(kind=traces.ENTRY, route="books"), AROUND)
    assert [one["SpanName"] for one in entries] == ["GET books"]
    slowest = traces.search(reader, Wanted(service="shop", max_milliseconds=50), AROUND, 2, "slowest")
    assert [one["Duration"] for one in slowest] == [50_000_000, 49_000_000]


def test_searches(reader: DuckDbReader) -> None:
    """Spans and records are found by what they are, newest first."""
    assert {one["SpanName"] for one in traces.search(reader, Wanted(route="books"), AROUND)} == {
        "GET books",
        "lambda books",
        "books",
    }
    assert len(traces.search(reader, Wanted(service="shop", min_milliseconds=91), AROUND)) == 10
    assert len(traces.search(reader, Wanted(text="get /A"), AROUND, limit=7)) == 7
    assert [one["SpanName"] for one in traces.search(reader, Wanted(role="shadow"), AROUND)] == ["mirror"]
    assert len(logs.search(reader, Wanted(only_errors=True), AROUND)) == 1
    assert [one["Body"] for one in logs.search(reader, Wanted(text="ORDER 7"), AROUND)] == ["order 7 failed"]
    assert len(logs.of_trace(reader, TRACE, AROUND)) == 101
    assert len(logs.search(reader, Wanted(route="books", only_fallbacks=True), AROUND)) == 9  # the route's number
    assert [one["SpanId"] for one in traces.search(reader, Wanted(only_fallbacks=True), AROUND)] == [ID[2]]
    assert traces.search(reader, Wanted(text="' OR 1=1 --"), AROUND) == []


def test_the_slowest_of_a_route(reader: DuckDbReader) -> None:
    """The slowest requests come first; hops and shadows are no requests."""
    slow = traces.slowest(reader, "/a", AROUND, limit=3)
    assert [one["Duration"] for one in slow] == [100_000_000, 99_000_000, 98_000_000]
    assert traces.slowest(reader, "/a", AROUND, side="lambda") == []
    assert {one["SpanKind"] for one in traces.slowest(reader, "books", AROUND)} == {"Server"}


def test_how_whole_the_picture_is(reader: DuckDbReader) -> None:
    """Hops without a child, orphans, clocks that go before, and records without a trace are counted."""
    found = completeness.completeness(reader, AROUND)
    assert found["hops"] == [
        {"Side": "lambda", "Hops": 1, "WithChild": 1, "Refused": 1},
        {"Side": "legacy", "Hops": 1, "WithChild": 0, "Refused": 0},
    ]
    orphans = {row["ServiceName"]: row["Orphans"] for row in found["orphans"]}
    assert orphans == {"shop": 1, "books-fn": 0, ROUTER_SERVICE: 0}
    (clock,) = found["clocks"]
    assert (clock["ServiceName"], clock["BeforeParent"]) == ("books-fn", 1)
    assert clock["EarliestNanoseconds"] == -2_001_000
    assert {row["ServiceName"]: row["WithoutTrace"] for row in found["logs"]} == {"shop": 1, ROUTER_SERVICE: 0}
    assert found["drops"] == []


class Watched:
    """A store that keeps the statements that it is asked."""

    def __init__(self, store: DuckDbReader) -> None:
        self.store = store
        self.asked: list[SelectBase] = []

    def rows(self, statement: SelectBase) -> list[Record]:
        """The rows, as the store gives them."""
        self.asked.append(statement)
        return self.store.rows(statement)

    def columns(self, statement: SelectBase) -> dict[str, tuple[Any, ...]]:
        """The columns, as the store gives them."""
        self.asked.append(statement)
        return self.store.columns(statement)


@pytest.fixture(scope="module")
def asked(reader: DuckDbReader) -> list[SelectBase]:
    """Every statement that the catalogue has."""
    store = Watched(reader)
    routes.overview(store, AROUND)
    routes.since_first(store, AROUND)
    routes.series(store, "books", AROUND)
    routes.activity(store, AROUND)
    traces.trace(store, TRACE, AROUND)
    traces.search(store, Wanted(text="x", only_errors=True), AROUND)
    traces.slowest(store, "books", AROUND)
    logs.search(store, Wanted(text="x"), AROUND)
    logs.of_trace(store, TRACE, AROUND)
    traces.search(store, Wanted(kind=traces.ENTRY, max_milliseconds=9), AROUND, order="slowest")
    traces.one_span(store, TRACE, ID[0], AROUND)
    traces.mentions(store, TRACE, "x", AROUND)
    traces.sketch(store, TRACE, AROUND)
    logs.of_span(store, TRACE, ID[0], AROUND)
    logs.brief_of_trace(store, TRACE, AROUND)
    joinable(store, AROUND)
    completeness.completeness(store, AROUND)
    return store.asked


def test_every_statement_has_a_time_and_a_limit(asked: list[SelectBase]) -> None:
    """No statement of the catalogue reads all of time, or gives as many rows as there are."""
    assert len(asked) >= 12
    for statement in asked:
        text = str(statement.compile(dialect=DUCKDB))
        assert text.count("make_timestamp_ns(?)") >= 2
        assert "LIMIT" in text


class Other(default.DefaultDialect):
    """Another store's SQL: that of ClickHouse, as far as the catalogue needs it."""

    name = "other"
    supports_statement_cache = True
    supports_native_boolean = True


OTHER_WORDS = {
    constructs.moment: "fromUnixTimestamp64Nano({0})",
    constructs.nanoseconds: "toUnixTimestamp64Nano({0})",
    constructs.each_nanoseconds: "arrayMap(t -> toUnixTimestamp64Nano(t), {0})",
    constructs.attribute: "{0}[{1}]",
    constructs.count_where: "countIf({0})",
    constructs.latest: "argMax({0}, {1})",
    constructs.contains: "positionCaseInsensitiveUTF8({0}, {1}) > 0",
    constructs.any_value_contains: "arrayExists(v -> positionCaseInsensitiveUTF8(v, {1}) > 0, mapValues({0}))",
}
PLAIN_WORDS = frozenset(
    {"and", "or", "not", "in", "as", "is", "on", "from", "where", "filter", "select", "join", "distinct", "over"}
)
STANDARD = frozenset({"sum", "min", "max", "count", "coalesce", "substring"})


def test_another_store_needs_no_other_query(asked: list[SelectBase]) -> None:
    """With its words for the constructs alone each statement is in a second store's SQL, without one of DuckDB's."""
    assert set(OTHER_WORDS) == {one for one in vars(constructs).values() if _is_construct(one)}
    for construct, pattern in OTHER_WORDS.items():
        compiles(construct, "other")(constructs._write(pattern))  # noqa: SLF001 - what a second store would call beside it
    theirs = {word for pattern in OTHER_WORDS.values() for word in _functions(pattern)}
    for statement in asked:
        text = str(statement.compile(dialect=Other(), compile_kwargs={"render_postcompile": True}))
        assert _functions(text) <= theirs | STANDARD, text


def _is_construct(value: object) -> bool:
    return isinstance(value, type) and issubclass(value, GenericFunction) and value is not GenericFunction


def _functions(text: str) -> set[str]:
    """The names that a parenthesis follows."""
    return {word for word in re.findall(r"([A-Za-z_]\w*)\s*\(", text) if word.lower() not in PLAIN_WORDS}

"""How spans become rows: names, sides, roles, routes, times, and what bounds them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from observability.normalise import bounds
from observability.normalise.bounds import Clock, bounded
from observability.normalise.conventions import _ENVOY, _OLD, normalised
from observability.normalise.minutes import NO_ROUTE, OTHER_ROUTE, Request, RouteNames, bucket_of, rows_of
from observability.normalise.spans import spans_batch
from observability.tables import TABLES, Attributes, otel_traces
from strangler_fig.names import ROUTER_SERVICE
from tests.observability.telemetry import CLIENT, NOW, SECOND, pairs, span, traces

NAMES = [*_ENVOY, *_OLD, "http.route", "url.path", "http.request.method", "server.address", "fig.route", "other"]
VALUES = [
    "GET",
    "/orders/42",
    "/orders/42?token=x",
    "HTTP/1.1",
    "500",
    "-",
    "",
    "jane@bank.example",
    "shop:8080",
    "[::1]:80",
]


def rows(*spans_: object, service: str = "orders", **resource: str) -> list[dict[str, object]]:
    """The rows of `otel_traces` for these spans."""
    batch = spans_batch(traces(*spans_, service=service, **resource), Clock(NOW), RouteNames(), 1)  # type: ignore[arg-type]
    columns = otel_traces.columns.keys()
    return [dict(zip(columns, row, strict=True)) for row in batch.rows["otel_traces"]]


@given(found=st.dictionaries(st.sampled_from(NAMES), st.sampled_from(VALUES)), is_envoy=st.booleans())
def test_normalising_twice_is_normalising_once(found: Attributes, is_envoy: bool) -> None:  # noqa: FBT001 - hypothesis gives it
    """What has stable names already is left as it is."""
    once = normalised(found, is_envoy=is_envoy)
    assert normalised(once, is_envoy=is_envoy) == once


@given(found=st.dictionaries(st.sampled_from(NAMES), st.sampled_from(VALUES)))
def test_originals_stay(found: Attributes) -> None:
    """Every value that came is still there, under its own name or a prefix."""
    values = set(normalised(found, is_envoy=False).values())
    assert set(found.values()) <= values


@pytest.mark.parametrize(
    ("service", "resource", "attributes", "side"),
    [
        ("orders", {}, {}, "legacy"),
        ("orders", {"cloud__platform": "aws_lambda"}, {}, "lambda"),
        ("orders", {"faas__name": "orders"}, {}, "lambda"),
        ("orders", {}, {"faas.invocation_id": "1"}, "lambda"),
        ("orders", {}, {"fig.side": "lambda"}, "lambda"),
        ("orders", {}, {"fig.side": "<b>"}, "legacy"),
        (ROUTER_SERVICE, {}, {}, ""),
        (ROUTER_SERVICE, {}, {"fig.side": "legacy"}, "legacy"),
        (ROUTER_SERVICE, {}, {"upstream_cluster": "lambda.books.then.shop"}, "lambda"),
    ],
)
def test_sides(service: str, resource: dict[str, str], attributes: dict[str, str], side: str) -> None:
    """A span's side is what it says, where the router's hop led to, or the world that its service runs in."""
    (row,) = rows(span(attributes=attributes), service=service, **resource)
    assert row["Side"] == side


@pytest.mark.parametrize(
    ("found", "address", "port"),
    [
        ({"http.host": "shop.example:8080"}, "shop.example", "8080"),
        ({"http.host": "shop.example:8080", "net.host.port": "8081"}, "shop.example", "8081"),
        ({"server.address": "shop.example:8080"}, "shop.example", "8080"),
        ({"server.address": "[2001:db8::1]:443"}, "2001:db8::1", "443"),
        ({"server.address": "2001:db8::1"}, "2001:db8::1", None),
        ({"server.address": "shop.example", "server.port": "80"}, "shop.example", "80"),
        ({"server.address": "shop:many"}, "shop:many", None),
    ],
)
def test_a_servers_port_stands_by_itself(found: Attributes, address: str, port: str | None) -> None:
    """What WSGI emitters send as one value is two, and what they sent is kept."""
    said = normalised(found, is_envoy=False)
    assert (said["server.address"], said.get("server.port")) == (address, port)
    assert set(found.values()) <= set(said.values())


@pytest.mark.parametrize(
    ("name", "route"),
    [
        ("GET /orders/{id}", "/orders/{id}"),
        ("DELETE /v2/orders/<int:id>/items/:item", "/v2/orders/<int:id>/items/:item"),
        ("GET /", "/"),
        ("GET /static/*", "/static/*"),
        ("GET /orders/42", ""),
        ("GET /orders/4bf92f35-77b3-4da6", ""),
        ("GET /orders?id=x", ""),
        ("GET", ""),
        ("orders.Shop/Get", ""),
        ("get /orders", ""),
        ("GET " + "/x" * 1_000, ""),
        ("<b>GET</b> /x", ""),
    ],
)
def test_a_servers_span_without_a_route(name: str, route: str) -> None:
    """A name that is a method and a template tells the route; any other is none, and is counted with the others."""
    batch = spans_batch(traces(span(name), span(name, kind=CLIENT)), Clock(NOW), RouteNames(), 1)
    column = otel_traces.columns.keys().index("Route")
    assert [row[column] for row in batch.rows["otel_traces"]] == [route, ""]
    assert [row[1] for row in batch.rows["route_minute"]] == [route or NO_ROUTE]


def test_a_mirror_is_a_shadow() -> None:
    """The router's hop that is named `mirror` is a shadow's; an application may call its spans as it likes."""
    assert rows(span("mirror", kind=CLIENT), service=ROUTER_SERVICE)[0]["Role"] == "shadow"
    assert rows(span("mirror"))[0]["Role"] == "primary"
    assert rows(span(attributes={"fig.role": "shadow"}))[0]["Role"] == "shadow"


@pytest.mark.parametrize(
    ("component", "status", "kept"),
    [
        ("proxy", "404", "Unset"),
        ("proxy", "429", "Unset"),
        ("proxy", "503", "Error"),
        ("proxy", "", "Error"),
        ("", "404", "Error"),
    ],
)
def test_a_hop_that_was_answered_404_did_not_fail(component: str, status: str, kept: str) -> None:
    """Envoy calls every answer from 400 on an error of its hop: below 500 it is none, and what it said is kept."""
    for error in ("", "true"):
        told = {"component": component, "http.status_code": status, "error": error}
        sent = span("legacy shop", kind=CLIENT, attributes={name: value for name, value in told.items() if value})
        sent.status.code = 2  # type: ignore[assignment]  # an enum's number: error
        (row,) = rows(sent, service=ROUTER_SERVICE)
        assert row["StatusCode"] == kept
        assert isinstance(row["SpanAttributes"], dict)
        assert (row["SpanAttributes"].get("original.status") == "Error") == (kept == "Unset")


@pytest.mark.parametrize("start", [0, 1, NOW - 40 * 86_400 * SECOND, NOW + 3_600 * SECOND, 2**64 - 1])
def test_times_that_cannot_be_true(start: int) -> None:
    """A span from 1970 or from the future stands at the time of receipt, and says what its sender said."""
    sent = span(start=start % (2**63))
    sent.start_time_unix_nano = start
    (row,) = rows(sent)
    assert row["Timestamp"] in (NOW, sent.end_time_unix_nano)
    assert isinstance(row["SpanAttributes"], dict)
    assert row["SpanAttributes"][bounds.CLOCK_ATTRIBUTE] == str(start)


def test_a_span_that_ends_before_it_begins() -> None:
    """Its duration is nothing rather than less."""
    sent = span()
    sent.end_time_unix_nano = NOW - SECOND
    assert rows(sent)[0]["Duration"] == 0


def test_ten_thousand_attributes() -> None:
    """Of too many attributes the first stay, and how many went is told."""
    (row,) = rows(span(attributes={f"name-{number}": "x" * 50 for number in range(10_000)}))
    found = row["SpanAttributes"]
    assert isinstance(found, dict)
    assert len(found) == bounds.MAX_ATTRIBUTES + 1
    assert found[bounds.DROPPED_ATTRIBUTE] == str(10_000 - bounds.MAX_ATTRIBUTES)


def test_long_and_hostile_strings_are_bounded() -> None:
    """Names, values and messages have ends, and no zero characters, in every field."""
    evil = "\0<script>alert(1)</script>'\"; DROP TABLE otel_traces; --" + "x" * 100_000
    sent = span(evil, attributes={evil: evil})
    sent.trace_state = evil
    sent.status.message = evil
    sent.events.add(name=evil, time_unix_nano=NOW, attributes=pairs({"a": evil}))
    sent.links.add(trace_id=b"1" * 16, span_id=b"2" * 8, trace_state=evil)
    text = str(rows(sent, service="a\0b"))
    assert "\\x00" not in text
    assert len(text) < 8 * bounds.MAX_VALUE


def test_half_a_secret_is_not_kept() -> None:
    """Where a text is cut, the cut leaves no part of a word that might have been a secret."""
    text = "x" * (bounds.MAX_VALUE - 200) + " 4111 1111 1111 1111" * 20
    assert "4111" not in bounded(text)


def test_a_duration_that_was_changed_is_kept_as_an_attribute() -> None:
    """Eight days become seven, less than nothing becomes nothing, and what the emitter said stays to be seen."""
    day = 86_400_000
    told = [rows(span(milliseconds=long))[0] for long in (8 * day, -5, 7 * day)]
    assert [row["Duration"] for row in told] == [bounds.MAX_DURATION, 0, bounds.MAX_DURATION]
    attributes = [row["SpanAttributes"] for row in told]
    assert attributes == [{"fig.original_duration": "691200000000000"}, {"fig.original_duration": "-5000000"}, {}]


def test_durations_fall_into_buckets_of_a_sixteenth() -> None:
    """A bucket's middle is within 2.2 % of every duration in it."""
    for milliseconds in (0.01, 0.5, 1, 3.3, 10, 999, 60_000):
        assert abs(2 ** (bucket_of(milliseconds) / 16) / milliseconds - 1) < 0.022


def test_minutes_add_up() -> None:
    """Requests of one minute, route, side and bucket are one row; the weight is the last one heard of."""

    def one(time: int, weight: int, *, has_failed: bool = False) -> Request:
        return Request(
            time=time, route="r", side="lambda", source="log", milliseconds=8, has_failed=has_failed, weight=weight
        )

    found = rows_of([one(NOW, 100), one(NOW + 2, 300, has_failed=True), one(NOW + 1, 200)], RouteNames())
    assert found == [(NOW // (60 * SECOND) * 60 * SECOND, "r", "lambda", "log", 48, 3, 1, 0, 24.0, 300, NOW + 2)]


def test_an_attacker_cannot_make_a_million_routes() -> None:
    """Beyond a number of names, routes are counted together."""
    names = RouteNames({str(number) for number in range(2_000)})
    assert names.name("7") == "7"
    assert names.name("new") == OTHER_ROUTE


def test_rows_have_their_tables_columns() -> None:
    """Every row is as long as its table is wide."""
    batch = spans_batch(traces(span()), Clock(NOW), RouteNames(), 1)
    for name, made in batch.rows.items():
        assert {len(row) for row in made} == {len(TABLES.tables[name].columns)}

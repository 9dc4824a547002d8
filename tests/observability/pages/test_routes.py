"""The board of all routes and the page of one: the API's numbers, sorted, filtered, live, by keyboard."""

import re
import time
from typing import Any
from urllib.parse import quote

from playwright.sync_api import Page, expect

from tests.observability.pages.conftest import NARROW, Visit, Visitor
from tests.observability.process import Observing
from tests.observability.telemetry import CLIENT, logs, record, served, span, traces

NONE = "\N{EN DASH}"
HOSTILE = '<img src=x onerror="window.hacked=1">\'"><script>window.hacked=1</script>${7*7}{{7*7}}\u202e'
PAUSED = re.compile(r"start=.+&end=.+")


def serve(running: Observing, route: str, *sides: str, ago: int = 0, **more: Any) -> None:
    """Have the router tell of a request of this route on each of these sides, so many seconds ago."""
    told = [served(route, side, time=time.time_ns() - ago * 10**9, **{"milliseconds": 20} | more) for side in sides]
    assert running.send("logs", logs(*told, service="fig-router")).is_success


def as_written(milliseconds: float) -> str:
    digits = 2 if milliseconds < 10 or milliseconds >= 1000 else 1 if milliseconds < 100 else 0
    return f"{milliseconds / 1000:.{digits}f} s" if milliseconds >= 1000 else f"{milliseconds:.{digits}f} ms"


def names(page: Page) -> list[str]:
    return page.locator(".board tbody .c-route a").all_inner_texts()


def test_the_board_shows_what_the_api_says(visit: Visit) -> None:
    """Each route has a row: weight, and both sides' numbers as the API gives them for the same window."""
    visitor = visit()
    page = visitor.open("/")
    page.keyboard.press("p")
    expect(page).to_have_url(PAUSED)
    query = page.evaluate("() => Object.fromEntries(new URLSearchParams(location.search))")
    start, end = (page.evaluate("(text) => Date.parse(text)", query[name]) for name in ("start", "end"))
    said = visitor.running.ask("/api/routes", start=f"{start}000000", end=f"{end}000000")
    cards = next(one for one in said["routes"] if one["route"] == "cards")
    row = page.get_by_role("row").filter(has=page.get_by_role("link", name="cards"))
    expect(row.locator(".c-weight")).to_have_text("10 %")
    expect(row.locator(".c-rate")).to_contain_text(f"legacy {cards['sides']['legacy']['per_second']:.2f}")
    expect(row.locator(".c-p95")).to_contain_text(f"lambda {as_written(cards['sides']['lambda']['p95_ms'])}")
    expect(row.locator(".spark path.line")).to_have_count(2)
    assert set(names(page)) >= {"catalogue", "rates", "kyc-upload"}
    expect(page.locator(".totals")).to_contain_text("on lambda")


def test_sorting_and_filtering_stand_in_the_address(visit: Visit) -> None:
    """A click on a column sorts by it, a second one the other way; what is filtered is found again by the address."""
    page = visit().open("/?q=s")
    page.get_by_role("button", name="route", exact=True).click()
    expect(page).to_have_url(re.compile("sort=route&dir=asc"))
    expect(page.locator(".board th.c-route[aria-sort='ascending']")).to_be_visible()
    shown = names(page)
    assert shown == sorted(shown)
    assert all("s" in name for name in shown)
    page.get_by_role("button", name="route", exact=True).click()
    expect(page.locator(".board th.c-route[aria-sort='descending']")).to_be_visible()
    assert names(page) == shown[::-1]
    page.get_by_label("Filter routes").fill("state ments")
    expect(page.locator(".board tbody tr")).to_have_count(1)
    page.reload()
    expect(page.locator(".board tbody tr")).to_have_count(1)
    page.get_by_label("Filter routes").fill("no such route")
    expect(page.get_by_text("No route has this in its name")).to_be_visible()


def test_rows_by_keyboard(visit: Visit) -> None:
    """The keys j and k move among rows, Enter opens one, and the window of time goes along."""
    page = visit().open("/?last=1h&sort=route&dir=asc&q=a")
    order = names(page)
    for key in ("j", "j", "ArrowDown", "k"):
        page.keyboard.press(key)
    expect(page.locator("tr[data-row]:focus")).to_contain_text(order[1])
    page.keyboard.press("End")
    expect(page.locator("tr[data-row]:focus")).to_contain_text(order[-1])
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_have_text(order[-1])
    expect(page).to_have_url(re.compile(rf"/routes/{order[-1]}\?last=1h$"))


def test_what_comes_in_is_seen_at_once_unless_paused(visit: Visit) -> None:
    """A new route appears without anything being done; a paused page stands still and goes on when it is told to."""
    visitor = visit()
    page = visitor.open("/?q=live-")
    serve(visitor.running, "live-one", "legacy", "lambda", ago=130)
    expect(page.get_by_role("link", name="live-one")).to_be_visible()
    expect(page.locator(".pause")).to_have_attribute("data-state", "live")
    page.keyboard.press("p")
    expect(page).to_have_url(PAUSED)
    expect(page.locator(".pause")).to_have_attribute("data-state", "paused")
    expect(page.get_by_role("link", name="live-one")).to_be_visible()
    serve(visitor.running, "live-two", "lambda")
    other = visit().open("/?q=live-")
    expect(other.get_by_role("link", name="live-two")).to_be_visible()
    assert names(page) == ["live-one"]
    page.keyboard.press("p")
    expect(page.get_by_role("link", name="live-two")).to_be_visible()


def test_what_is_known_little_of_is_marked(visit: Visit) -> None:
    """A side without requests is a dash, few requests are said to be few, and a side that fails stands out."""
    visitor = visit()
    serve(visitor.running, "marked", *["legacy"] * 3, status=500)
    page = visitor.open("/?q=marked")
    expect(page.locator(".c-errors .half").nth(0)).to_have_attribute("data-bad", "")
    expect(page.locator(".c-errors .half").nth(0)).to_have_attribute("title", "of 3 requests only")
    expect(page.locator(".c-p95 .half").nth(1)).to_have_text(NONE)


def test_one_route(visit: Visit) -> None:
    """Its numbers are the board's; three charts have the weight in them; its slowest requests lead to their traces."""
    visitor = visit()
    page = visitor.open("/?q=account-summary")
    page.keyboard.press("p")
    expect(page).to_have_url(PAUSED)
    page.locator(".c-rate .half").first.wait_for()
    board = [text.split()[-2:] for text in page.locator(".c-p95 .half").all_inner_texts()]
    page.get_by_role("link", name="account-summary").click()
    sides = page.locator("table.sides tbody tr")
    expect(sides).to_have_count(3)
    assert [row.locator("td").nth(6).inner_text().split() for row in sides.all()[:2]] == board
    charts = page.locator("figure.chart")
    expect(charts).to_have_count(3)
    expect(charts.locator("canvas")).to_have_count(3)
    expect(charts.first.locator("figcaption")).to_contain_text("weight 25 %")
    charts.first.get_by_text("As a table").click()
    assert charts.first.locator("tbody tr").count() > 5
    link = page.locator("table.slowest").first.get_by_role("link").first
    expect(link).to_have_attribute("href", re.compile(r"^/traces/[0-9a-f]{32}\?.*at=\d{19}$"))
    expect(page.get_by_role("link", name="Failed traces")).to_have_attribute(
        "href", re.compile("route=account-summary&errors=1$")
    )


def test_a_paused_window_is_of_minutes_that_are_over(visit: Visit) -> None:
    """What pause writes into the address is whole and over; of another window the page says what was counted."""
    visitor = visit()
    serve(visitor.running, "rescued", "legacy", ago=150, fallback=True)
    page = visitor.open("/routes/rescued")
    page.keyboard.press("p")
    expect(page).to_have_url(PAUSED)
    query = page.evaluate("() => Object.fromEntries(new URLSearchParams(location.search))")
    start, end = (page.evaluate("(text) => Date.parse(text)", query[name]) for name in ("start", "end"))
    assert (start % 60_000, end % 60_000, end - start) == (0, 0, 900_000)
    assert end / 1000 < time.time() - 5
    expect(page.locator(".counted")).to_have_count(0)
    expect(page.locator("table.sides")).to_be_visible()
    scrap = page.evaluate("(at) => [20, 30].map((s) => new Date(at + s * 1000).toISOString())", end - 120_000)
    for path in ("/", "/routes/catalogue"):
        page = visitor.open(f"{path}?start={scrap[0]}&end={scrap[1]}")
        expect(page.locator(".counted")).to_have_text(re.compile(r"^counted \d\d:\d\d:00.\d\d:\d\d:00, whole minutes$"))
    expect(page.get_by_role("link", name="Logs", exact=True).last).to_have_attribute(
        "href", re.compile(r"start=.*%3A00.000Z&end=.*%3A00.000Z")
    )


def test_fallbacks_lead_to_their_requests(visit: Visit) -> None:
    """The number of fallbacks is a way to the records of exactly these requests, and to their traces."""
    visitor = visit()
    serve(visitor.running, "fell-back", *["legacy"] * 3, ago=100, fallback=True)
    serve(visitor.running, "fell-back", "legacy", "lambda", ago=100)
    page = visitor.open("/?q=fell-back")
    page.locator(".c-fallbacks a").click()
    expect(page.get_by_label("Fallbacks only")).to_be_checked()
    expect(page.locator("tr[data-row]")).to_have_count(3)
    page = visitor.open("/routes/fell-back")
    expect(page.locator("table.sides tbody tr").first.locator("td").last.get_by_role("link")).to_have_text("3")
    page.get_by_role("link", name="Rescued traces").click()
    expect(page.get_by_label("Fallbacks only")).to_be_checked()
    expect(page.locator(".empty")).to_contain_text("No span is like this")


def test_minutes_without_requests_are_gaps(visit: Visit) -> None:
    """Between two minutes with requests that are apart, a chart has a moment without a value: no line joins them."""
    visitor = visit()
    now = time.time_ns()
    told = [served("sparse", "legacy", time=now - back * 60_000_000_000) for back in (2, 8)]
    assert visitor.running.send("logs", logs(*told, service="fig-router")).is_success
    page = visitor.open("/routes/sparse")
    chart = page.locator("figure.chart").first
    chart.get_by_text("As a table").click()
    values = chart.locator("tbody td:nth-child(2)")
    expect(values).to_have_count(3)
    assert [one == NONE for one in values.all_inner_texts()] == [False, True, False]


def test_long_durations_fit_a_telephone(visit: Visit) -> None:
    """Durations of days and of nearly an hour stand side by side without lying over each other."""
    visitor = visit(size=NARROW)
    for long in (3_594_000, 611_382_000):
        told = [served(f"long-{long}", side, time=time.time_ns()) for side in ("legacy", "lambda")]
        for one in [one for said in told for one in said.attributes if one.key == "fig.duration_ms"]:
            one.value.string_value = str(long)
        assert visitor.running.send("logs", logs(*told, service="fig-router")).is_success
    page = visitor.open("/?q=long-")
    expect(page.locator(".board tbody tr")).to_have_count(2)
    sticking = "all => all.filter((one) => one.scrollWidth > one.clientWidth).map((one) => one.textContent)"
    assert page.locator(".board tbody .right .half").evaluate_all(sticking) == []


def test_a_drag_over_a_chart_looks_closer(visit: Visit) -> None:
    """A part of a chart that is dragged over becomes the window of time, of all charts; going back undoes it."""
    page = visit().open("/routes/catalogue")
    over = page.locator("figure.chart .u-over").first
    over.scroll_into_view_if_needed()
    box = over.bounding_box()
    assert box is not None
    page.mouse.move(box["x"] + box["width"] * 0.3, box["y"] + 40)
    page.mouse.down()
    page.mouse.move(box["x"] + box["width"] * 0.6, box["y"] + 40, steps=4)
    page.mouse.up()
    expect(page).to_have_url(PAUSED)
    query = page.evaluate("() => Object.fromEntries(new URLSearchParams(location.search))")
    start, end = (page.evaluate("(text) => Date.parse(text)", query[name]) for name in ("start", "end"))
    assert 2 < (end - start) / 60_000 < 8
    page.go_back()
    expect(page).not_to_have_url(PAUSED)


def hostile_story(visitor: Visitor) -> None:
    now = time.time_ns()
    told = {"fig.route": HOSTILE, "fig.side": "lambda", "http.response.status_code": "200", "url.path": HOSTILE}
    ids = ["a" * 16, "b" * 16]
    spans = traces(
        span(HOSTILE, trace="e" * 32, id_=ids[0], start=now, attributes=told),
        span(HOSTILE, trace="e" * 32, id_=ids[1], parent=ids[0], kind=CLIENT, start=now, attributes=told),
        service=HOSTILE,
        service__instance__id=HOSTILE,
    )
    assert visitor.running.send("traces", spans).is_success
    assert visitor.running.send("logs", logs(record(HOSTILE, time=now, user=HOSTILE), service=HOSTILE)).is_success
    serve(visitor.running, HOSTILE, "legacy", "lambda")


def test_hostile_names_stay_text(visit: Visit) -> None:
    """A name that is markup is shown as it is written, on every page, and its own page is found."""
    visitor = visit()
    hostile_story(visitor)
    page = visitor.open("/?q=onerror")
    link = page.locator(".c-route a")
    expect(link).to_have_text(HOSTILE.replace("\u202e", "\ufffd"))
    link.click()
    expect(page.get_by_role("heading", level=1)).to_have_text(HOSTILE.replace("\u202e", "\ufffd"))
    assert page.locator("h1").evaluate("(one) => getComputedStyle(one).unicodeBidi") == "isolate"
    assert "\u202e" not in page.title()
    expect(page.locator("table.sides tbody tr")).to_have_count(3)
    expect(page.locator("table.slowest")).to_contain_text("onerror")
    visitor.open("/health")
    expect(page.locator(".tables")).to_contain_text("onerror")
    assert page.locator("#main img, #main script").count() == 0
    assert page.evaluate("() => window.hacked") is None


def test_letters_that_are_not_to_be_seen(visit: Visit) -> None:
    """What turns the direction of writing is made visible on every page, what colours a terminal is taken out."""
    visitor = visit(size=NARROW)
    now, odd = time.time_ns(), "turned\u202e\u2066\u2069\x9b\x1bX" + "long" * 60
    told = {"fig.route": odd, "fig.side": "lambda", "http.response.status_code": "200"}
    sent = span(odd, trace="d" * 32, start=now, attributes=told)
    assert visitor.running.send("traces", traces(sent, service=odd)).is_success
    said = record("\x1b[1;31mred\x1b[0m\nand\u202eturned " + odd, time=now, trace="d" * 32)
    assert visitor.running.send("logs", logs(said, service=odd)).is_success
    serve(visitor.running, odd, "legacy", "lambda")
    unseen = (
        r"(box) => box.innerHTML.match("
        r"/[\u0000-\u0008\u000b\u000e-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069]/g) ?? []"
    )
    for path in (
        "/?q=turned",
        f"/routes/{quote(odd)}",
        "/traces?text=turned",
        "/logs?text=turned",
        f"/traces/{'d' * 32}",
        "/health",
    ):
        page = visitor.open(path)
        expect(page.locator("#main")).to_contain_text("turned\ufffd\ufffd\ufffd\ufffd\ufffdXlong")
        assert page.locator("#main").evaluate(unseen) == [], path
        assert page.evaluate("() => document.scrollingElement.scrollWidth <= innerWidth"), path
    page = visitor.open("/logs?text=31mred")
    expect(page.locator(".text").first).to_contain_text(re.compile("^red"))
    page.locator(".text").first.click()
    expect(page.locator(".opened pre")).to_contain_text("red\nand\ufffdturned")


def test_names_with_slashes_have_a_page(visit: Visit) -> None:
    """A route that is called after its path, as applications without a router have them, opens like any other."""
    visitor = visit()
    name = "/loans/{id}/rates"
    sent = span(
        f"GET {name}", start=time.time_ns(), attributes={"http.route": name, "http.response.status_code": "200"}
    )
    assert visitor.running.send("traces", traces(sent, service="loans")).is_success
    page = visitor.open("/?q=/loans")
    expect(page.locator(".c-route .tag")).to_have_text("from spans")
    page.get_by_role("link", name=name).click()
    expect(page.get_by_role("heading", level=1)).to_have_text(name)
    expect(page.locator("table.sides tbody tr")).to_have_count(1)
    page.reload()
    expect(page.get_by_role("heading", level=1)).to_have_text(name)

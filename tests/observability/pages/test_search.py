"""The pages of traces and of logs in Chromium: searching, paging, watching live, and the ways to a trace and back."""

import re
import time
from collections.abc import Iterator

import httpx2
import pytest
from opentelemetry.proto.logs.v1.logs_pb2 import LogRecord
from playwright.sync_api import Page, Route, expect

from tests.observability.pages.conftest import NARROW, Visit
from tests.observability.pages.scenes import across, broken
from tests.observability.process import Observing, observing
from tests.observability.telemetry import CLIENT, logs, record, span, traces

COLD, FAILED = "a7" * 16, "b8" * 16
SECOND = 1_000_000_000
pytestmark = pytest.mark.timeout(180)  # quiet, it takes a tenth of it
MANY = 250


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Observing]:
    """A process that knows two requests across the worlds, and 250 records and calls of another service before them."""
    with observing(tmp_path_factory.mktemp("searched")) as running:
        now = time.time_ns()
        earlier = now - 400 * SECOND
        moments = [earlier + number // 3 * SECOND for number in range(MANY)]  # three of each moment
        said = [record(f"entry {number}", time=at) for number, at in enumerate(moments)]
        calls = [
            span(f"call {number}", trace=f"{number + 1:032x}", id_=f"{number + 1:016x}", kind=CLIENT, start=at)
            for number, at in enumerate(moments)
        ]
        sent = [("logs", logs(*said, service="ledger")), ("traces", traces(*calls, service="ledger"))]
        for scene in (across(COLD, now - 60 * SECOND), broken(FAILED, now - 50 * SECOND)):
            sent += scene.sent
        for signal, message in sent:
            assert running.send(signal, message).is_success
        yield running


def rows(page: Page) -> list[str]:
    """The names or texts of the rows, from above."""
    page.locator("tr[data-row]").first.wait_for()
    expect(page.locator(".is-stale")).to_have_count(0)
    return page.locator("tr[data-row] :is(.c-name a, .text)").all_inner_texts()


def test_requests_are_found_by_what_they_are(visit: Visit) -> None:
    """First come requests where they came in; fields narrow them, the address keeps it, a row leads to the trace."""
    visitor = visit()
    page = visitor.open("/traces?service=fig-router")
    assert rows(page) == ["GET /orders", "GET /orders/{id}"]
    expect(page.locator(".scatter canvas")).to_be_visible()
    page.get_by_label("Errors only").check()
    expect(page.locator("tr[data-row]")).to_have_count(1)
    expect(page.locator("tr[data-row]")).to_contain_text("502")
    expect(page).to_have_url(re.compile("errors=1"))
    page.get_by_role("button", name="Clear").click()
    page.get_by_label("Show").select_option("all")
    page.get_by_label("Text", exact=True).fill("select")
    expect(page.locator("tr[data-row]")).to_have_count(2)
    assert rows(page) == ["SELECT stock", "SELECT orders"]
    page.get_by_label("Side").select_option("legacy")
    expect(page.locator("tr[data-row]")).to_have_count(1)
    page.keyboard.press("Escape")
    page.locator("tr[data-row]").focus()
    page.keyboard.press("Enter")
    expect(page.locator(".wf-row.is-selected")).to_contain_text("SELECT stock")
    page.go_back()
    assert rows(page) == ["SELECT stock"]
    page = visitor.open(f"/traces?text={COLD}")
    page.get_by_role("link", name=f"Open the trace {COLD}").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("GET /orders/{id}")


def test_what_is_wrong_is_said_at_its_field(visit: Visit) -> None:
    """What cannot be asked is said below its field and not asked; mended, the search goes on."""
    visitor = visit()
    page = visitor.open("/logs?severity=loud&trace_id=xx&text=GET")
    expect(page.locator(".empty")).to_contain_text("Nothing was searched")
    expect(page.locator("#f-trace_id-fault")).to_contain_text("32 hexadecimal digits")
    expect(page.locator(".fault")).to_have_count(2)
    page = visitor.open("/traces?min_ms=quick&min_status=9999")
    expect(page.locator("#f-min_ms-fault")).to_contain_text("'quick' is not a number")
    expect(page.locator("#f-min_status")).to_have_attribute("aria-invalid", "true")
    page.locator("#f-min_ms").fill("200")
    page.locator("#f-min_status").fill("")
    assert rows(page) == ["GET /orders/{id}"]


def test_nothing_found_says_what_to_do(visit: Visit) -> None:
    """An empty answer tells of the filter, or of the kind that was searched."""
    visitor = visit()
    page = visitor.open("/logs?text=nothing-is-like-this")
    expect(page.locator(".empty")).to_contain_text("Take a filter away")
    page = visitor.open("/traces?text=SELECT")
    page.get_by_role("button", name="Search all spans").click()
    expect(page.locator("tr[data-row]")).to_have_count(2)


@pytest.mark.parametrize(("path", "name"), [("/logs?service=ledger", "entry"), ("/traces?service=ledger", "call")])
def test_pages_by_time_lose_nothing(visit: Visit, path: str, name: str) -> None:
    """Going to older pages shows every row once, also where three are of one moment; newer ones lead back."""
    page = visit().open(path)
    seen = rows(page)
    first = list(seen)
    older, newer = page.get_by_role("button", name="Older"), page.get_by_role("button", name="Newer")
    while older.is_enabled():
        last = seen[-1]
        older.click()
        expect(page.get_by_text(last, exact=True)).to_have_count(0)
        seen += rows(page)
    assert sorted(seen) == sorted(f"{name} {number}" for number in range(MANY))
    assert len(seen) == MANY > len(first)
    top = rows(page)[0]
    newer.click()
    expect(page.get_by_text(top, exact=True)).to_have_count(0)
    assert not set(rows(page)) & {top}
    page.get_by_role("button", name="Newest", exact=True).click()
    expect(page.get_by_text(first[0], exact=True)).to_be_visible()


def test_live_without_jumping(visit: Visit, told: Observing) -> None:
    """New records appear at the top; while one is open the rows stay, and a button shows what came in meanwhile."""
    page = visit().open("/logs?text=tick")
    expect(page.locator(".empty")).to_be_visible()

    def tick(number: int, **more: str) -> LogRecord:
        return record(f"tick {number}", time=time.time_ns(), **more)

    assert told.send("logs", logs(tick(1, fig__request_id="req-1"))).is_success
    expect(page.locator("tr[data-row]")).to_have_count(1)
    page.get_by_role("button", name="tick 1").click()
    expect(page.locator(".opened")).to_contain_text("fig.request_id")
    assert told.send("logs", logs(tick(2), tick(3))).is_success
    fresh = page.get_by_role("button", name="2 new records: show")
    expect(fresh).to_be_visible()
    assert rows(page) == ["tick 1"]
    fresh.click()
    expect(page.locator("tr[data-row]")).to_have_count(3)
    page.get_by_role("button", name="Live", exact=True).click()
    assert told.send("logs", logs(tick(4))).is_success
    expect(page.get_by_role("button", name="Paused")).to_be_visible()
    expect(page.get_by_text("tick 4")).to_have_count(0)


def test_records_by_keyboard(visit: Visit) -> None:
    """A record opens in place by Enter and its trace by t; the tail is paused and followed again by its own button."""
    page = visit().open("/logs?text=order%2042")
    expect(page.locator("tr[data-row]")).to_have_count(1)
    page.get_by_role("button", name="Pause the tail").click()
    expect(page).to_have_url(re.compile("start=.+&end="))
    page.get_by_role("button", name="Follow again").click()
    expect(page).not_to_have_url(re.compile("start="))
    page.keyboard.press("j")
    expect(page.locator("tr[data-row]")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.locator(".opened")).to_contain_text("order 42 is asked for")
    page.keyboard.press("t")
    expect(page.get_by_role("heading", level=1)).to_have_text("GET /orders/{id}")


def test_a_slow_search_is_given_up_for_the_next(visit: Visit) -> None:
    """While an answer does not come the field stays usable, and the next search does not wait for it."""
    page = visit().open("/logs")
    held: list[Route] = []
    page.route(re.compile(r"/api/logs\?.*text=slow"), lambda route: held.append(route))  # noqa: PLW0108 - Playwright wants a function
    page.locator("[data-search]").fill("slow")
    expect(page).to_have_url(re.compile("text=slow"))
    page.locator("[data-search]").fill("order 42")
    expect(page.locator("tr[data-row]")).to_have_count(1)
    assert held
    assert rows(page) == ["order 42 is asked for"]


@pytest.mark.parametrize("path", ["/traces?last=1h", "/logs?last=1h"])
def test_searches_on_a_telephone(visit: Visit, path: str) -> None:
    """A narrow screen has every row as a card, and nothing sticks out."""
    page = visit(size=NARROW, scheme="dark").open(path)
    page.locator("tr[data-row]").first.wait_for()
    assert page.evaluate("() => document.documentElement.scrollWidth <= document.documentElement.clientWidth")


def test_the_store_stops_for_who_has_gone(told: Observing) -> None:
    """A question whose asker closes the connection is interrupted, and the store answers others at once."""
    slow = {"sql": "SELECT count(*) FROM range(10000000000) a, range(10000) b"}
    with httpx2.Client(trust_env=False, timeout=0.5) as impatient:
        for _ in range(4):
            with pytest.raises(httpx2.TimeoutException):
                impatient.post(f"{told.pages}/api/query", json=slow, headers=told.bearer())
    assert told.ask("/api/logs", text="order 42")["records"]

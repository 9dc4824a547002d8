"""The page of one trace in Chromium: what it shows, how it is worked, and that nothing from a sender becomes markup."""

import re
import time
from collections.abc import Iterator

import pytest
from playwright.sync_api import Page, expect

from tests.observability.pages.conftest import NARROW, Visit, Visitor
from tests.observability.pages.scenes import HOSTILE, Scene, across, broken, circle, doubtful, hostile, large
from tests.observability.process import Observing, observing

ACROSS, BROKEN, STRANGE, ROUND = "a1" * 16, "b2" * 16, "c3" * 16, "f6" * 16
DOUBTFUL = "d7" * 16
MANY, VERY_MANY = "d4" * 16, "e5" * 16
SECOND = 1_000_000_000
pytestmark = pytest.mark.timeout(300)  # the fixture stores 50,000 spans: seconds, or minutes beside others
MOST_ROWS_IN_THE_DOCUMENT = 150
_PATH_OF_FIVE = """async (folder) => {
  const { decode } = await import(folder + "model.js");
  const { criticalPath } = await import(folder + "path.js");
  const { notices } = await import(folder + "words.js");
  const each = (value) => Array(5).fill(value);
  const codes = { SpanName: each(0), SpanKind: each(2), ServiceName: each(1), StatusCode: each(3), Side: each(0) };
  const trace = decode({
    trace_id: "", start: "0", rows: 60000, is_cut: true, are_logs_cut: false, events: [], logs: [],
    texts: ["", "a", "Server", "Unset", "primary"],
    codes: { ...codes, Role: each(4), Route: each(0), Database: each(0) },
    id: ["1", "2", "3", "4", "5"], parent: [-1, 0, 0, 2, -1], depth: [0, 1, 1, 2, 0], orphan: [0, 0, 0, 0, 1],
    offset: [0, 10, 30, 40, 0], duration: [100, 40, 90, 10, 500],
    router: each(0), gap: each(null), http: each(0), cold: each(-1),
  });
  const path = criticalPath(trace).map(({ span, from, to }) => [span, from, to]);
  const { milliseconds, said } = await import(`${folder}../frame/format.js`);
  const long = [59_999, 60_000, 3_599_600, 5_400_000, 611_382_000].map(milliseconds);
  return { path, says: notices(trace).map((one) => one.text), long, turned: said("a\\u202eb\\nc") };
}"""


def send(running: Observing, scene: Scene) -> None:
    """Send what a scene has."""
    for signal, message in scene.sent:
        assert running.send(signal, message).is_success


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Observing]:
    """A process that knows a request across both worlds, a broken one, a hostile one, and two large ones."""
    with observing(tmp_path_factory.mktemp("traces")) as running:
        start = time.time_ns() - 120 * SECOND
        for scene in (
            across(ACROSS, start),
            broken(BROKEN, start),
            hostile(STRANGE, start),
            circle(ROUND, start),
            doubtful(DOUBTFUL, start),
        ):
            send(running, scene)
        for trace, count in ((MANY, 2_000), (VERY_MANY, 50_000)):
            for message in large(trace, start - 300 * SECOND, count):
                assert running.send("traces", message).is_success
        yield running


def opened(visitor: Visitor, path: str) -> Page:
    """The page with its rows drawn."""
    page = visitor.open(path)
    page.locator(".wf-row").first.wait_for()
    return page


def names(page: Page) -> list[str]:
    """What the rows are called, from above."""
    return page.locator(".wf-row .wf-label").all_inner_texts()


def test_a_request_across_both_worlds(visit: Visit) -> None:
    """A row for each span by service and side, rows for the ways between the worlds, and where the time went."""
    page = opened(visit(), f"/traces/{ACROSS}")
    assert names(page) == [
        "GET /orders/{id}",
        "lambda orders",
        "Lambda API",
        "init",
        "GET /orders/{id}",
        "SELECT orders",
        "GET stock",
        "back to on-premises",
        "GET /stock",
        "SELECT stock",
        "render",
        "mirror",
        "to shop",
        "GET /orders/{id}",
        "1 record of this trace names no span of it",
    ]
    handler = page.locator('[data-span="0000000000000004"]')
    expect(handler).to_have_class(re.compile("in-lambda"))
    expect(handler).to_contain_text("cold start")
    expect(page.locator('[data-span="0000000000000008"]')).to_have_class(re.compile("in-legacy"))
    expect(page.locator('[data-span="0000000000000001"]')).to_have_class(re.compile("in-router"))
    for shadow in ("0000000000000003", "000000000000000a"):
        expect(page.locator(f'[data-span="{shadow}"]')).to_contain_text("shadow")
    expect(page.locator(".is-gap").first).to_contain_text("10.5 ms")
    stages = page.locator(".way-name")
    expect(stages).to_have_text(
        [
            "router",
            "Lambda API",
            "init (cold start)",
            "handler orders-fn",
            "database, from orders-fn",
            "back to on-premises",
            "shop",
            "database, from shop",
            "back from on-premises",
            "back from Lambda",
        ]
    )
    expect(page.locator(".wf-critical").first).to_be_visible()
    expect(page.get_by_role("heading", name="Where the time went")).to_be_visible()
    expect(page.locator(".time, .pause")).to_have_count(0)
    page.get_by_role("button", name="Show 4 records").click()
    expect(page.locator(".is-record .wf-text")).to_have_text(
        [
            "order 42 is asked for",
            "no entry in the cache, asking the stock service",
            "stock of 3 shelves read",
            "request finished",
        ]
    )


def test_a_span_in_full_and_its_permalink(visit: Visit) -> None:
    """A click shows a span's attributes, events and records; its address shows the same to whoever opens it."""
    visitor = visit()
    page = opened(visitor, f"/traces/{ACROSS}")
    page.locator('[data-span="0000000000000004"]').click()
    details = page.locator("aside.details")
    for text in ("cache miss", "order:42", "order 42 is asked for", "0 ms, from init to the handler", "orders-fn"):
        expect(details).to_contain_text(text)
    expect(page).to_have_url(re.compile("span=0000000000000004"))
    page.reload()
    expect(page.locator(".wf-row.is-selected")).to_have_attribute("data-span", "0000000000000004")
    expect(page.locator("aside.details")).to_contain_text("cache miss")
    expect(page.get_by_role("link", name="JSON")).to_have_attribute("href", re.compile(f"^/api/traces/{ACROSS}"))
    expect(page.get_by_role("link", name="All logs of this trace")).to_have_attribute("href", re.compile("^/logs\\?"))
    page.get_by_role("link", name="All logs of this trace").click()
    expect(page.locator("tr[data-row]")).to_have_count(4)
    page.locator("tr[data-row]", has_text="order 42").get_by_role("link").click()
    expect(page.locator(".wf-row.is-selected")).to_have_attribute("data-span", "0000000000000004")


def test_by_keyboard_alone(visit: Visit) -> None:
    """Arrows walk and fold, Enter opens, Escape closes, the slash searches names and values of attributes."""
    page = opened(visit(), f"/traces/{ACROSS}")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowDown")
    selected = page.locator(".wf-row.is-selected")
    expect(selected).to_have_attribute("data-span", "0000000000000002")
    page.keyboard.press("ArrowLeft")
    expect(selected).to_have_attribute("aria-expanded", "false")
    expect(page.locator(".wf-row.is-span")).to_have_count(4)
    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowDown")
    expect(selected).to_have_attribute("data-span", "0000000000000004")
    page.keyboard.press("Enter")
    expect(page.locator("aside.details")).to_contain_text("orders-fn")
    page.keyboard.press("Escape")
    expect(page.locator("aside.details")).to_have_count(0)
    page.keyboard.press("/")
    page.keyboard.type("stock.internal")
    expect(page.locator(".wf-row.is-hit")).to_have_attribute("data-span", "0000000000000006")
    page.keyboard.press("Enter")
    expect(selected).to_have_attribute("data-span", "0000000000000006")
    page.keyboard.press("Escape")
    page.keyboard.press("z")
    expect(page.locator(".wf-beyond").first).to_be_visible()
    page.keyboard.press("0")
    expect(page.locator(".wf-beyond")).to_have_count(0)


def test_a_part_of_the_time(visit: Visit) -> None:
    """A drag over the small picture shows that part alone, and a double click all of it."""
    page = opened(visit(), f"/traces/{ACROSS}")
    box = page.locator(".wf-overview").bounding_box()
    assert box
    middle = box["y"] + box["height"] / 2
    page.mouse.move(box["x"] + box["width"] * 0.75, middle)
    page.mouse.down()
    page.mouse.move(box["x"] + box["width"] * 0.95, middle, steps=3)
    page.mouse.up()
    expect(page.locator(".wf-chosen")).to_be_visible()
    expect(page.locator(".wf-beyond").first).to_be_visible()
    page.locator(".wf-overview").dblclick()
    expect(page.locator(".wf-chosen")).to_have_count(0)


def test_a_broken_picture_says_so(visit: Visit) -> None:
    """A fallback, a parent that never came, clocks that disagree, a silent hop and failures are said in words."""
    page = opened(visit(), f"/traces/{BROKEN}")
    told = page.locator(".notices")
    for words in (
        "Lambda was asked first; legacy gave the answer",
        "One span names a parent that never came",
        "shop seems to begin 4.00 ms before fig-router called it",
        "The router called lambda, and nothing was told from there",
        "2 spans failed; the deepest is GET /orders in shop",
    ):
        expect(told).to_contain_text(words)
    expect(page.locator('[data-span="0000000000000006"]')).to_contain_text("orphan")
    row = page.locator('[data-span="0000000000000006"]')
    widths = row.evaluate(
        "(row) => ['service', 'label', 'flag'].map((name) => row.querySelector(`.wf-${name}`).clientWidth)"
    )
    assert min(widths[:2]) > 30
    assert row.locator(".wf-name").evaluate("(one) => one.scrollWidth <= one.clientWidth")
    told.locator("li", has_text="parent that never came").get_by_role("button").click()
    expect(page.locator(".wf-row.is-selected")).to_have_attribute("data-span", "0000000000000006")
    row.click()
    expect(page.locator("aside.details .cut")).to_have_text(re.compile(r"^\d+ more came than are kept"))


def test_what_to_doubt_is_said_first(visit: Visit) -> None:
    """Ids that came twice, times and durations that could not be true, and calls that Lambda refused are said."""
    page = opened(visit(), f"/traces/{DOUBTFUL}")
    told = page.locator(".notices")
    for words in (
        "id was given to several spans",
        "time could not be true",
        "duration could not be true",
        "Lambda refused the call (429): no function ran",
    ):
        expect(told).to_contain_text(words)
    expect(told).not_to_contain_text("nothing was told from there")
    expect(told).not_to_contain_text("failed")
    told.locator("li", has_text="time could not be true").get_by_role("button").click()
    expect(page.locator(".wf-row.is-selected .wf-label")).to_have_text("future")


def test_a_circle_of_parents_is_called_one(visit: Visit) -> None:
    """Of spans that are each other's parents nothing is missing: the page says that they form a circle."""
    page = opened(visit(), f"/traces/{ROUND}")
    expect(page.locator(".notices")).to_contain_text("form a circle")
    expect(page.locator(".notices")).not_to_contain_text("never came")
    assert names(page) == ["round 1", "round 2"]


def test_a_trace_that_is_not_here(visit: Visit) -> None:
    """Of a trace that is not kept the page says what may be the cause, and of what is no id that it is none."""
    visitor = visit()
    page = visitor.open(f"/traces/{'0' * 32}")
    expect(page.get_by_role("heading", name="This trace is not here")).to_be_visible()
    expect(page.locator(".empty")).to_contain_text("not have been sampled")
    page = visitor.open("/traces/<script>")
    expect(page.get_by_role("heading", name="This is no trace")).to_be_visible()


def assert_harmless(page: Page) -> None:
    """No text became an element, and every link stays on our own pages."""
    assert "owned" not in page.title() or "<" in page.title()
    assert page.locator("#main img, #main script, #main iframe").count() == 0
    addresses = page.eval_on_selector_all("#main a[href]", "all => all.map((one) => one.getAttribute('href'))")
    assert addresses
    assert [one for one in addresses if not re.match(r"/(traces|logs|routes|health|api/traces)[/?]?", one)] == []


def test_what_a_sender_wrote_stays_text(visit: Visit) -> None:
    """Markup and addresses in names, values, events, links, records and ids are shown as they are and do nothing."""
    visitor = visit()
    page = opened(visitor, f"/traces/{STRANGE}")
    expect(page.get_by_role("heading", level=1)).to_have_text(HOSTILE)
    page.get_by_role("button", name="Show 1 record").click()
    expect(page.locator(".is-record .wf-text")).to_have_text(HOSTILE)
    page.locator(".wf-row.is-span").click()
    details = page.locator("aside.details")
    expect(details.locator(".values dt", has_text=HOSTILE).first).to_be_visible()
    expect(details.locator(".event").first).to_contain_text(HOSTILE)
    assert_harmless(page)
    for path in ("/traces?kind=all", "/logs"):
        page = visitor.open(path)
        expect(page.locator("tr[data-row]", has_text="onerror").first).to_be_visible()
        assert_harmless(page)


def test_large_traces_stay_usable(visit: Visit) -> None:
    """Of 2,000 and of 50,000 spans the document has the visible rows alone; all are reached, and searched."""
    for trace, count in ((MANY, 2_000), (VERY_MANY, 50_000)):
        visitor = visit()
        visitor.page.set_default_timeout(90_000)
        visitor.page.goto(f"{visitor.running.pages}/traces/{trace}")
        page = visitor.page
        page.locator(".wf-row").first.wait_for()
        expect(page.locator(".trace-head")).to_contain_text(f"{count:,} spans")
        rows = int(page.locator("[role=treegrid]").get_attribute("aria-rowcount") or 0)
        assert rows >= count
        assert page.locator(".wf-row").count() <= MOST_ROWS_IN_THE_DOCUMENT
        page.keyboard.press("End")
        expect(page.locator(f'.wf-row[aria-rowindex="{rows}"]')).to_be_visible()
        assert page.locator(".wf-row").count() <= MOST_ROWS_IN_THE_DOCUMENT
        page.locator("[data-search]").fill(f"no {count - 1}")
        expect(page.locator(".trace-search [role=status]")).to_have_text("1 span", timeout=60_000)
        page.keyboard.press("Enter")
        expect(page.locator(".wf-row.is-selected.is-hit")).to_be_visible()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_on_a_telephone(visit: Visit, scheme: str) -> None:
    """A narrow screen shows everything below each other: nothing sticks out, and the details come as a sheet."""
    page = opened(visit(size=NARROW, scheme=scheme), f"/traces/{ACROSS}")
    page.locator(".wf-row.is-span").nth(1).click()
    expect(page.locator("aside.details")).to_be_visible()
    assert page.evaluate("() => document.documentElement.scrollWidth <= document.documentElement.clientWidth")


def test_the_critical_path_of_odd_traces(visit: Visit) -> None:
    """Children that overlap or outlive their parent, a lost root: the path has no gap; a cut trace says that it is."""
    page = opened(visit(), f"/traces/{ACROSS}")
    module = page.evaluate("() => document.querySelector('script[src*=\"/app.js\"]').src.replace('app.js', 'trace/')")
    found = page.evaluate(_PATH_OF_FIVE, module)
    assert found["path"] == [[0, 0, 30], [2, 30, 40], [3, 40, 50], [2, 50, 100]]
    assert found["long"] == ["60.00 s", "1 min 0 s", "1 h 0 min", "1 h 30 min", "7 d 1 h"]
    assert found["turned"] == "a\ufffdb\ufffdc"
    assert found["says"][0].startswith("This trace has 60,000 spans; these are the first 5 by time.")

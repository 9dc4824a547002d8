"""The frame around every page: logging in, time, pausing, keys, light and dark, narrow windows."""

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.observability.pages.conftest import NARROW, Visit
from tests.observability.process import Observing


@pytest.fixture
def stranger(browser: Browser) -> Iterator[Page]:
    """A window that is not logged in."""
    context = browser.new_context()
    yield context.new_page()
    context.close()


def minted(running: Observing, role: str = "viewer") -> str:
    answer = running.http.post(f"{running.pages}/api/logins", json={"role": role}, headers=running.bearer())
    return str(answer.json()["token"])


def test_strangers_are_told_how_to_log_in(told: Observing, stranger: Page) -> None:
    """Every page says to strangers how to log in, without a word in the console; a pasted address leads back, once."""
    said: list[str] = []
    stranger.on("console", lambda one: said.append(one.text))
    stranger.goto(f"{told.pages}/routes/catalogue?last=1h")
    expect(stranger.get_by_text("fig observe login", exact=True)).to_be_visible()
    address = f"{told.pages}/login?token={minted(told)}"
    stranger.get_by_label("Address or token").fill(address)
    stranger.get_by_role("button", name="Log in").click()
    expect(stranger.get_by_role("heading", name="catalogue", exact=True)).to_be_visible()
    assert stranger.url == f"{told.pages}/routes/catalogue?last=1h"
    assert said == []
    assert stranger.goto(address).status == 403  # type: ignore[union-attr]  # a navigation has an answer
    expect(stranger.get_by_role("alert")).to_contain_text("This login is not known, or was used")
    expect(stranger.get_by_label("Address or token")).to_be_visible()
    assert told.http.get(address).json()["error"]["code"] == "OB403"
    stranger.context.clear_cookies()
    stranger.goto(f"{told.pages}/no/page")
    expect(stranger.get_by_role("heading", name="Log in")).to_be_visible()


def test_a_login_in_another_window_is_noticed(told: Observing, stranger: Page) -> None:
    """Who comes back to the page that asked for a login, after one elsewhere, sees what was wanted."""
    stranger.goto(f"{told.pages}/health?last=1h")
    expect(stranger.get_by_role("heading", name="Log in")).to_be_visible()
    other = stranger.context.new_page()
    other.goto(f"{told.pages}/login?token={minted(told)}")
    stranger.evaluate("() => document.dispatchEvent(new Event('visibilitychange'))")
    expect(stranger.get_by_role("heading", name="Health of the telemetry")).to_be_visible()
    assert stranger.url == f"{told.pages}/health?last=1h"


def test_a_link_from_another_site_opens_for_who_is_logged_in(told: Observing, stranger: Page) -> None:
    """The strict cookie stays behind on the way from elsewhere; the login page fetches it, and leads nowhere else."""
    stranger.goto(f"{told.pages}/login?token={minted(told)}")
    there = f"{told.pages}/health?last=1h"
    nowhere = f"{told.pages}//example.invalid/x"
    for address, heading in ((there, "Health of the telemetry"), (nowhere, "There is no such page")):
        stranger.goto(told.pages.replace("127.0.0.1", "localhost"))  # another site to a browser
        stranger.evaluate(
            "(there) => { const a = document.createElement('a'); a.href = there; document.body.append(a); a.click(); }",
            address,
        )
        expect(stranger.get_by_role("heading", name=heading)).to_be_visible()
        assert stranger.url == address


def test_a_viewer_may_log_out(visit: Visit) -> None:
    """The menu says who looks, and logs out: the next page asks for a login again."""
    visitor = visit(role="viewer", fresh=True)
    page = visitor.open("/")
    page.get_by_label("Settings and help").click()
    expect(page.locator(".who")).to_have_text("viewer")
    page.get_by_role("button", name="Log out").click()
    expect(page.get_by_role("heading", name="Log in")).to_be_visible()


def test_the_window_of_time_stands_in_the_address(visit: Visit) -> None:
    """A chosen window, a custom one and a paused one are all in the address, and going on takes the pause out of it."""
    visitor = visit()
    page = visitor.open("/")
    page.get_by_role("button", name="1h", exact=True).click()
    expect(page).to_have_url(re.compile(r"\?last=1h$"))
    with page.expect_response(re.compile(r"/api/routes\?minutes=45&")):
        page.goto(f"{visitor.running.pages}/?last=45m")
    expect(page.get_by_role("button", name="45m", exact=True)).to_have_attribute("aria-pressed", "true")
    with page.expect_request(
        re.compile(r"/api/health\?start=\d+&end=\d+$")
    ) as sign:  # the header's sign is of that time
        page.get_by_role("button", name="Live").click()
    first, last = (int(one) for one in re.findall(r"=(\d+)", sign.value.url))
    assert last - first == 300 * 10**9
    expect(page).to_have_url(re.compile(r"last=45m&start=\d{4}-.*Z&end=\d{4}-.*Z$"))
    expect(page.get_by_role("status").filter(has_text="Paused")).to_be_attached()
    expect(page.get_by_role("link", name="Health", exact=True)).to_have_attribute("href", re.compile("start="))
    page.keyboard.press("p")
    expect(page).to_have_url(re.compile(r"\?last=45m$"))
    page.go_back()
    expect(page).to_have_url(re.compile(r"\?last=1h$"))


def test_what_an_address_says_in_vain_is_said(visit: Visit) -> None:
    """A value that no page reads and a time that is none are named; an address of ours has nothing of the kind."""
    visitor = visit()
    page = visitor.open("/?minutes=x&last=soon")
    expect(page.locator(".unread")).to_contain_text("knows no such value, and passed it over: minutes=x")
    expect(page.locator(".unread")).to_contain_text("This is no time, and was passed over: last=soon")
    page = visitor.open("/?sort=toString&dir=up")
    expect(page.locator(".unread")).to_contain_text("sort=toString was passed over: it is none of route, weight")
    expect(page.locator(".unread")).to_contain_text("dir=up was passed over: it is none of asc, desc")
    page = visitor.open("/traces?order=oldest&before=noon")
    expect(page.locator(".unread")).to_contain_text("order=oldest was passed over: it is none of newest, slowest")
    expect(page.locator(".unread")).to_contain_text("before=noon was passed over: it is no moment")
    for address in ("/?last=1h&sort=route&dir=asc&q=a", "/traces?order=slowest&kind=all&last=7d"):
        expect(visitor.open(address).locator(".unread")).to_have_count(0)


def test_keys(visit: Visit) -> None:
    """Help lists this page's keys; the slash finds the filter, Escape leaves both; the first Tab leads past the top."""
    page = visit().open("/")
    page.keyboard.press("?")
    dialog = page.get_by_role("dialog")
    expect(dialog).to_contain_text("next row")
    expect(dialog).to_contain_text("pause, or go on live")
    expect(dialog.get_by_role("heading", level=3)).to_have_text(["Rows", "Pages", "Everywhere"])
    page.keyboard.press("Escape")
    for number, heading in ((2, "Traces"), (3, "Logs"), (4, "Health of the telemetry"), (1, "Routes")):
        page.keyboard.press(str(number))
        expect(page.get_by_role("heading", level=1)).to_have_text(heading)
    expect(dialog).to_be_hidden()
    page.keyboard.press("/")
    field = page.get_by_label("Filter routes")
    expect(field).to_be_focused()
    page.keyboard.type("?j")
    expect(field).to_have_value("?j")
    page.keyboard.press("Escape")
    expect(field).not_to_be_focused()
    page.reload()
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="To the content")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.locator("#main")).to_be_focused()


def test_light_and_dark(visit: Visit) -> None:
    """A page follows the system until the reader chooses, and remembers the choice."""
    page = visit(scheme="dark").open("/")
    ground = "() => getComputedStyle(document.documentElement).backgroundColor"
    dark = page.evaluate(ground)
    page.get_by_label("Settings and help").click()
    page.get_by_role("button", name="light", exact=True).click()
    light = page.evaluate(ground)
    assert light != dark
    page.reload()
    expect(page.get_by_role("heading", name="Routes")).to_be_visible()
    assert page.evaluate(ground) == light


def test_narrow_windows_scroll_one_way(visit: Visit) -> None:
    """On a telephone nothing is wider than the window."""
    visitor = visit(size=NARROW)
    for path in ("/", "/routes/catalogue", "/health", "/?q=none-such"):
        page = visitor.open(path)
        assert page.evaluate("() => document.documentElement.scrollWidth") == NARROW[0]
        expect(page.get_by_role("button", name="15m")).to_be_visible()
        expect(page.get_by_role("link", name="Health", exact=True)).to_be_in_viewport()


def test_an_address_that_is_no_page(visit: Visit) -> None:
    """A place that is none says so, without a request; what the process does not know is a 404."""
    visitor = visit()
    page = visitor.open("/")
    page.evaluate("() => { history.pushState(null, '', '/nowhere'); dispatchEvent(new PopStateEvent('popstate')); }")
    expect(page.get_by_text("There is no such page")).to_be_visible()
    page.get_by_role("link", name="To the routes").click()
    expect(page.get_by_role("heading", name="Routes")).to_be_visible()
    visitor.open("/no/such/page")
    expect(page.get_by_text("There is no such page")).to_be_visible()
    expect(page.get_by_role("link", name="Traces")).to_be_visible()
    expect(page.locator(".time, .pause")).to_have_count(0)
    visitor.complaints[:] = [one for one in visitor.complaints if "404" not in one]  # Chromium's word on the document
    assert (
        visitor.running.http.get(f"{visitor.running.pages}/nowhere", headers=visitor.running.bearer()).status_code
        == 404
    )

"""The page that says how whole the picture is, and the frame's short form of it."""

import re
import time

from playwright.sync_api import expect

from tests.observability.pages.conftest import Visit
from tests.observability.telemetry import CLIENT, span, traces


def test_the_page_says_whether_one_may_decide(visit: Visit) -> None:
    """The verdict, the sentences and the counts are the API's; the header's share is that of the last five minutes."""
    visitor = visit()
    page = visitor.open("/health?last=1h")
    said = visitor.running.ask("/api/health", minutes=60)
    expect(page.locator(".verdict h2")).to_have_text(said["picture"]["headline"])
    assert page.locator(".findings section").count() == 4
    for one in said["hops"]:
        row = page.locator(".tables section").filter(has_text="Hops of the router").locator("tbody tr")
        expect(row.filter(has_text=one["Side"])).to_contain_text(str(one["Hops"]))
    expect(page.locator(".facts")).to_contain_text("traces")
    broken = span("no id", trace="ab", start=time.time_ns())
    assert visitor.running.send("traces", traces(broken, service="broken")).is_success
    expect(page.locator(".facts div", has_text="invalid ids")).to_contain_text(re.compile(r"\d in traces"))
    link = page.locator(".tables section", has_text="Spans without").get_by_role("link", name="fig-router")
    expect(link).to_have_attribute("href", "/traces?last=1h&service=fig-router&kind=all")
    assert said["joined"]["seconds"] == said["window"]["seconds"]
    header = page.locator(".whole")
    expect(header).to_have_attribute("href", re.compile("^/health"))
    expect(header).to_have_text(re.compile(r"whole \d+(\.\d+)? %|no hops"))


def test_torn_traces_are_bad_news(visit: Visit) -> None:
    """Hops without a child turn the verdict while one looks: decide on numbers, not on traces."""
    visitor = visit()
    page = visitor.open("/health?last=5m")
    hop = {"fig.route": "torn", "fig.side": "legacy"}
    now = time.time_ns()
    hops = [
        span("legacy torn", trace=f"{n:032x}", id_=f"{n:016x}", parent="1" * 16, kind=CLIENT, start=now, attributes=hop)
        for n in range(1, 400)
    ]
    assert visitor.running.send("traces", traces(*hops, service="fig-router")).is_success
    expect(page.locator(".verdict")).to_have_attribute("data-level", "bad")
    expect(page.locator(".verdict h2")).to_contain_text("not on traces")
    expect(page.locator(".findings li[data-level='bad']")).to_contain_text("hops to legacy lead to a span")


def test_a_breach_of_the_policy_is_stopped_and_told(visit: Visit) -> None:
    """Markup from text throws, an inline script does not run, and the health page says that somebody tried."""
    visitor = visit()
    page = visitor.open("/health")
    page.evaluate(
        "() => { const s = document.createElement('style'); s.textContent = 'b{}'; document.head.append(s); }"
    )
    thrown = page.evaluate("() => { try { document.body.innerHTML = '<b>'; return ''; } catch (e) { return e.name; } }")
    assert thrown == "TypeError"
    assert visitor.complaints
    visitor.complaints.clear()
    page.evaluate("() => { window.violations = []; }")
    visitor.open("/health")
    expect(page.locator(".findings")).to_contain_text("breaches of the pages' policy")
    expect(page.locator(".facts")).to_contain_text("trusted-types-sink")
    assert visitor.running.ask("/api/health")["process"]["pages"]["policy_reports"] >= 1

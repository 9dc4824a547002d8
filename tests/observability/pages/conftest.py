"""A browser and a running `fig observe` with a story in it for each worker, and pages that tolerate nothing.

Tests that add to the story use names of their own, so that those of other files find what they expect. A page's test
fails when the console says anything at the level of a warning or worse, or the policy is violated.
"""

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import pytest
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page, expect, sync_playwright

from tests.observability.pages.story import journeys, records
from tests.observability.process import Observing, observing

CHROMIUM = "/usr/bin/chromium"
WIDE, NARROW = (1440, 900), (390, 844)
_PATIENCE_MILLISECONDS = 25_000
expect.set_options(timeout=_PATIENCE_MILLISECONDS)
_VIOLATIONS = """
window.violations = [];
addEventListener("securitypolicyviolation", (e) => window.violations.push(`${e.effectiveDirective} ${e.blockedURI}`));
"""


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """Debian's Chromium, started once."""
    with sync_playwright() as playwright:
        options = ["--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"]
        started = playwright.chromium.launch(executable_path=CHROMIUM, args=options)
        yield started
        started.close()


@pytest.fixture(scope="session")
def told(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Observing]:
    """A process that knows the story."""
    with observing(tmp_path_factory.mktemp("pages")) as running:
        tell(running, time.time_ns())
        yield running


def tell(running: Observing, now: int, minutes: int = 16, share: float = 0.15) -> None:
    """Send the story until now."""
    told, spans = ExportLogsServiceRequest(), ExportTraceServiceRequest()
    for one in (*records(now, minutes, share), *journeys(now)):
        (spans if isinstance(one, ExportTraceServiceRequest) else told).MergeFrom(one)
    assert running.send("logs", told).is_success
    assert running.send("traces", spans).is_success


@dataclass
class Visitor:
    """A browser's window that is logged in, and what went wrong in it."""

    running: Observing
    context: BrowserContext
    page: Page
    complaints: list[str] = field(default_factory=list)

    def open(self, path: str) -> Page:
        """Go to a page, and wait until it is drawn."""
        self.page.goto(self.running.pages + path)
        self.page.locator("#main > *").first.wait_for()
        expect(self.page.locator("#main .waiting")).to_have_count(0)
        return self.page

    def check(self) -> None:
        """Fail when anything went wrong."""
        if not self.page.is_closed() and self.page.url.startswith("http"):
            self.complaints += self.page.evaluate("() => window.violations ?? []")
        assert not self.complaints


Visit = Callable[..., Visitor]


@pytest.fixture
def visit(browser: Browser, told: Observing) -> Iterator[Visit]:
    """Log a new window in: `visit()`, `visit(size=NARROW, scheme="dark", role="viewer")`."""
    visitors: list[Visitor] = []

    def new(
        running: Observing = told, *, size: tuple[int, int] = WIDE, scheme: str = "light", role: str = "admin"
    ) -> Visitor:
        visitor = visitor_of(browser, running, size=size, scheme=scheme, role=role)
        visitors.append(visitor)
        return visitor

    yield new
    try:
        for one in visitors:
            one.check()
    finally:
        for one in visitors:
            one.context.close()


def visitor_of(browser: Browser, running: Observing, *, size: tuple[int, int], scheme: str, role: str) -> Visitor:
    """A new window that is logged in."""
    context = browser.new_context(
        viewport={"width": size[0], "height": size[1]},
        color_scheme=scheme,  # type: ignore[arg-type]  # light or dark
        reduced_motion="reduce",
        timezone_id="Europe/Vienna",
    )
    context.set_default_timeout(_PATIENCE_MILLISECONDS)
    context.add_init_script(_VIOLATIONS)
    page = context.new_page()
    visitor = Visitor(running, context, page)

    def on_console(message: ConsoleMessage) -> None:
        if message.type in ("warning", "error"):
            visitor.complaints.append(f"{message.type}: {message.text} ({page.url})")

    page.on("console", on_console)
    page.on("pageerror", lambda error: visitor.complaints.append(f"failed: {error}"))
    minted = running.http.post(f"{running.pages}/api/logins", json={"role": role}, headers=running.bearer())
    context.request.get(f"{running.pages}/login?token={minted.json()['token']}", max_redirects=0)
    return visitor

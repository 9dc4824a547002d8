"""One browser for all files, a running `fig observe` with a story for each worker, and pages that tolerate nothing.

Tests that add to the story use names of their own, so that those of other files find what they expect. A page's test
fails when the console says anything at the level of a warning or worse, or the policy is violated.
"""

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import pytest
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from playwright.sync_api import Browser, BrowserContext, BrowserType, ConsoleMessage, Page, expect, sync_playwright

from observability.pages.vendor import COMMAND, libraries, missing
from tests.observability.pages.story import journeys, records
from tests.observability.process import Observing, observing

CHROMIUM = "/usr/bin/chromium"
Contexts = dict[tuple[object, ...], BrowserContext]
WIDE, NARROW = (1440, 900), (390, 844)
_PATIENCE_MILLISECONDS = 25_000
expect.set_options(timeout=_PATIENCE_MILLISECONDS)
_VIOLATIONS = """
window.violations = [];
addEventListener("securitypolicyviolation", (e) => window.violations.push(`${e.effectiveDirective} ${e.blockedURI}`));
"""


@pytest.fixture(scope="package")
def chromium() -> Iterator[list[Browser]]:
    """The latest browser of all files here; it ends with them, as no test can run a loop while Playwright does."""
    with sync_playwright() as playwright:
        started = [launched(playwright.chromium)]
        yield started
        started[-1].close()


def launched(kind: BrowserType) -> Browser:
    """Debian's Chromium, without what it does besides showing pages."""
    options = ["--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--disable-component-update"]
    return kind.launch(executable_path=CHROMIUM, args=options)


@pytest.fixture
def browser(chromium: list[Browser], contexts: Contexts) -> Browser:
    """The browser; a new one where that of the tests before has crashed, so that no more than one of them fails."""
    if not chromium[-1].is_connected():
        contexts.clear()
        chromium.append(launched(chromium[-1].browser_type))
    return chromium[-1]


@pytest.fixture(scope="session")
def told(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Observing]:
    """A process that knows the story."""
    assert not missing(libraries()), f"the browser's libraries are not here: {COMMAND}"
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
        """Fail when anything went wrong; what the pages remember is forgotten."""
        if not self.page.is_closed() and self.page.url.startswith("http"):
            look = "() => { localStorage.clear(); return window.violations ?? []; }"
            self.complaints += self.page.evaluate(look)
        assert not self.complaints


Visit = Callable[..., Visitor]


@pytest.fixture(scope="package")
def contexts(chromium: list[Browser]) -> Iterator[Contexts]:  # noqa: ARG001 - it must still run when they are closed
    """Browsers that are logged in and have the pages' files already: a new one for each test would fetch them again."""
    known: Contexts = {}
    yield known
    for one in known.values():
        one.close()


@pytest.fixture
def visit(browser: Browser, told: Observing, contexts: Contexts) -> Iterator[Visit]:
    """Open a new window: `visit()`, `visit(size=NARROW, scheme="dark", role="viewer")`.

    With `fresh=True` the browser is the test's own: for one that logs out.
    """
    visitors: list[Visitor] = []
    own: list[BrowserContext] = []

    def new(
        running: Observing = told,
        *,
        size: tuple[int, int] = WIDE,
        scheme: str = "light",
        role: str = "admin",
        fresh: bool = False,
    ) -> Visitor:
        kind = (running.pages, size, scheme, role)
        context = None if fresh else contexts.get(kind)
        if context is None:
            context = logged_in(browser, running, size=size, scheme=scheme, role=role)
            if fresh:
                own.append(context)
            else:
                contexts[kind] = context
        visitors.append(window_of(context, running))
        return visitors[-1]

    yield new
    try:
        for one in visitors:
            one.check()
    finally:
        for one in visitors:
            one.page.close()
        for context in own:
            context.close()


def logged_in(browser: Browser, running: Observing, *, size: tuple[int, int], scheme: str, role: str) -> BrowserContext:
    """A browser that is logged in."""
    context = browser.new_context(
        viewport={"width": size[0], "height": size[1]},
        color_scheme=scheme,  # type: ignore[arg-type]  # light or dark
        reduced_motion="reduce",
        timezone_id="Europe/Vienna",
    )
    context.set_default_timeout(_PATIENCE_MILLISECONDS)
    context.add_init_script(_VIOLATIONS)
    minted = running.http.post(f"{running.pages}/api/logins", json={"role": role}, headers=running.bearer())
    context.request.get(f"{running.pages}/login?token={minted.json()['token']}", max_redirects=0)
    return context


def visitor_of(browser: Browser, running: Observing, *, size: tuple[int, int], scheme: str, role: str) -> Visitor:
    """The only window of a new browser that is logged in."""
    return window_of(logged_in(browser, running, size=size, scheme=scheme, role=role), running)


def window_of(context: BrowserContext, running: Observing) -> Visitor:
    """A new window of a browser."""
    page = context.new_page()
    visitor = Visitor(running, context, page)

    def on_console(message: ConsoleMessage) -> None:
        if message.type in ("warning", "error"):
            visitor.complaints.append(f"{message.type}: {message.text} ({page.url})")

    page.on("console", on_console)
    page.on("pageerror", lambda error: visitor.complaints.append(f"failed: {error}"))
    return visitor

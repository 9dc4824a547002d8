"""How soon a trace is on the screen, and at its end, in headless Chromium that has the pages' files already.

A trace is drawn with the frame after the one that has the first rows, the critical path and what is said above them.
From the address to there is what a reader waits; after the answer is the part of it that begins with the last byte of
the API's answer: what of the page's modules is not there by then, reading the JSON, laying out, rendering and painting.
The processor's time is that of the page's main thread from the address to there; it tells more than the clock where
others work, too. It is shown for a trace of two spans as well: what any page of ours costs.
"""

import argparse
import os
import statistics
import tempfile
import time
from pathlib import Path

from playwright.sync_api import Browser, CDPSession, Page, sync_playwright

from tests.observability.pages.conftest import CHROMIUM, WIDE, logged_in, window_of
from tests.observability.pages.scenes import large
from tests.observability.process import Observing, observing

_COUNTS = (2, 2_000, 50_000)
_WAIT_MILLISECONDS = 120_000
_WATCH = """
new MutationObserver((_, observer) => {
  if (!document.querySelector(".wf-row")) return;
  observer.disconnect();
  requestAnimationFrame(() => requestAnimationFrame(() => { window.drawn = performance.now(); }));
}).observe(document, { childList: true, subtree: true });
"""
_READ = """(async () => {
  while (!window.drawn) await new Promise(requestAnimationFrame);
  const asked = performance.getEntriesByType("resource").find((one) => one.name.includes("/outline"));
  const end = asked.responseEnd;
  return { api: end - asked.startTime, whole: window.drawn, draw: window.drawn - end, bytes: asked.encodedBodySize };
})()"""
_TO_THE_END = """async () => {
  const box = document.querySelector(".wf-rows");
  const last = `.wf-row[aria-rowindex="${box.getAttribute("aria-rowcount")}"]`;
  const start = performance.now();
  box.scrollTop = box.scrollHeight;
  while (!document.querySelector(last)) await new Promise(requestAnimationFrame);
  await new Promise(requestAnimationFrame);
  return performance.now() - start;
}"""


def main() -> None:
    """Print a line for each size."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--rounds", type=int, default=7)
    rounds = options.parse_args().rounds
    print(f"load average at the beginning: {os.getloadavg()[0]:.1f}")
    with tempfile.TemporaryDirectory() as folder, observing(Path(folder)) as running, sync_playwright() as playwright:
        ids = {count: f"{count:032x}" for count in _COUNTS}
        for count, trace in ids.items():
            for message in large(trace, time.time_ns() - 60 * 10**9, count):
                running.send("traces", message).raise_for_status()
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox", "--disable-gpu"])
        print("| spans | API, ms | from the address, ms (least) | after the answer, ms (least) |", end="")
        print(" processor, ms (least) | to the end, ms | rows in the document | kB sent |")
        for count, trace in ids.items():
            print(f"| {count:,} | {_line(browser, running, trace, rounds)} |")
        browser.close()


def _line(browser: Browser, running: Observing, trace: str, rounds: int) -> str:
    context = logged_in(browser, running, size=WIDE, scheme="light", role="viewer")
    context.add_init_script(_WATCH)
    visitor = window_of(context, running)
    visitor.page.set_default_timeout(_WAIT_MILLISECONDS)
    session = context.new_cdp_session(visitor.page)
    session.send("Performance.enable", {"timeDomain": "threadTicks"})
    address = f"{running.pages}/traces/{trace}"
    _once(visitor.page, address, session)  # the files are there, and compiled, for whoever looks at a second trace
    found = [_once(visitor.page, address, session) for _ in range(rounds)]
    visitor.check()
    context.close()
    median = {name: statistics.median(one[name] for one in found) for name in found[0]}
    least = {name: min(one[name] for one in found) for name in found[0]}
    both = [f"{median[name]:.0f} ({least[name]:.0f})" for name in ("whole", "draw", "worked")]
    return " | ".join(
        [f"{median['api']:.0f}", *both, f"{median['end']:.0f}", f"{median['rows']:.0f}", f"{median['bytes'] / 1e3:.0f}"]
    )


def _once(page: Page, address: str, session: CDPSession) -> dict[str, float]:
    page.goto(address, wait_until="commit")
    # Asked without Playwright's own script, which would be reckoned to the page.
    asked = {"expression": _READ, "awaitPromise": True, "returnByValue": True}
    told: dict[str, float] = session.send("Runtime.evaluate", asked)["result"]["value"]
    worked = _worked(session)
    rows = page.locator(".wf-row").count()
    return {**told, "rows": rows, "worked": worked, "end": page.evaluate(_TO_THE_END)}


def _worked(session: CDPSession) -> float:
    """Milliseconds of the processor that the main thread has had since it went to this page."""
    metrics = session.send("Performance.getMetrics")["metrics"]
    return 1e3 * next(float(one["value"]) for one in metrics if one["name"] == "TaskDuration")


if __name__ == "__main__":
    main()

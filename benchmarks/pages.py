"""How soon a trace is on the screen: seconds of the API, of drawing, and of going to its end, in headless Chromium.

Drawing begins when the last byte of the answer is there and ends with the frame after the one that has the first rows:
reading the JSON, laying out, rendering and painting are in it. The processor's time is that of the whole page's main
thread from the address to there, and tells more than the clock where others work, too.
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

_COUNTS = (2_000, 50_000)
_WAIT_MILLISECONDS = 120_000
_WATCH = """
new MutationObserver((_, observer) => {
  if (!document.querySelector(".wf-row")) return;
  observer.disconnect();
  requestAnimationFrame(() => requestAnimationFrame(() => { window.drawn = performance.now(); }));
}).observe(document, { childList: true, subtree: true });
"""
_READ = """async () => {
  while (!window.drawn) await new Promise(requestAnimationFrame);
  const asked = performance.getEntriesByType("resource").find((one) => one.name.includes("/outline"));
  const end = asked.responseEnd;
  return { api: end - asked.startTime, draw: window.drawn - end, bytes: asked.encodedBodySize };
}"""
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
        print("spans | API ms | drawn ms | the page's processor ms | to the end ms | rows in the document | kB sent")
        for count, trace in ids.items():
            print(f"{count:,} | {_line(browser, running, trace, rounds)}")
        browser.close()


def _line(browser: Browser, running: Observing, trace: str, rounds: int) -> str:
    context = logged_in(browser, running, size=WIDE, scheme="light", role="viewer")
    context.add_init_script(_WATCH)
    visitor = window_of(context, running)
    visitor.page.set_default_timeout(_WAIT_MILLISECONDS)
    session = context.new_cdp_session(visitor.page)
    session.send("Performance.enable", {"timeDomain": "threadTicks"})
    found = [_once(visitor.page, f"{running.pages}/traces/{trace}", session) for _ in range(rounds)]
    visitor.check()
    context.close()
    median = {name: statistics.median(one[name] for one in found) for name in found[0]}
    least = min(one["draw"] for one in found)
    drawn = f"{median['draw']:.0f} (least {least:.0f})"
    parts = [f"{median['api']:.0f}", drawn, *(f"{median[one]:.0f}" for one in ("worked", "end", "rows"))]
    return " | ".join([*parts, f"{median['bytes'] / 1e3:.0f}"])


def _once(page: Page, address: str, session: CDPSession) -> dict[str, float]:
    page.goto(address)
    page.locator(".wf-row").first.wait_for()
    told: dict[str, float] = page.evaluate(_READ)
    worked = _worked(session)
    rows = page.locator(".wf-row").count()
    return {**told, "rows": rows, "worked": worked, "end": page.evaluate(_TO_THE_END)}


def _worked(session: CDPSession) -> float:
    """Milliseconds of the processor that the main thread has had since it went to this page."""
    metrics = session.send("Performance.getMetrics")["metrics"]
    return 1e3 * next(float(one["value"]) for one in metrics if one["name"] == "TaskDuration")


if __name__ == "__main__":
    main()

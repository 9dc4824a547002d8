"""Takes pictures of the pages of `fig observe` with a story in them: to look at, and those that the documents show.

python docs/observe_pictures.py [FOLDER]     every page, wide and narrow, light and dark, into FOLDER
python docs/observe_pictures.py --documents  the few that docs/observability.md shows, into docs/images
"""

import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from playwright.sync_api import Browser, sync_playwright

from tests.observability.pages.conftest import CHROMIUM, NARROW, WIDE, tell, visitor_of
from tests.observability.pages.story import journeys
from tests.observability.process import Observing, observing

_IMAGES = Path(__file__).parent / "images"
_SHOWN = (1280, 690)
_MAX_BYTES = 150_000


def paths(now: int) -> dict[str, str]:
    """The pages by name; the trace is one that goes from the router through a function to legacy and its database."""
    requests = [one for one in journeys(now) if isinstance(one, ExportTraceServiceRequest)]
    trace = next(
        requests[number - 1].resource_spans[0].scope_spans[0].spans[0].trace_id.hex()
        for number, one in enumerate(requests)
        if any(attribute.key == "faas.name" for attribute in one.resource_spans[0].resource.attributes)
    )
    return {
        "routes": "/?last=15m",
        "route": "/routes/catalogue?last=15m",
        "trace": f"/traces/{trace}",
        "traces": "/traces?last=15m",
        "logs": "/logs?last=15m",
        "health": "/health?last=15m",
    }


@dataclass(frozen=True, slots=True)
class Stage:
    """A process that was told the story, and a browser."""

    running: Observing
    browser: Browser

    def take(self, path: str, file: Path, size: tuple[int, int], scheme: str) -> None:
        """One picture; a narrow one shows the page to its end."""
        visitor = visitor_of(self.browser, self.running, size=size, scheme=scheme, role="admin")
        page = visitor.open(path)
        page.locator("a.whole").wait_for()
        page.evaluate("() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))")
        page.screenshot(path=file, full_page=size == NARROW)
        visitor.context.close()
        sys.stdout.write(f"{file}  {file.stat().st_size} bytes\n")


@contextmanager
def stage() -> Iterator[tuple[Stage, dict[str, str]]]:
    """A stage, and the pages' paths by name."""
    now = time.time_ns()
    with tempfile.TemporaryDirectory() as folder, observing(Path(folder)) as running, sync_playwright() as playwright:
        tell(running, now, minutes=30, share=1.0)
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox", "--disable-gpu"])
        yield Stage(running, browser), paths(now)
        browser.close()


def main(arguments: list[str]) -> None:
    """Take the pictures that were asked for."""
    with stage() as (on_stage, pages):
        if arguments == ["--documents"]:
            _IMAGES.mkdir(exist_ok=True)
            for name in ("routes", "trace"):
                file = _IMAGES / f"observe-{name}.png"
                on_stage.take(pages[name], file, _SHOWN, "light")
                assert file.stat().st_size < _MAX_BYTES, f"{file} is too large for a repository"
            return
        folder = Path(arguments[0]) if arguments else Path(tempfile.mkdtemp(prefix="pictures-"))
        folder.mkdir(exist_ok=True)
        for name, path in pages.items():
            for size in (WIDE, NARROW):
                for scheme in ("light", "dark"):
                    on_stage.take(path, folder / f"{name}-{size[0]}-{scheme}.png", size, scheme)


if __name__ == "__main__":
    main(sys.argv[1:])

"""Where everything is sent on to, what waits, and what would come back."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import ThreadingHTTPServer
from pathlib import Path

import pytest

from observability.forward.own import FORWARDED_HEADER, is_own
from observability.forward.sender import Forwarder
from strangler_fig.diagnostics import Refused
from tests.observability.api.test_api import Collector
from tests.observability.process import PROTOBUF, eventually
from tests.observability.receive.test_door import BODY, World
from tests.observability.telemetry import span, traces


@contextmanager
def forwarding(folder: Path, listening: tuple[str, int] = ("", 0)) -> Iterator[Forwarder]:
    """A forwarder over this folder until the block ends."""
    made = Forwarder(folder, listening)
    try:
        yield made
    finally:
        made.close()


def test_what_waits_goes_to_the_next_target_or_is_thrown_away(tmp_path: Path) -> None:
    """A stop keeps it, over a restart too; another target gets it; dropped messages are counted and leave no file."""
    with forwarding(tmp_path) as one:
        one.set_target("http://127.0.0.1:9")
        one.offer("traces", traces(span()))
        one.set_target("")
        one.offer("traces", traces(span()))
        assert (one.to_json()["to"], one.to_json()["waiting"]) == (None, 1)
    Collector.answers, Collector.bodies, Collector.marks = [], [], []
    server = ThreadingHTTPServer(("127.0.0.1", 0), Collector)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        with forwarding(tmp_path) as one:
            one.set_target(f"http://127.0.0.1:{server.server_port}")
            eventually(lambda: one.to_json()["waiting"] == 0)
            assert len(Collector.bodies) == one.sent == 1
    finally:
        server.shutdown()
        server.server_close()
        thread.join(10)
    with forwarding(tmp_path) as one:
        one.set_target("http://127.0.0.1:9")
        one.offer("logs", traces(span()))
        one.set_target("")
        one.drop()
        assert (len(one.spool), one.spool.dropped, list(tmp_path.glob("*.pb"))) == (0, 1, [])


@pytest.mark.parametrize(
    ("url", "listening", "own"),
    [
        ("http://127.0.0.1:4318", ("127.0.0.1", 4318), True),
        ("http://localhost:4318/", ("127.0.0.1", 4318), True),
        ("http://127.0.0.1:4318", ("0.0.0.0", 4318), True),  # noqa: S104 - compared, not bound
        ("http://127.0.0.2", ("0.0.0.0", 80), True),  # noqa: S104
        ("http://127.0.0.1:4319", ("127.0.0.1", 4318), False),
        ("https://127.0.0.1", ("127.0.0.1", 4318), False),
        ("http://192.0.2.7:4318", ("0.0.0.0", 4318), False),  # noqa: S104
    ],
)
def test_which_address_is_its_own(url: str, listening: tuple[str, int], own: bool) -> None:  # noqa: FBT001 - a fact
    """Every name of the socket is known, and no other port or machine."""
    assert is_own(url, listening) is own


def test_nothing_goes_to_oneself(tmp_path: Path) -> None:
    """The own address is refused; one that became it by a restart on that port is left, and said."""
    with forwarding(tmp_path, ("127.0.0.1", 4318)) as one:
        with pytest.raises(Refused, match="this process itself"):
            one.set_target("http://localhost:4318")
        one.set_target("http://127.0.0.1:4320")
    with forwarding(tmp_path, ("127.0.0.1", 4320)) as one:
        assert (one.target, "this process itself" in one.fault) == ("", True)


def test_what_was_sent_on_is_not_sent_on_again() -> None:
    """It is stored like all else, but two processes that name each other make no circle."""
    told: list[str] = []
    world = World(forward=lambda signal, _message: told.append(signal))
    assert world.post("/v1/traces", BODY, PROTOBUF | {FORWARDED_HEADER: "1"}).status_code == 200
    assert (told, len(world.store.batches)) == ([], 1)
    assert world.post("/v1/traces", BODY).status_code == 200
    assert told == ["traces"]
    world.door.close()

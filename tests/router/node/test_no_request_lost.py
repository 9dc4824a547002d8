"""What may happen to a node under load without the loss of a request.

Clients keep their connections or do not, send GET and POST, and are answered by both sides.
"""

import http.client
import os
import signal
import threading
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from ..dataplane.standins import Reply
from ..load import Counts, Plan, monitored, vip
from .host import free_port
from .loaded import Loaded, loaded
from .snapshots import changed
from .waiting import until

__all__ = ["loaded"]  # a fixture is found by its name


def _enough(counts: Counts, more: int = 100) -> None:
    """Wait for that many more answers; whatever fails meanwhile fails here, where it is known what was done."""
    begin = counts.answered
    until(lambda: counts.answered >= begin + more or counts.failures)
    assert not counts.failures


@contextmanager
def _asking(port: int) -> Iterator[list[bytes]]:
    """One request under way in the block; yields the list in which its answer's body is after the block."""
    answers: list[bytes] = []

    def ask() -> None:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
        with closing(connection):
            connection.request("GET", "/elsewhere")
            answers.append(connection.getresponse().read())

    thread = threading.Thread(target=ask)
    thread.start()
    try:
        yield answers
    finally:
        thread.join(30)


def _has_ended(pid: int | None) -> bool:
    return not Path(f"/proc/{pid}").exists()


def test_hand_overs_lose_nothing(loaded: Loaded) -> None:
    """Snapshots with another bootstrap, and `fig node restart`, replace Envoy time after time; the old ones end."""
    old = loaded.start()
    with loaded.load() as counts:
        for seconds in ("2s", "3s"):
            _enough(counts)
            content = {"stats_flush_interval": seconds}
            loaded.publish(changed(loaded.snapshot(), "bootstrap.json", lambda one: {**one, **content}))  # noqa: B023
            assert any("handed over" in text for text in loaded.control.reports[-1]["problems"])
            assert loaded.host.envoy_pid() not in (None, old)
            until(lambda: _has_ended(old))  # noqa: B023 - awaited at once
            old = loaded.host.envoy_pid() or 0
        _enough(counts)
        done = loaded.host.command("restart")
        assert done.returncode == 0, done.stderr
        assert f"(pid {old}) handed over to pid {loaded.host.envoy_pid()}" in done.stdout
        _enough(counts)


def test_publishes_lose_nothing(loaded: Loaded) -> None:
    """Routes added, changed and removed, endpoints exchanged, entry options changed, all of it at once and back."""
    pid = loaded.start()
    first = loaded.snapshot()
    steps = {
        "a route more": loaded.snapshot(routes=("books", "films")),
        "a route for another, and a host more": loaded.snapshot(routes=("books", "music"), endpoints=(0, 1)),
        "another host, and a limit for bodies": loaded.snapshot(endpoints=(1,), entry="max_body: 10MB"),
        "all of it back": first,
    }
    with loaded.load() as counts:
        for step, snapshot in steps.items():
            loaded.publish(snapshot)
            _enough(counts)
            print(f"{step}: {counts}")  # noqa: T201 - where it failed
    assert loaded.host.envoy_pid() == pid


def test_another_entry_port_loses_nothing(loaded: Loaded) -> None:
    """The entry is served where it was before, too, through another publish and a restart, and there again after the
    way back.
    """  # noqa: D205
    first, second = loaded.host.entry_port, free_port()
    loaded.start()
    with loaded.load() as counts:
        loaded.publish(loaded.snapshot(port=second))
        assert _former(loaded) == [f"127.0.0.1:{first}"]
        _enough(counts)
        loaded.publish(loaded.snapshot(port=second, routes=("books", "films")))
        _enough(counts)
        assert loaded.host.command("restart").returncode == 0
        _enough(counts)
        loaded.ports[0] = second
        _enough(counts)
        loaded.publish(loaded.snapshot())
        assert _former(loaded) == [f"127.0.0.1:{second}"]
        _enough(counts)
        loaded.ports[0] = first
        _enough(counts)
    assert loaded.host.side() in ("legacy", "lambda")


def _former(loaded: Loaded) -> list[str]:
    """The former addresses of the entry that the last report tells of."""
    texts = [text for text in loaded.control.reports[-1]["problems"] if "where it was before" in text]
    return [word for text in texts for word in text.split() if word.startswith("127.0.0.1:")]


def test_another_envoy_loses_nothing(loaded: Loaded, tmp_path: Path, blind_validation: str) -> None:
    """An agent that finds another version of Envoy than the one that runs lets that hand over to it."""
    old = loaded.start()
    script = tmp_path / "newer"
    script.write_text(
        f'#!/bin/sh\nif [ "$1" = --version ]; then echo "version: newer"; exit; fi\nexec {blind_validation} "$@"\n'
    )
    script.chmod(0o755)
    with loaded.load() as counts:
        _enough(counts)
        loaded.host.end_agent(signal.SIGUSR1)
        _enough(counts)
        loaded.host.start(loaded.control.url, "--envoy", str(script))
        until(lambda: loaded.host.envoy_pid() not in (None, old))
        until(lambda: _has_ended(old))
        _enough(counts)
    assert any("another version" in text for text in loaded.control.reports[-1]["problems"])


def test_an_end_loses_nothing(loaded: Loaded) -> None:
    """SIGTERM: the monitor fails first, requests go on until the VIP is gone, then nobody is let in, and exit 0."""
    loaded.start("--drain", "1s", "--finish", "5s")
    bypass = loaded.legacy[0].port
    with loaded.load() as counts, vip([loaded.host.entry_port], loaded.ports, "/vip-health", bypass=bypass) as told:
        _enough(counts)
        before = time.monotonic()
        assert loaded.host.end_agent() == 0
        after = time.monotonic()
        _enough(counts)
    assert [answer for _, _, answer in told[:2]] == ["200", "503"]
    assert {answer for _, _, answer in told[2:]} <= {"ConnectionResetError", "ConnectionRefusedError"}
    failed, closed = (at for at, _, _ in told[1:3])
    assert before <= failed <= closed - 1 <= after
    assert loaded.host.envoy_pid() is None


def test_an_end_waits_for_what_is_under_way(loaded: Loaded) -> None:
    """A request that takes longer than the VIP is answered to its end before Envoy ends."""
    loaded.start("--drain", "0s", "--finish", "20s")
    step, over = threading.Event(), threading.Event()
    loaded.legacy[0].answer = lambda _: Reply(stream=[b"begin ", step, b"middle ", over, b"end"])
    with _asking(loaded.host.entry_port) as answers:
        until(lambda: loaded.legacy[0].seen)
        agent = loaded.host.agent
        assert agent is not None
        agent.terminate()
        until(lambda: monitored(loaded.host.entry_port, "/vip-health") == "503")
        step.set()
        until(lambda: loaded.host.said("draining"))
        assert agent.poll() is None
        over.set()
        assert agent.wait(20) == 0
    assert answers == [b"begin middle end"]


def test_a_killed_agent_loses_nothing(loaded: Loaded) -> None:
    """Kill -9 of the agent, and the next one's take-over, are not noticed by any request."""
    pid = loaded.start()
    with loaded.load() as counts:
        _enough(counts)
        loaded.host.end_agent(signal.SIGKILL)
        _enough(counts)
        loaded.control.reports.clear()
        loaded.host.start(loaded.control.url)
        loaded.control.await_in_force()
        _enough(counts)
    assert loaded.host.envoy_pid() == pid


def test_a_killed_envoy_loses_what_was_inside(loaded: Loaded) -> None:
    """Kill -9 of Envoy costs the requests in it and those that come before the next one listens; nothing runs twice."""
    pid = loaded.start()
    with loaded.load(may_fail=True) as counts:
        _enough(counts)
        os.kill(pid, signal.SIGKILL)
        until(lambda: loaded.host.envoy_pid() not in (None, pid))
        loaded.control.await_in_force()
        lost = counts.failures.copy()
        begin = counts.answered
        until(lambda: counts.answered >= begin + 100)
    assert counts.failures == lost
    assert not [reason for reason in lost if "status" in reason]
    inside = {reason: times for reason, times in lost.items() if "Refused" not in reason}
    assert sum(inside.values()) <= Plan().keeping + Plan().short

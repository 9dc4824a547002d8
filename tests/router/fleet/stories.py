"""The stories that `test_fleet.py` runs, each in a process and networks of its own."""

import signal
import sys
from collections.abc import Callable
from pathlib import Path

from ..node.waiting import until
from .fleet import ENTRY_PORT, Fleet
from .networks import SERVICES, prepare

_ESTATE = """
version: 1
entry: {{address: "0.0.0.0:{entry}", default: shop}}
legacy:
  shop: {{endpoints: ["{legacy}"], protect: {{requests: {requests}}}}}
  closed: {{endpoints: ["127.0.0.1:9"]}}
routes:
  nothing: {{match: {{path: {{prefix: /nothing-here}}}}, legacy: closed}}
  limited: {{match: {{path: {{prefix: /limited}}}}, legacy: closed, limit: {{requests: 6, per: 10m}}}}
"""
_REFUSED = ("503", "1")


def _publish(fleet: Fleet, *, requests: int = 10) -> None:
    legacy = f"{SERVICES}:{fleet.legacy.port}"
    fleet.publish(_ESTATE.format(entry=ENTRY_PORT, legacy=legacy, requests=requests))


def _fill(fleet: Fleet, numbers: tuple[int, ...], *, let_in: int, count: int = 20) -> None:
    """Send more than enough to these nodes: exactly `let_in` reach legacy, the others are refused at once."""
    fleet.legacy.reset()
    answers = fleet.ask(numbers, count)
    refused = count * len(numbers) - let_in
    until(
        lambda: (answers.refused(), fleet.legacy.now) == (refused, let_in),
        what=lambda: f"{answers.seen}, {fleet.legacy.now} in legacy, not {let_in}",
    )
    fleet.legacy.go.set()
    assert answers.all() == {("200", ""): let_in, _REFUSED: refused}, answers.seen
    assert fleet.legacy.most == let_in, fleet.legacy.most


def shared(folder: Path) -> None:
    """10 for one node; 5 and 5 for two, as soon as what the first had let in is over; 10 again when one has ended."""
    with Fleet(folder, grace="10m") as fleet:
        _publish(fleet)
        fleet.start_node(1)
        fleet.await_shares("legacy shop", "requests", n1=10)
        _fill(fleet, (1,), let_in=10)

        fleet.legacy.reset()
        kept = fleet.ask((1,), 10)
        until(lambda: fleet.legacy.now == 10)
        fleet.start_node(2)
        fleet.await_shares("legacy shop", "requests", n1=5, n2=1)  # n1 still uses 10
        until(lambda: fleet.parts("legacy shop", "requests")["n1"]["in_use"] == 10)
        assert fleet.parts("legacy shop", "requests")["n2"]["granted"] == 1
        fleet.legacy.go.set()
        assert kept.all() == {("200", ""): 10}
        fleet.await_shares("legacy shop", "requests", n1=5, n2=5)
        _fill(fleet, (1, 2), let_in=10)
        assert fleet.status()["fleet_nodes"] == 2

        limited = fleet.ask((1, 2), 10, "/limited").all()
        assert {status: count for (status, _), count in limited.items()} == {"503": 6, "429": 14}, limited
        assert limited["429", "200"] == 14, limited  # two tokens of the fleet's bucket, at six in ten minutes

        until(lambda: sum(fleet.status()["limits"][0]["refused"].values()) == 14)
        until(lambda: sum(one["overflows"] for one in fleet.parts("legacy shop", "requests").values()) == 40)
        shown = fleet.fig("status")
        assert "legacy shop" in shown, shown
        assert "6 in 10m, 6 at once" in shown, shown

        _publish(fleet, requests=1)
        fleet.await_shares("legacy shop", "requests", n1=1, n2=1)
        assert "legacy shop: 2 nodes take one each" in fleet.status()["problems"][0]
        _fill(fleet, (1, 2), let_in=2)
        _publish(fleet)
        fleet.await_shares("legacy shop", "requests", n1=5, n2=5)

        assert fleet.stop("n2") == 0
        fleet.await_shares("legacy shop", "requests", n1=10)  # long before the grace time is over
        _fill(fleet, (1,), let_in=10)


def outlived(folder: Path) -> None:
    """A node that is gone counts for the grace time; shares outlive control and the agent, and change by publish."""
    with Fleet(folder, grace="3s") as fleet:
        _publish(fleet)
        fleet.start_node(1)
        fleet.start_node(2)
        fleet.await_shares("legacy shop", "requests", n1=5, n2=5)
        fleet.kill("n2")
        fleet.await_shares("legacy shop", "requests", n1=10)

        fleet.kill("control")
        _fill(fleet, (1,), let_in=10)
        fleet.kill_agent("n1")
        fleet.start_node(1)
        _fill(fleet, (1,), let_in=10)
        fleet.kill("n1")
        fleet.start_node(1)  # a new Envoy, with the shares that the disk has
        _fill(fleet, (1,), let_in=10)

        fleet.start_control()
        fleet.await_shares("legacy shop", "requests", n1=10)
        assert fleet.status()["fleet_nodes"] == 1  # the control before knew two nodes, and this one waits for no ghost
        _fill(fleet, (1,), let_in=10)

        _publish(fleet, requests=14)
        fleet.await_shares("legacy shop", "requests", n1=14)
        _fill(fleet, (1,), let_in=14)
        _publish(fleet, requests=3)
        fleet.await_shares("legacy shop", "requests", n1=3)
        _fill(fleet, (1,), let_in=3)


STORIES: dict[str, Callable[[Path], None]] = {"shared": shared, "outlived": outlived}


def _end(*_signal: object) -> None:
    raise SystemExit(1)


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, _end)
    prepare()
    STORIES[sys.argv[1]](Path(sys.argv[2]))

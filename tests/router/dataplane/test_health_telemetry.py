"""The VIP's monitor is no traffic to an OTLP receiver either."""

from pathlib import Path

from .harness import eventually, running_router
from .otlp import Receiver
from .standins import StandIn, echo

ESTATE = """
version: 1
entry:
  address: 127.0.0.1:${ENTRY_PORT}
  default: shop
  health: {path: /router-health}
legacy:
  shop: {endpoints: ["127.0.0.1:${LEGACY_PORT}"]}
telemetry: {otlp: "http://127.0.0.1:${OTLP_PORT}/otlp", sample: 100%}
"""


def test_the_monitor_is_not_exported(tmp_path: Path) -> None:
    """Log records and spans are of visitors alone, though the monitor asked before and after them."""
    with StandIn(echo).running() as legacy, Receiver().receiving() as receiver:
        environment = {"LEGACY_PORT": str(legacy.port), "OTLP_PORT": str(receiver.port)}
        with running_router(tmp_path, ESTATE, environment=environment) as router:
            for path in ("/router-health", "/first", "/router-health", "/last"):
                assert router.request(path, [("X-Request-Id", path)]).status == 200
            eventually(lambda: receiver.record("/last"))
            assert receiver.record("/first").attributes
            assert [one for one in receiver.records() if "health" in str(one)] == []
            assert [one for one in receiver.spans() if "health" in str(one)] == []

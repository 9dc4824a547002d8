"""Telemetry on a router host: switched on while it serves, in the node's name, and missed when the receiver is gone."""

from router.estate import Endpoint, Telemetry
from tests.router.dataplane.otlp import Receiver

from .fake_control import FakeControl
from .host import Host
from .snapshots import snapshot
from .waiting import until

Ports = tuple[int, int, int]


def towards(port: int) -> Telemetry:
    """Telemetry of every request to that port."""
    return Telemetry(otlp=Endpoint("127.0.0.1", port), tls=None, path="/otlp", sample=10_000)


def test_telemetry_is_switched_on_while_the_node_serves(host: Host, control: FakeControl, ports: Ports) -> None:
    """A snapshot with telemetry comes into force by itself; then spans, records and metrics arrive from this node."""
    control.want(snapshot(ports))
    host.start(control.url)
    control.await_in_force()
    with Receiver().receiving() as receiver:
        control.want(snapshot(ports, telemetry=towards(receiver.port)))
        control.await_in_force()

        def told() -> bool:
            host.side()
            return bool(receiver.spans() and receiver.records() and receiver.points("http.entry.downstream_rq_total"))

        until(told)
        span, record = receiver.spans()[0], receiver.records()[0]
        point = receiver.points("http.entry.downstream_rq_total")[0]
        assert {one.resource["service.instance.id"] for one in (span, record, point)} == {"n1"}


def test_a_receiver_that_is_gone_is_reported_and_fills_no_log(host: Host, control: FakeControl, ports: Ports) -> None:
    """Batches that nobody takes are counted in the node's report, and Envoy's log does not grow by them."""
    control.want(snapshot(ports, telemetry=towards(9)))
    host.start(control.url)
    control.await_in_force()
    host.sides(5)
    report = control.await_report(lambda one: bool(one["counters"]) and one["counters"]["telemetry"].get("lost", 0) > 3)
    assert report["counters"]["telemetry"]["batches"] >= report["counters"]["telemetry"]["lost"]
    assert host.side() == "legacy"
    assert "OTLP" not in (host.state / "logs" / "envoy.log").read_text()

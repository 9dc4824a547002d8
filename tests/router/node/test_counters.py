"""What the node makes of Envoy's counters of faults, and when it reads and tells them."""

import asyncio
from pathlib import Path

import pytest

from router.node.admin import Admin
from router.node.counters import Counters, faults, parse
from router.node.samples import samples

from .fake_control import FakeControl
from .host import Host
from .snapshots import snapshot


def fault(assigned: str, side: str, status: int, flags: str = "-") -> bytes:
    """One counter as Envoy writes it."""
    labels = {"fig_route": "books", "fig_assigned": assigned, "fig_side": side, "fig_flags": flags}
    labels["http_response_status_code"] = str(status)
    text = ",".join(f'{name}="{value}"' for name, value in labels.items())
    return f"envoy_fig_faults_requests{{{text}}} 3\n".encode()


@pytest.mark.parametrize(
    ("text", "kinds"),
    [
        (fault("lambda", "legacy", 200), {"fallback"}),
        (fault("lambda", "legacy", 504, "UT"), {"fallback", "timeout"}),
        (fault("legacy", "legacy", 503, "UF,URX"), {"unreachable"}),
        (fault("legacy", "-", 503, "UO"), {"overload"}),
        (fault("legacy", "-", 503, "UH"), {"unreachable"}),
        (fault("legacy", "legacy", 200, "UC"), {"reset"}),
        (fault("lambda", "-", 503), {"overload"}),
        (fault("lambda", "-", 401), {"unauthenticated"}),
        (fault("legacy", "-", 401, "UAEX"), {"unauthenticated"}),
        (fault("-", "-", 403), {"forbidden"}),
        (fault("legacy", "-", 429, "RL"), {"limited"}),
        (fault("-", "-", 508), {"loop"}),
        (fault("legacy", "legacy", 401), set()),
        (fault("lambda", "lambda", 429), set()),
        (fault("legacy", "legacy", 503), set()),
    ],
)
def test_what_a_counter_means(text: bytes, kinds: set[str]) -> None:
    """Envoy's flags, the router's own refusals, and legacy in Lambda's stead are faults; upstreams' answers are not."""
    (sample,) = samples(text)
    assert faults(sample) == kinds


def test_a_reading_is_by_route_alarm_and_service() -> None:
    """Every counter finds its place, and the receiver's answers tell how many batches were lost."""
    text = (
        fault("lambda", "legacy", 200)
        + fault("lambda", "legacy", 404)
        + b'envoy_fig_faults_calls{fig_route="books",fig_role="primary",fig_reason="throttled"} 4\n'
        + b'envoy_fig_faults_calls{fig_route="books",fig_role="shadow",fig_reason="timeout"} 1\n'
        + b'envoy_fig_paths_odd{fig_route="default"} 2\n'
        + b'envoy_fig_alarms_login_on_pooled_connection{fig_upstream="shop"} 5\n'
        + b'envoy_cluster_upstream_rq_completed{fig_cluster="telemetry"} 9\n'
        + b'envoy_cluster_upstream_rq_2xx{fig_cluster="telemetry"} 7\n'
    )
    assert parse(samples(text)) == {
        "routes": {
            "books": {"requests": {"fallback": 6}, "calls": {"throttled": 4}, "shadow_calls": {"timeout": 1}},
        },
        "odd_paths": {"default": 2},
        "alarms": {"login_on_pooled_connection": {"shop": 5}},
        "telemetry": {"batches": 9, "lost": 2},
    }


class FakeAdmin(Admin):
    """An Envoy whose counters are as the test says."""

    def __init__(self) -> None:
        super().__init__(Path("/nowhere/admin.sock"))
        self.answer = b""
        self.asked = 0

    async def text(self, _target: str, *, timeout_seconds: float = 10.0) -> bytes:
        """The counters."""
        assert timeout_seconds > 0
        self.asked += 1
        return self.answer

    async def process_id(self) -> int:
        """An id."""
        return 7


def test_counters_are_read_each_ten_seconds_and_told_once() -> None:
    """However often the node looks, Envoy is asked each ten seconds; a reading is told until control heard of it."""

    async def story() -> None:
        now = [100.0]
        admin, counters = FakeAdmin(), Counters(clock=lambda: now[0])
        await counters.read(admin)
        first = counters.untold()
        assert first is not None
        assert first["epoch"] == "7"
        now[0] += 9.9
        await counters.read(admin)
        assert (admin.asked, counters.untold()) == (1, first)
        counters.told(first)
        assert counters.untold() is None
        now[0] += 0.2
        await counters.read(admin)
        second = counters.untold()
        assert (admin.asked, second) == (2, first)
        counters.told(first)  # a report that took long
        assert counters.untold() is second

    asyncio.run(story())


def test_a_node_reports_what_went_wrong(host: Host, control: FakeControl, ports: tuple[int, int, int]) -> None:
    """Fallbacks of a route are in a report within ten seconds, with their reason; the next one goes without them."""
    entry, legacy, _ = ports
    control.want(snapshot((entry, legacy, 9), books=10_000))
    host.environment["OTEL_RESOURCE_ATTRIBUTES"] = "deployment.environment.name=test"
    host.start(control.url)
    control.await_in_force()
    assert host.sides(5) == {"legacy"}
    wanted = {"requests": {"fallback": 5}, "calls": {"unreachable": 5}}
    control.await_report(lambda one: bool(one["counters"]) and one["counters"]["routes"].get("books") == wanted)
    control.await_report(lambda one: one["counters"] is None)
    environment = Path(f"/proc/{host.envoy_pid()}/environ").read_bytes().split(b"\0")
    told = b"OTEL_RESOURCE_ATTRIBUTES=deployment.environment.name=test,service.instance.id=n1"
    assert told in environment

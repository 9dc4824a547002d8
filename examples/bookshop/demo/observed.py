"""What `fig observe` saw of the story: asked over HTTP, as `fig observe query` asks.

The router's records arrive about a second after their requests, a function's and an application's spans a little later:
so it is asked again until all of it is there, or the deadline has passed.
"""

import json
import time
import urllib.error
import urllib.request
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

_DEADLINE_SECONDS = 15.0
_AGAIN_SECONDS = 0.25
_TIMEOUT_SECONDS = 10.0
WORLDS = ("fig-router", "books", "bookshop")
"""Who tells of a request that goes through both worlds: the router, the function, and legacy, which that one asks."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """What happened and must have arrived: requests since then (seconds since 1970), a weight in percent, a trace."""

    route: str
    requests: int
    since: float
    weight: float
    trace_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Hop:
    """One span of a trace; `depth` hops lie above it."""

    depth: int
    name: str
    service: str
    side: str
    milliseconds: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Observed:
    """The route's numbers as `fig observe` has them, and the hops of one trace; `weight` in percent."""

    requests: Mapping[str, int]
    fallbacks: int
    weight: float | None
    trace_id: str
    hops: Sequence[Hop]
    log_lines: int

    @property
    def crosses_both_worlds(self) -> bool:
        """Whether the trace has a hop of everybody whom its request went through."""
        return set(WORLDS) <= {hop.service for hop in self.hops}

    def to_json(self) -> dict[str, Any]:
        """The numbers for the report."""
        return {
            "requests": sum(self.requests.values()),
            "by_side": dict(self.requests),
            "fallbacks": self.fallbacks,
            "weight": self.weight,
            "trace": self.trace_id,
            "log_lines_of_trace": self.log_lines,
            "spans": [
                {"depth": hop.depth, "name": hop.name, "service": hop.service, "side": hop.side, "ms": hop.milliseconds}
                for hop in self.hops
            ],
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Observer:
    """A running `fig observe`; `run_file` says where it is, and holds the token."""

    run_file: Path

    def saw(self, told: Told) -> Observed:
        """What it saw, once all of it is there; what did not arrive in time is missing.

        Raises `OSError` when it does not answer.
        """
        deadline = time.monotonic() + _DEADLINE_SECONDS
        while True:
            found = self._now(told.route, told.trace_id, told.since)
            is_counted = sum(found.requests.values()) >= told.requests and found.weight == told.weight
            if (is_counted and found.crosses_both_worlds) or time.monotonic() > deadline:
                return found
            time.sleep(_AGAIN_SECONDS)

    def _now(self, route: str, trace_id: str, since: float) -> Observed:
        window = f"start={int(since * 1e9)}&end={time.time_ns() + 1_000_000_000}"
        routes = self._ask(f"/api/routes?{window}")["routes"]
        numbers = next((one for one in routes if one["route"] == route), None)
        trace = self._ask(f"/api/traces/{trace_id}?{window}")
        return Observed(
            requests={side: one["requests"] for side, one in numbers["sides"].items()} if numbers else {},
            fallbacks=numbers["total"]["fallbacks"] if numbers else 0,
            weight=numbers["weight"] / 100 if numbers and numbers["weight"] is not None else None,
            trace_id=trace_id,
            hops=tuple(
                Hop(
                    depth=span["Depth"],
                    name=span["SpanName"],
                    service=span["ServiceName"],
                    side=span["Side"],
                    milliseconds=round(span["Duration"] / 1e6, 2),
                )
                for span in trace.get("spans", ())
            ),
            # a function that did not hear in time that a line was taken says it again
            log_lines=len({(one["ServiceName"], one["Body"]) for one in trace.get("logs", ())}),
        )

    def _ask(self, path: str) -> dict[str, Any]:
        run = json.loads(self.run_file.read_text(encoding="utf-8"))
        headers = {"authorization": f"Bearer {run['token']}"}
        request = urllib.request.Request(run["pages"] + path, headers=headers)  # noqa: S310 - http on this machine
        try:
            with urllib.request.urlopen(request, timeout=_TIMEOUT_SECONDS) as answer:  # noqa: S310
                content: dict[str, Any] = json.loads(answer.read())
        except urllib.error.HTTPError as error:
            if error.code == 404:  # noqa: PLR2004 - nothing of this trace yet
                return {}
            raise
        return content

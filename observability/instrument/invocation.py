"""One invocation as telemetry sees it: a SERVER span around the handler, by OpenTelemetry's stable conventions.

    `begin` -> trace continued, span current -> the handler -> `answered` | `failed` -> span ended, telemetry on its way

Where a request has a traceparent, that is the trace, whatever X-Ray's header says and whichever order of propagators is
set: the router's span is the parent. X-Ray's trace is kept as an attribute, so that one finds the other.

Source: OpenTelemetry semantic conventions 1.4x, "AWS Lambda", "FaaS spans", "HTTP spans".
"""

import os
import re
import sys
import time
from typing import Any

from opentelemetry import context as contexts
from opentelemetry import trace

from strangler_fig.names import (
    INIT_SPAN,
    REQUEST_ATTRIBUTE,
    ROLE_ATTRIBUTE,
    ROLE_PRIMARY,
    ROLE_SHADOW,
    ROUTE_ATTRIBUTE,
    SIDE_ATTRIBUTE,
)

from .answer import has_failed, status_of
from .coldstart import born, is_cold, waited_for
from .event import Told, told
from .lean import TRACEPARENT, context_of
from .options import Options
from .process import LAMBDA, Process

_XRAY_HEADER, _XRAY_VARIABLE, _XRAY_ATTRIBUTE = "X-Amzn-Trace-Id", "_X_AMZN_TRACE_ID", "aws.xray.trace_id"
_XRAY_ROOT = re.compile(r"(?:^|;)\s*Root=(1-[0-9a-f]{8}-[0-9a-f]{24})")
_ARN_PARTS, _ACCOUNT = 7, 4


class Invocation:
    """One that is under way."""

    __slots__ = (
        "_begin",
        "_context",
        "_options",
        "_process",
        "_span",
        "_token",
        "cold",
        "has_raised",
        "request",
        "status",
    )

    def __init__(self, process: Process, options: Options, event: Any, context: Any) -> None:
        self._process, self._options, self._context = process, options, context
        self._begin = time.perf_counter()
        self.request = told(event, context)
        self.cold = process.is_first and is_cold()
        self.status: int | None = None
        self.has_raised = False
        now = time.time_ns()
        parent = _parent(_carrier(self.request))
        if process.is_first:
            process.is_first = False
            _tell_start(process, parent, now)
        process.listen()
        self._span = process.tracer.start_span(
            _name(self.request, self.route, context),
            context=parent,
            kind=trace.SpanKind.SERVER,
            attributes=self._attributes(),
            start_time=now,
        )
        self._token = contexts.attach(trace.set_span_in_context(self._span, parent))

    @property
    def route(self) -> str:
        """The router's name of the route, else the one that the decorator was given."""
        return self.request.route or self._options.route

    @property
    def seconds(self) -> float:
        """How long it takes so far."""
        return time.perf_counter() - self._begin

    @property
    def service(self) -> str:
        """Whose function it is."""
        return str(self._process.resource["service.name"])

    @property
    def trace_id(self) -> str:
        """The trace, in hex."""
        return f"{self._span.get_span_context().trace_id:032x}"

    def answered(self, answer: Any) -> None:
        """Note the handler's answer."""
        self.status = status_of(answer, is_http=self.request.is_http)
        if self.status is not None:
            self._span.set_attribute("http.response.status_code", self.status)
        if has_failed(self.status):
            self._span.set_attribute("error.type", str(self.status))
            self._span.set_status(trace.Status(trace.StatusCode.ERROR))

    def failed(self, error: BaseException) -> None:
        """Note the exception that ended the handler."""
        self.has_raised = True
        self._span.record_exception(error)
        self._span.set_attribute("error.type", type(error).__qualname__)
        self._span.set_status(trace.Status(trace.StatusCode.ERROR, type(error).__qualname__))

    def end(self) -> None:
        """End the span; what was current before is current again."""
        self._span.end()
        contexts.detach(self._token)

    def flush(self) -> None:
        """Send what waits, in what the invocation has left less the reserve, and in the flush's own limit."""
        remaining = getattr(self._context, "get_remaining_time_in_millis", None)
        left = remaining() / 1000 - self._options.reserve_seconds if remaining else self._options.flush_seconds
        if left > 0:
            self._process.flush(min(left, self._options.flush_seconds))

    def _attributes(self) -> dict[str, Any]:
        arn = str(getattr(self._context, "invoked_function_arn", "") or "")
        parts = arn.split(":")
        xray = _XRAY_ROOT.search(os.environ.get(_XRAY_VARIABLE, ""))
        found = {
            **self.request.attributes,
            "faas.invocation_id": getattr(self._context, "aws_request_id", ""),
            "faas.trigger": self.request.trigger,
            "aws.lambda.invoked_arn": arn,
            "cloud.resource_id": ":".join(parts[:_ARN_PARTS]),
            "cloud.account.id": parts[_ACCOUNT] if len(parts) >= _ARN_PARTS else "",
            REQUEST_ATTRIBUTE: self.request.headers.get("x-request-id", ""),
            ROUTE_ATTRIBUTE: self.route,
            _XRAY_ATTRIBUTE: xray[1] if xray else "",
        }
        return {name: value for name, value in found.items() if value} | {
            "faas.coldstart": self.cold,
            SIDE_ATTRIBUTE: LAMBDA,
            ROLE_ATTRIBUTE: ROLE_SHADOW if self.request.is_shadow else ROLE_PRIMARY,
        }


def _carrier(request: Told) -> dict[str, str]:
    """The headers for propagators: with a traceparent without X-Ray's, else with it as its propagator spells it."""
    found = dict(request.headers)
    xray = found.pop("x-amzn-trace-id", "") or os.environ.get(_XRAY_VARIABLE, "")
    if xray and not TRACEPARENT.fullmatch(found.get("traceparent", "")):
        found[_XRAY_HEADER] = xray
    return found


def _parent(carrier: dict[str, str]) -> contexts.Context:
    """What the propagators read out of the headers.

    A traceparent alone, which is what routers and gateways send, is read here where nobody chose propagators: theirs
    are a tenth of a cold start.
    """
    is_chosen = "opentelemetry.propagate" in sys.modules or os.environ.get("OTEL_PROPAGATORS", "").strip()
    if is_chosen or "tracestate" in carrier or "baggage" in carrier:
        from opentelemetry import propagate  # noqa: PLC0415 - as the docstring says

        return propagate.extract(carrier)
    return context_of(carrier.get("traceparent", ""))


def _name(request: Told, route: str, context: Any) -> str:
    """Few names: the method and the route, else the function's; never a path."""
    if request.is_http:
        known = request.http_route or route
        method = request.method if request.method != "_OTHER" else "HTTP"
        return f"{method} {known}" if known else method
    return str(getattr(context, "function_name", "") or "invocation")


def _tell_start(process: Process, parent: Any, now: int) -> None:
    """A span of the environment's start, where the first request waited for it."""
    begun = born() if is_cold() else None
    if begun is None or not waited_for(begun, process.begun, now):
        return
    span = process.tracer.start_span(
        INIT_SPAN, context=parent, start_time=begun, attributes={SIDE_ATTRIBUTE: LAMBDA, "faas.coldstart": True}
    )
    span.end(end_time=now)

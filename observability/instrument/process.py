"""The function's execution environment: the SDK once, what waits to be told, and the ways out.

    first decorated handler -> `Process.begin` -> provider, queues, ways out
    end of an invocation    -> `Process.flush`  -> spans and records on their way, within what the invocation has left

Where somebody else set a provider up before (a layer, the user's own code), spans go there, and `flush` asks it to.
The SDK is imported here and only here, where a variable wants what `lean` has not; its exporter is not: `post` and
`stdout` are a tenth of its import.
"""

import logging
import os
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from opentelemetry import trace

from strangler_fig.names import SIDE_ATTRIBUTE

from . import encode
from .ids import Ids
from .kept import LOGS_EXPORTED, LOGS_PROCESSED, SPANS_EXPORTED, SPANS_PROCESSED, KeptSpans, Losses, Queue
from .logged import Keeping, mark
from .variables import Signal, Target, Way, has_endpoint, max_queue, pairs, target, variable, way

SCOPE = "observability.instrument"
LAMBDA = "lambda"
_PER_REQUEST = 512
"""Spans or records in one request at most. Source: the SDK's `OTEL_BSP_MAX_EXPORT_BATCH_SIZE`."""
_log = logging.getLogger(SCOPE)


class Process:
    """What an environment has for telling. Made by `begin`."""

    def __init__(self, service: str) -> None:
        self.losses = Losses()
        self.spans: Queue[Any] = Queue(max_queue(), self.losses, SPANS_PROCESSED)
        self.records: Queue[encode.Record] = Queue(max_queue(), self.losses, LOGS_PROCESSED)
        self.resource: Mapping[str, Any] = resource(service)
        self.is_first = True
        """Whether no invocation was there yet."""
        self.begun = time.time_ns()
        default = Way.OTLP if has_endpoint() else Way.LINES if is_on_lambda() else Way.NONE
        self.way = way(Signal.TRACES, default)
        logs = way(Signal.LOGS, Way.OTLP if has_endpoint(Signal.LOGS) and self.way is Way.OTLP else Way.NONE)
        self._keeping = Keeping(self.current, self.records.add) if logs is Way.OTLP else None
        self._filters: list[logging.Filter] = []
        self._flushing: threading.Thread | None = None
        self._post: Any = None
        self._targets: dict[Signal, Target] = {}
        if Way.OTLP in (self.way, logs):
            self._targets = {signal: target(signal) for signal in Signal}
            from .post import Post  # noqa: PLC0415 - nothing of HTTP is needed for lines

            self._post = Post()
        self.provider = self._provider()
        self.tracer = trace.get_tracer(SCOPE, tracer_provider=self.provider)
        self._said = ""

    def current(self) -> Any:
        """The current span's context."""
        return trace.get_current_span().get_span_context()

    def listen(self) -> None:
        """Mark the lines of every logger that there is by now; cheap when all are marked."""
        mark(self.current, self._keeping, self._filters)

    def flush(self, seconds: float) -> None:
        """Tell what waits, in `seconds` at most; what cannot be told in that time waits on."""
        until = time.monotonic() + seconds
        if not self._is_ours and not (self._flushing and self._flushing.is_alive()):
            self._flushing = _bounded(lambda: self.provider.force_flush(int(seconds * 1000)), seconds)
        if self._post is not None:
            self._send(until)
        if self.way is Way.LINES:
            self._write()

    def end(self, seconds: float = 1.0) -> None:
        """Tell what waits and wait for the answers: the process ends."""
        self.flush(seconds)
        if self._post is not None:
            self._post.settle(time.monotonic() + seconds)
            self._post.close()

    def _provider(self) -> Any:
        found = trace.get_tracer_provider()
        self._is_ours = not hasattr(found, "add_span_processor")
        if not self._is_ours:
            return found
        from . import lean  # noqa: PLC0415 - where nobody else's provider is there

        if lean.is_enough():
            self.resource = {**self.resource, "telemetry.sdk.name": SCOPE}  # as semantic conventions want of others
            own = lean.LeanProvider(self.resource)
            own.add_span_processor(KeptSpans(self.spans))
            trace.set_tracer_provider(own)
            return own
        from opentelemetry.sdk.resources import Resource  # noqa: PLC0415 - the price of the SDK is paid here
        from opentelemetry.sdk.trace import TracerProvider  # noqa: PLC0415

        known = Resource(dict(self.resource))
        if variable("OTEL_EXPERIMENTAL_RESOURCE_DETECTORS"):  # they are looked up in every package's metadata
            known = Resource.create(dict(self.resource))
            self.resource = dict(known.attributes)
        provider = TracerProvider(resource=known, shutdown_on_exit=False, id_generator=Ids())  # type: ignore[arg-type]
        provider.add_span_processor(KeptSpans(self.spans))  # type: ignore[arg-type]  # both are, but for their names
        trace.set_tracer_provider(provider)
        return provider

    def _write(self) -> None:
        from .stdout import lines, write  # noqa: PLC0415 - where it is the way out

        spans, lost = self.spans.taken(), self.losses.taken()
        found = lines(lambda some: encode.traces(self.resource, some), spans) if spans else []
        if lost:
            found.append(encode.as_bytes(self._losses(lost)).decode())
        if found:
            write(found)

    def _send(self, until: float) -> None:
        self._post.settle()
        if not self._post.is_open():
            return
        if spans := self.spans.taken():
            self._batches(Signal.TRACES, spans, until)
        if records := self.records.taken():
            self._batches(Signal.LOGS, records, until)
        if self._post.is_open() and (lost := self.losses.taken()):
            self._post.send(self._loss_batch(lost), until)
        if self._post.failure != self._said:
            self._said = self._post.failure
            if self._said:
                _log.warning("telemetry waits: %s", self._said)

    def _batches(self, signal: Signal, items: Sequence[Any], until: float) -> None:
        queue: Queue[Any] = self.spans if signal is Signal.TRACES else self.records
        counter = SPANS_EXPORTED if signal is Signal.TRACES else LOGS_EXPORTED
        request: Callable[..., encode.Json] = encode.traces if signal is Signal.TRACES else encode.logs
        from .post import Batch  # noqa: PLC0415 - as above

        for begin in range(0, len(items), _PER_REQUEST):
            some = items[begin : begin + _PER_REQUEST]
            batch = Batch(
                target=self._targets[signal],
                request=request(self.resource, some),
                items=some,
                back=queue.back,
                lost=lambda lost, reason: self.losses.add(counter, reason, len(lost)),
            )
            self._post.send(batch, until)

    def _loss_batch(self, lost: Mapping[tuple[str, str], int]) -> Any:
        from .post import Batch  # noqa: PLC0415 - as above

        return Batch(
            target=self._targets[Signal.METRICS],
            request=self._losses(lost),
            items=(lost,),
            back=lambda items: self.losses.back(items[0]),
            lost=lambda _items, _reason: None,  # a collector without metrics: the counts are lost, nothing else is
        )

    def _losses(self, lost: Mapping[tuple[str, str], int]) -> encode.Json:
        since, self.losses.since = self.losses.since, time.time_ns()
        return encode.losses(self.resource, lost, since, self.losses.since)


def is_on_lambda() -> bool:
    """Whether this process runs a Lambda function."""
    return bool(os.environ.get("AWS_LAMBDA_FUNCTION_NAME"))


def resource(service: str) -> dict[str, Any]:
    """Who tells: the function as Lambda's variables name it, and what OpenTelemetry's add or replace."""
    from opentelemetry.version import __version__ as version  # noqa: PLC0415 - a name of four letters too many

    name = os.environ.get("AWS_LAMBDA_FUNCTION_NAME", "")
    memory = os.environ.get("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "")
    on_lambda = {
        "cloud.provider": "aws",
        "cloud.platform": "aws_lambda",
        "cloud.region": os.environ.get("AWS_REGION", ""),
        "faas.name": name,
        "faas.version": os.environ.get("AWS_LAMBDA_FUNCTION_VERSION", ""),
        "faas.instance": os.environ.get("AWS_LAMBDA_LOG_STREAM_NAME", ""),
        "faas.max_memory": int(memory) * 1024 * 1024 if memory.isdecimal() else 0,
        "service.instance.id": os.environ.get("AWS_LAMBDA_LOG_STREAM_NAME", ""),
    }
    found: dict[str, Any] = {
        "telemetry.sdk.language": "python",
        "telemetry.sdk.name": "opentelemetry",
        "telemetry.sdk.version": version,
        SIDE_ATTRIBUTE: LAMBDA,
        **{key: value for key, value in (on_lambda if name else {}).items() if value},
        **dict(pairs(variable("OTEL_RESOURCE_ATTRIBUTES"))),
    }
    own = variable("OTEL_SERVICE_NAME") or found.get("service.name", "")
    return found | {"service.name": own or service or variable("POWERTOOLS_SERVICE_NAME") or name or "unknown_service"}


def _bounded(doing: Callable[[], Any], seconds: float) -> threading.Thread:
    """Do it on a thread that is left behind when it takes longer: the SDK's own flush has no bound."""
    thread = threading.Thread(target=doing, daemon=True)
    thread.start()
    thread.join(seconds)
    return thread

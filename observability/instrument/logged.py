"""Lines of the standard library's `logging` with the trace that they belong to, Powertools' Logger included.

`Marking` is a filter on the handlers that write lines: it adds `trace_id`, `span_id` and `trace_flags` to the record,
which Powertools' formatter prints like any key of `extra`. `Keeping` is a handler that keeps records for a collector.

Source: OpenTelemetry specification, "Trace Context in non-OTLP Log Formats"; semantic conventions, "Logs" and "Code".
"""

import contextlib
import logging
import threading
import traceback
from collections.abc import Callable, Iterator
from typing import Any

from .encode import Record

_STANDARD = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName", "exc_text", "stack_info"}
_ADDED = frozenset({"trace_id", "span_id", "trace_flags", "aws_request_id", "tenant_id", "_frame_type"})
_TEXTS = {"WARNING": "WARN", "CRITICAL": "FATAL"}
_OWN = ("opentelemetry", "observability.instrument")
_MAX_SEVERITY = 24

_BELONGS = "__fig_span_context__"
"""Where an exception keeps the span that it ended: servers write of it when the span is not current any more."""

Current = Callable[[], Any]
"""What gives the current span's context."""


class Marking(logging.Filter):
    """Adds the current span's ids to records; keeps what the user set himself."""

    def __init__(self, current: Current) -> None:
        super().__init__()
        self._current = current

    def filter(self, record: logging.LogRecord) -> bool:
        """True always: it only adds."""
        context = _context_of(record, self._current())
        if context is not None and context.is_valid and "trace_id" not in record.__dict__:
            record.trace_id = f"{context.trace_id:032x}"
            record.span_id = f"{context.span_id:016x}"
            record.trace_flags = f"{int(context.trace_flags):02x}"
        return True


class Keeping(logging.Handler):
    """Hands each record to `keep`, once, whatever other handlers there are."""

    def __init__(self, current: Current, keep: Callable[[Record], None]) -> None:
        super().__init__()
        self._current, self._keep = current, keep
        self._latest = threading.local()

    def filter(self, record: logging.LogRecord) -> bool:
        """Whether it is to be told: not what tells of itself, and nothing twice.

        Filters that others hang on every handler do not count: Powertools' keeps its records from being printed twice.
        """
        return not record.name.startswith(_OWN) and getattr(self._latest, "record", None) is not record

    def emit(self, record: logging.LogRecord) -> None:
        """Keep it."""
        self._latest.record = record
        try:
            self._keep(as_record(record, _context_of(record, self._current())))
        except Exception:  # noqa: BLE001 - as `logging` has it: a line that cannot be told must not end a request
            self.handleError(record)


def belongs_to(error: BaseException, context: Any) -> None:
    """Let records of this exception belong to the span of this context; the first that is named stays."""
    with contextlib.suppress(Exception):  # an exception may refuse attributes
        error.__dict__.setdefault(_BELONGS, context)


def _context_of(record: logging.LogRecord, current: Any) -> Any:
    """The current span's context, else that of the span which the record's exception ended."""
    if (current is not None and current.is_valid) or not record.exc_info:
        return current
    return getattr(record.exc_info[1], _BELONGS, None) or current


def as_record(record: logging.LogRecord, context: Any) -> Record:
    """The record as OTLP has it, with what `extra` gave."""
    found: dict[str, Any] = {
        name: value for name, value in record.__dict__.items() if name not in _STANDARD and name not in _ADDED
    }
    found |= {
        "code.file.path": record.pathname,
        "code.line.number": record.lineno,
        "code.function.name": record.funcName or "",
    }
    if record.exc_info and record.exc_info[0] is not None:
        found["exception.type"] = record.exc_info[0].__qualname__
        found["exception.message"] = str(record.exc_info[1])
        found["exception.stacktrace"] = "".join(traceback.format_exception(*record.exc_info))
    is_valid = context is not None and context.is_valid
    return Record(
        nanoseconds=int(record.created * 1e9),
        severity=severity(record.levelno),
        severity_text=_TEXTS.get(record.levelname, record.levelname),
        body=record.getMessage(),
        scope=record.name,
        trace_id=context.trace_id if is_valid else 0,
        span_id=context.span_id if is_valid else 0,
        flags=int(context.trace_flags) if is_valid else 0,
        attributes=found,
    )


def severity(level: int) -> int:
    """OpenTelemetry's number of a level: DEBUG 5, INFO 9, WARNING 13, ERROR 17, CRITICAL 21."""
    if level < logging.DEBUG:
        return 1 if level > 0 else 0
    hundred = min(level, logging.CRITICAL) // 10
    return min(hundred * 4 + 1 + min(level - hundred * 10, 3), _MAX_SEVERITY)


def mark(current: Current, keeping: logging.Handler | None, marked: "list[logging.Filter]") -> None:
    """Hang the filter on each handler that there is by now, and the keeping handler where records end up.

    `marked` holds the filter once it is made. A logger that does not pass its records on gets the keeping handler, too.
    """
    if not marked:
        marked.append(Marking(current))
    (filter_,) = marked
    for logger in _with_handlers():
        for handler in logger.handlers:
            if handler is not keeping and filter_ not in handler.filters:
                handler.addFilter(filter_)
        is_end = logger.parent is None or not logger.propagate
        if keeping is not None and is_end and keeping not in logger.handlers:
            logger.addHandler(keeping)


def _with_handlers() -> Iterator[logging.Logger]:
    yield logging.root
    for one in list(logging.root.manager.loggerDict.values()):
        if isinstance(one, logging.Logger) and one.handlers:
            yield one

"""The Invoke API: from an HTTP request to an invocation, and from its outcome to the answer.

Source: Lambda API reference, Invoke (2015-03-31).
"""

import base64
import time
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import parse_qs, unquote

from . import api_error, fault
from .api_error import ApiError
from .event_queue import EventQueue
from .fault import Fault, FaultSwitch
from .function import Function
from .http_server import Exchange
from .invocation import Invocation
from .invoke_request import InvokeRequest, Kind
from .outcome import Outcome
from .reference import FunctionReference
from .settings import Settings
from .sigv4 import Verifier

_ROOT = "/2015-03-31/functions/"
_VERB = "/invocations"
_MAX_KNOWN_TARGETS = 1_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Served:
    """One function with everything that the API keeps for it."""

    function: Function
    events: EventQueue
    faults: FaultSwitch


@dataclass(frozen=True, slots=True, kw_only=True)
class _Target:
    """What a request's path names: a function, the version to run, and the ARN as the caller wrote it."""

    served: Served
    version: str
    arn: str


class InvokeApi:
    """Serves Invoke for the functions of one file; without a `verifier` requests need no signature."""

    def __init__(self, settings: Settings, served: Mapping[str, Served], verifier: Verifier | None) -> None:
        self._settings = settings
        self._served = served
        self._verifier = verifier
        self._targets: dict[str, _Target] = {}

    def serve(self, exchange: Exchange) -> None:
        """Answer a request, or see to it that it is answered when its invocation is done."""
        request_id = str(uuid.uuid4())
        target = self._targets.get(exchange.target) or self._find(exchange.target)
        if exchange.body is None:
            api_error.PAYLOAD_TOO_LARGE.send(exchange, request_id)
            return
        refusal = self._verifier.refusal(exchange) if self._verifier else None
        if refusal is not None or isinstance(target, ApiError) or exchange.method != "POST":
            error = refusal or (target if isinstance(target, ApiError) else api_error.UNKNOWN_OPERATION)
            error.send(exchange, request_id)
            return
        planted = target.served.faults.take()
        if planted is not Fault.NONE:
            _answer_fault(exchange, target, planted, request_id)
            return
        error_found = self._invoke(exchange, target, request_id)
        if error_found is not None:
            error_found.send(exchange, request_id)

    def _find(self, path_and_query: str) -> _Target | ApiError:
        path, _, query = path_and_query.partition("?")
        if not (path.startswith(_ROOT) and path.endswith(_VERB)):
            return api_error.UNKNOWN_OPERATION
        named = unquote(path[len(_ROOT) : -len(_VERB)])
        reference = FunctionReference.parse(named)
        if reference is None:
            return ApiError(
                400, "ValidationException", f"{named!r} is not a function name or ARN", message_key="message"
            )
        asked = parse_qs(query).get("Qualifier", [None])[0]
        if asked and reference.qualifier and asked != reference.qualifier:
            return api_error.invalid_parameter(
                "The derived qualifier from the function name does not match the specified qualifier."
            )
        qualifier = asked or reference.qualifier
        arn = self._settings.arn(reference.name, qualifier)
        for what, wanted, ours in (
            ("region", reference.region, self._settings.region),
            ("account", reference.account, self._settings.account),
        ):
            if wanted not in (None, ours):
                return api_error.not_found(named, f" (this process has {what} {ours})")
        served = self._served.get(reference.name)
        version = served.function.settings.version(qualifier) if served else None
        if served is None or version is None:
            return api_error.not_found(arn)
        target = _Target(served=served, version=version, arn=arn)
        if len(self._targets) < _MAX_KNOWN_TARGETS:
            self._targets[path_and_query] = target
        return target

    def _invoke(self, exchange: Exchange, target: _Target, request_id: str) -> ApiError | None:
        """Start the invocation, or say why not."""
        request = InvokeRequest.read(exchange.headers, exchange.body or b"")
        if isinstance(request, ApiError):
            return request
        if request.kind is Kind.DRY_RUN:
            exchange.answer(204, {"x-amzn-RequestId": request_id, "X-Amz-Executed-Version": target.version})
            return None

        def done(invocation: Invocation, outcome: Outcome) -> None:
            _answer(exchange, invocation, outcome)

        invocation = Invocation(
            request_id=request_id,
            payload=request.payload,
            version=target.version,
            arn=target.arn,
            trace_id=exchange.headers.get("x-amzn-trace-id") or _new_trace_id(request_id),
            client_context=request.client_context,
            wants_log=request.wants_log,
            done=done,
        )
        if request.kind is Kind.SYNC:
            return None if target.served.function.submit(invocation) else api_error.THROTTLED
        if not target.served.events.add(invocation):
            return api_error.EVENT_QUEUE_FULL
        exchange.answer(202, {"x-amzn-RequestId": request_id, "X-Amzn-Trace-Id": invocation.trace_id})
        return None


def _answer(exchange: Exchange, invocation: Invocation, outcome: Outcome) -> None:
    headers = {
        "Content-Type": "application/json",
        "x-amzn-RequestId": invocation.request_id,
        "x-amzn-Remapped-Content-Length": "0",
        "X-Amz-Executed-Version": invocation.version,
        "X-Amzn-Trace-Id": invocation.trace_id,
    }
    if outcome.failed:
        headers["X-Amz-Function-Error"] = "Unhandled"
    if outcome.log is not None:
        headers["X-Amz-Log-Result"] = base64.b64encode(outcome.log).decode()
    exchange.answer(200, headers, outcome.payload)


def _answer_fault(exchange: Exchange, target: _Target, planted: Fault, request_id: str) -> None:
    """Answer as the fault says; a hanging call keeps its connection and gets nothing."""
    function = target.served.function
    function.counts.faults += 1
    error = fault.api_error(planted, target.arn)
    outcome = fault.outcome(planted, request_id, function.settings.timeout_seconds)
    if error is not None:
        error.send(exchange, request_id)
    elif outcome is not None:
        headers = {
            "Content-Type": "application/json",
            "x-amzn-RequestId": request_id,
            "X-Amz-Executed-Version": target.version,
        }
        if outcome.failed:
            headers["X-Amz-Function-Error"] = "Unhandled"
        exchange.answer(200, headers, outcome.payload)
    elif planted is Fault.RESET:
        exchange.reset()


def _new_trace_id(request_id: str) -> str:
    digits = request_id.replace("-", "")
    return f"Root=1-{int(time.time()):08x}-{digits[:24]};Parent={digits[16:]};Sampled=0"

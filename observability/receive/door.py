"""The way of one request: token, type, room, body, message, rows, commit, answer.

`200` means stored: a kill at any moment after it loses nothing of the batch. `503` with `Retry-After` means that
nothing was stored and that the sender should come again; `4xx` that it need not.
"""

import asyncio
import contextlib
import hmac
import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import NamedTuple, Protocol

from google.protobuf.message import DecodeError, Message
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import Route

from ..errors import StoreFailed, StoreFull
from ..forward.own import FORWARDED_HEADER
from ..normalise.bounds import Clock
from ..normalise.logs import logs_batch
from ..normalise.metrics import metrics_batch
from ..normalise.minutes import RouteNames
from ..normalise.spans import spans_batch
from ..tables import Batch
from .answers import refused, taken
from .body import Limits, decompressed, read_body
from .counts import Counts
from .decode import JSON, PROTOBUF, REQUESTS, content_type, decoded, decoded_shallow, malformed
from .ids import empty_invalid_ids
from .refusal import BadRequest, Reason
from .repeated import Claim, Repeated, is_repeating
from .strangers import check_no_stranger

_BODY_SECONDS = 30.0
_MAX_DRAINED_BYTES, _DRAIN_SECONDS = 64 * 2**20, 5.0
_MAX_READING_BYTES = 64 * 2**20
"""Bytes of bodies that are read and decoded at one time, over all connections."""
_RETRY_SECONDS = 2


class Storing(Protocol):
    """What the door needs of a store."""

    def check_room(self, size: int) -> None:
        """Raise `StoreFull` when a batch of this size would not be taken now."""

    def submit(self, batch: Batch) -> "Future[None]":
        """What is done once the batch is stored."""


def any_name(_host: str) -> bool:
    """Every name is ours."""
    return True


def forward_nothing(_signal: str, _message: Message) -> None:
    """Send nothing on."""


def always() -> bool:
    """Whether anything is sent on: yes."""
    return True


class Form(NamedTuple):
    """What a body is: of which signal, in which encoding of OTLP, compressed how."""

    signal: str
    kind: str
    encoding: str


@dataclass(slots=True, kw_only=True)
class Door:
    """Receives the three signals; `forward` hears, in a worker's thread, of what was stored and not sent on before.

    `is_forwarding` spares the reading of whole messages where nobody wants them.
    """

    store: Storing
    counts: Counts
    token: str = ""
    is_ours: Callable[[str], bool] = any_name
    limits: Limits = field(default_factory=Limits)
    now: Callable[[], int] = time.time_ns
    forward: Callable[[str, Message], None] = forward_nothing
    is_forwarding: Callable[[], bool] = always
    names: RouteNames = field(default_factory=RouteNames)
    _workers: ThreadPoolExecutor = field(default_factory=lambda: ThreadPoolExecutor(2, "decode"))
    _reading_bytes: int = 0
    _repeated: Repeated = field(init=False)

    def __post_init__(self) -> None:
        self._repeated = Repeated(self.now)

    def routes(self) -> list[Route]:
        """The three paths, and nothing else."""
        return [Route("/v1/{signal}", self.receive, methods=["POST"])]

    def close(self) -> None:
        """Let the workers end."""
        self._workers.shutdown(wait=True, cancel_futures=True)

    async def receive(self, request: Request) -> Response:
        """Take one request's records, and answer when they are stored."""
        signal = request.path_params["signal"]
        kind = JSON if request.headers.get("content-type", "").startswith(JSON) else PROTOBUF
        try:
            self._check(signal, request)
            kind = content_type(request.headers.get("content-type", ""))
            self.store.check_room(0)
            records = await self._taken_once(signal, kind, request)
        except BadRequest as bad:
            if bad.reason is not Reason.GONE:
                await self._drain(request)
            return self._refused(signal, kind, bad)
        except StoreFull as full:
            await self._drain(request)
            why = BadRequest(503, Reason.FULL, str(full), retry_after_seconds=full.retry_after_seconds)
            return self._refused(signal, kind, why)
        except StoreFailed as failed:
            await self._drain(request)
            return self._refused(signal, kind, BadRequest(500, Reason.NOT_STORED, str(failed)))
        except ClientDisconnect:
            return self._refused(signal, kind, BadRequest(400, Reason.GONE, "the sender left before the body's end"))
        self.counts.took(signal, *records)
        return taken(kind)

    async def _taken_once(self, signal: str, kind: str, request: Request) -> tuple[int, int]:
        """Take a request, without what its sender repeats."""
        if not is_repeating(request.headers.get("user-agent", "")):
            return await self._take(signal, kind, request, None)
        claim, is_stored = Claim(), False
        try:
            records = await self._take(signal, kind, request, claim)
            is_stored = True
            for one in claim.awaited:
                if not await asyncio.wrap_future(one):
                    message = "what is repeated here could not be stored when it came first"
                    raise BadRequest(503, Reason.FULL, message, retry_after_seconds=_RETRY_SECONDS)
        finally:
            self._repeated.settle(claim, is_stored=is_stored)
        self.counts.repeat(signal, claim.repeated)
        return records

    async def _take(self, signal: str, kind: str, request: Request, claim: Claim | None) -> tuple[int, int]:
        """Read, decode and store a request, and return how many records it had, and ids that were none."""
        length = 0

        def grew(more: int) -> None:
            nonlocal length
            length += more
            self._reading_bytes += more
            if self._reading_bytes > _MAX_READING_BYTES:
                message = "too many requests are being read"
                raise BadRequest(503, Reason.FULL, message, retry_after_seconds=_RETRY_SECONDS)

        try:
            form = Form(signal, kind, request.headers.get("content-encoding", ""))
            loop = asyncio.get_running_loop()
            batch, whole = await loop.run_in_executor(
                self._workers, self._read, form, await self._body(request, grew), self._is_sent_on(request), claim
            )  # nothing here keeps the body while its rows wait for their commit
        finally:
            self._reading_bytes -= length
        if batch.records:
            await asyncio.wrap_future(self.store.submit(batch))
            if whole is not None:
                await loop.run_in_executor(self._workers, self.forward, signal, whole)
        return batch.records, batch.invalid_ids

    def _is_sent_on(self, request: Request) -> bool:
        is_wanted = self.forward is not forward_nothing and self.is_forwarding()
        return is_wanted and FORWARDED_HEADER not in request.headers

    async def _body(self, request: Request, grew: Callable[[int], None]) -> bytes:
        try:
            async with asyncio.timeout(_BODY_SECONDS):
                announced = request.headers.get("content-length", "")
                return await read_body(request.stream(), self.limits, announced, grew)
        except TimeoutError as error:
            message = f"the body did not come within {_BODY_SECONDS:.0f} seconds"
            raise BadRequest(408, Reason.GONE, message) from error

    async def _drain(self, request: Request) -> None:
        """Read what is left of a refused body, within bounds: who still sends would see a reset and no answer."""
        left = _MAX_DRAINED_BYTES
        with contextlib.suppress(TimeoutError, ClientDisconnect, RuntimeError):  # the last: nothing is left
            async with asyncio.timeout(_DRAIN_SECONDS):
                async for chunk in request.stream():
                    left -= len(chunk)
                    if left < 0:
                        return

    def _read(
        self,
        form: Form,
        body: bytes,
        is_sent_on: bool,  # noqa: FBT001 - a fact
        claim: Claim | None,
    ) -> tuple[Batch, Message | None]:
        """The rows of a body, and the message itself where it is sent on."""
        plain = decompressed(body, form.encoding, self.limits)
        whole = decoded(form.signal, form.kind, plain) if is_sent_on else None
        message = decoded_shallow(form.signal, form.kind, plain)
        if claim is not None:
            self._repeated.claim(message, claim)
            if claim.repeated and whole is not None:
                whole = decoded(form.signal, PROTOBUF, message.SerializeToString())
        try:
            batch = self._batch(form.signal, message, len(plain))
        except DecodeError as error:
            raise malformed(form.signal, error) from error
        if whole is not None:
            empty_invalid_ids(whole)
        return batch, whole

    def _batch(self, signal: str, message: Message, size: int) -> Batch:
        clock = Clock(self.now())
        if signal == "traces":
            return spans_batch(message, clock, self.names, size)
        if signal == "logs":
            return logs_batch(message, clock, self.names, size)
        return metrics_batch(message, clock, size)

    def _check(self, signal: str, request: Request) -> None:
        if signal not in REQUESTS:
            raise BadRequest(404, Reason.NOT_FOUND, "there are /v1/traces, /v1/logs and /v1/metrics")
        if not self.token:
            check_no_stranger(request.headers, self.is_ours)
            return
        scheme, _, sent = request.headers.get("authorization", "").partition(" ")
        if scheme.lower() != "bearer" or not hmac.compare_digest(sent.strip().encode(), self.token.encode()):
            raise BadRequest(401, Reason.NO_TOKEN, "the token is missing or wrong: send Authorization: Bearer ...")

    def _refused(self, signal: str, kind: str, bad: BadRequest) -> Response:
        self.counts.refuse(signal if signal in REQUESTS else "other", bad.reason, bad.message)
        return refused(kind, bad)

"""`HttpService`: what a function's module makes once, and asks in each invocation.

A call -> its tries, inside the deadline -> guard -> telemetry -> our pool -> the whole answer, or an error of our tree.
"""

import functools
import random
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, nullcontext
from typing import Any

from urllib3 import HTTPConnectionPool, Timeout

from strangler_fig.names import ORIGIN_HEADER, ORIGIN_LAMBDA

from .. import effects, telemetry
from ..deadline import current
from ..errors import ConnectionLost, DeadlineExceeded, Overloaded, Rejected, ShadowSuppressed, TargetFailed
from ..profiles.load import service_profile
from ..profiles.values import ServiceProfile
from ..shadow import is_shadow
from .answer import UNWELL, Answer, Unwell
from .call import IDEMPOTENCY_HEADER, SAFE, Call, make
from .coding import codings_of, unpacked
from .failures import failure
from .pool import answering, make_pool, trying

__all__ = ["IDEMPOTENCY_HEADER", "SAFE", "Guard", "HttpService"]

Guard = Callable[[], AbstractContextManager[object]]
"""What stands before each try, as a circuit breaker: entering it may raise `Overloaded`; an exception that leaves the
block, always one of our tree, is a failure of the target."""

_FIRST_PAUSE, _LONGEST_PAUSE = 0.05, 1.0
_CHUNK = 65536
_OF_PACKED = frozenset({"content-encoding", "content-length"})


class HttpService:
    """A service on-premises. Making one connects nothing; its profile is read and judged at once."""

    def __init__(self, profile: ServiceProfile, *, guard: Guard = nullcontext) -> None:
        self.profile = profile
        self._guard = guard
        self._used: float | None = None

    @classmethod
    def named(cls, name: str, *, guard: Guard = nullcontext) -> "HttpService":
        """The service whose profile has that name. Raises `ProfileInvalid` with every fault."""
        return cls(service_profile(name), guard=guard)

    @functools.cached_property
    def _pool(self) -> HTTPConnectionPool:
        return make_pool(self.profile)

    @functools.cached_property
    def _place(self) -> tuple[telemetry.Attributes, str]:
        return telemetry.service(self.profile)

    def get(self, path: str, **options: Any) -> Answer:
        """`request("GET", ...)`."""
        return self.request("GET", path, **options)

    def post(self, path: str, **options: Any) -> Answer:
        """`request("POST", ...)`."""
        return self.request("POST", path, **options)

    def request(  # noqa: PLR0913 - a request has these parts
        self,
        method: str,
        path: str,
        *,
        query: Mapping[str, Any] | None = None,
        headers: Mapping[str, str] | None = None,
        body: bytes | str | None = None,
        json_body: object = None,
        idempotency_key: str | None = None,
    ) -> Answer:
        """The service's answer, whatever its status; redirects are not followed.

        It is asked again, inside the deadline, when nothing was sent, and where that is safe: the method is idempotent
        or has an idempotency key. Of `headers`, those that frame a message and `x-fig-*` are left out. Raises the
        errors of `adapters.errors.TargetFailed`, and `ValueError` where `path` does not begin with `/` or could climb.
        """
        options = {
            "query": query,
            "headers": headers,
            "body": body,
            "json_body": json_body,
            "idempotency_key": idempotency_key,
        }
        if is_shadow() and self.profile.shadow:
            shadow = self._shadow(self.profile.shadow)
            return shadow._ask(make(shadow.profile, method, path, options))  # noqa: SLF001 - one of us
        call = make(self.profile, method, path, options)
        if is_shadow() and not call.is_safe:
            raise ShadowSuppressed(self.profile.name, call.method)
        return self._ask(call)

    def close(self) -> None:
        """Close what is open, as before a snapshot of the environment is taken."""
        pool = self.__dict__.pop("_pool", None)
        self._used = None
        if pool is not None:
            pool.close()

    def _shadow(self, name: str) -> "HttpService":
        return _shadow_of(name)

    def _ask(self, call: Call) -> Answer:
        pause, may_be_done = _FIRST_PAUSE, False
        for number in range(self.profile.retries + 1):
            is_last = number == self.profile.retries
            try:
                return self._guarded(call, number)
            except Unwell as unwell:
                if is_last or not call.may_be_repeated or not _time(pause):
                    return unwell.answer
                may_be_done = True
            except TargetFailed as error:
                may_be_done = may_be_done or not error.nothing_done
                if is_last or not _may_repeat(call, error) or not _time(pause):
                    error.nothing_done = error.nothing_done and not may_be_done
                    raise
            self._wait(pause * random.uniform(0.5, 1.0))  # noqa: S311 - only that not all come at once
            pause = min(2 * pause, _LONGEST_PAUSE)
        message = "the last try returns or raises"
        raise AssertionError(message)

    def _guarded(self, call: Call, number: int) -> Answer:
        """One try, as the guard sees it. Raises `Unwell` with an answer that is a failure."""
        doing = f"asking {self.profile.name}: {call.method} {call.path}"
        deadline = current()
        if deadline is not None and deadline.remaining() <= 0:
            raise DeadlineExceeded(doing, nothing_done=True)
        with self._guard(), trying() as this:
            try:
                with telemetry.asking(self._place, call.method, call.path, number) as told:
                    answer = self._once(call, told)
                    told.answered(answer.status)
            except Exception as error:
                found = failure(error, self.profile.name, doing)
                # What is not ours yet may have been raised before anything was sent; our own errors say it themselves.
                if found is not None and found is not error and not this.was_sent:
                    found.nothing_done = True
                may_be_done = this.was_sent if found is None else not found.nothing_done
                if not call.is_safe and may_be_done:
                    effects.note(doing)
                if found is None or found is error:
                    raise
                raise found from error
            if not call.is_safe:
                effects.note(doing)
            if answer.status in UNWELL:
                raise Unwell(answer)
        return answer

    def _once(self, call: Call, told: telemetry.Told) -> Answer:
        """Send it, and read the answer. Raises what urllib3 raises, and our own."""
        self._drop_what_is_old()
        headers = dict(call.headers)
        told.inject(headers)
        headers[ORIGIN_HEADER] = ORIGIN_LAMBDA  # the router leaves to legacy what a function calls back
        response = self._pool.urlopen(
            call.method,
            call.target,
            body=call.body,
            headers=headers,
            redirect=False,
            retries=False,
            assert_same_host=False,
            preload_content=False,
            timeout=Timeout(connect=None, read=None),  # the connection bounds each phase itself
        )
        with answering(self.profile, "reading the answer of"):
            return self._read(response)

    def _read(self, response: Any) -> Answer:
        headers = {name.lower(): value for name, value in response.headers.itermerged()}
        codings = codings_of(headers.get("content-encoding", ""))
        try:
            body = self._body(unpacked(_parts(response), codings or ()))
        except BaseException:
            response.close()
            raise
        response.release_conn()
        self._used = time.time()
        if codings and body:  # they tell of the packed one
            headers = {name: value for name, value in headers.items() if name not in _OF_PACKED}
        return Answer(profile=self.profile.name, status=response.status, headers=headers, body=body)

    def _body(self, pieces: Iterator[bytes]) -> bytes:
        """All of them. Raises `Rejected` as soon as there are too many."""
        parts: list[bytes] = []
        size = 0
        for part in pieces:
            size += len(part)
            if size > self.profile.largest_answer:
                message = f"{self.profile.name} answered more than {self.profile.largest_answer} bytes"
                raise Rejected(message)
            parts.append(part)
        return b"".join(parts)

    def _drop_what_is_old(self) -> None:
        """Forget connections that were idle for too long by the wall clock: the environment may have been frozen."""
        if self._used is not None and not 0 <= time.time() - self._used <= self.profile.idle_recycle:
            self.close()

    def _wait(self, seconds: float) -> None:
        time.sleep(seconds)


def _parts(response: Any) -> Iterator[bytes]:
    """The body as it was sent. urllib3 reads a chunk of a size below zero, and Python's own reader refuses it."""
    try:
        yield from response.stream(_CHUNK, decode_content=False)
    except ValueError as error:
        message = f"the answer's framing is wrong: {error}"
        raise ConnectionLost(message) from error


def _may_repeat(call: Call, error: TargetFailed) -> bool:
    """Whether another try may help and does no harm; a breaker that is open, and a full target, are left alone."""
    if isinstance(error, Overloaded):
        return False
    return error.retry or (call.may_be_repeated and isinstance(error, ConnectionLost))


def _time(pause: float) -> bool:
    """Whether there is time for a pause and another try."""
    deadline = current()
    return deadline is None or deadline.remaining() > 2 * pause


@functools.cache
def _shadow_of(name: str) -> HttpService:
    return HttpService.named(name)

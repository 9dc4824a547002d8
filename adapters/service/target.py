"""`HttpService`: what a function's module makes once, and asks in each invocation."""

import functools
import json
import random
import time
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, nullcontext
from typing import Any
from urllib.parse import urlencode

from opentelemetry import propagate
from urllib3 import HTTPConnectionPool, Timeout

from strangler_fig.names import ORIGIN_HEADER, ORIGIN_LAMBDA

from .. import effects
from ..deadline import bounded, current
from ..errors import ConnectionLost, Rejected, ShadowSuppressed, TargetFailed
from ..profiles.load import service_profile
from ..profiles.values import ServiceProfile
from ..shadow import is_shadow
from .answer import Answer
from .failures import failure
from .pool import make_pool

Guard = Callable[[], AbstractContextManager[object]]

IDEMPOTENCY_HEADER = "idempotency-key"
SAFE = frozenset({"GET", "HEAD", "OPTIONS"})
_IDEMPOTENT = SAFE | {"PUT", "DELETE"}
_WORTH_ANOTHER_TRY = frozenset({502, 503, 504})
_FIRST_PAUSE, _LONGEST_PAUSE = 0.05, 1.0
_CHUNK = 65536


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
        or has an idempotency key. Raises the errors of `adapters.errors.TargetFailed`.
        """
        if is_shadow() and self.profile.shadow:
            shadow = _shadow_of(self.profile.shadow)
            return shadow._ask(method, path, query, headers, _payload(body, json_body), idempotency_key)  # noqa: SLF001
        if is_shadow() and method not in SAFE:
            raise ShadowSuppressed(self.profile.name, method)
        return self._ask(method, path, query, headers, _payload(body, json_body), idempotency_key)

    def _ask(  # noqa: PLR0913, PLR0917 - as above
        self,
        method: str,
        path: str,
        query: Mapping[str, Any] | None,
        headers: Mapping[str, str] | None,
        payload: tuple[bytes | None, str | None],
        key: str | None,
    ) -> Answer:
        target = self.profile.base_path + path + (f"?{urlencode(query, doseq=True)}" if query else "")
        sent = self._headers(headers, payload[1], key)
        again = method in _IDEMPOTENT or key is not None
        pause = _FIRST_PAUSE
        for left in range(self.profile.retries, -1, -1):
            try:
                answer = self._once(method, target, sent, payload[0])
            except TargetFailed as error:
                if not left or not (error.retry or (again and isinstance(error, ConnectionLost))) or not _time(pause):
                    raise
            else:
                if not (left and again and answer.status in _WORTH_ANOTHER_TRY and _time(pause)):
                    return answer
            time.sleep(pause * random.uniform(0.5, 1.0))  # noqa: S311 - only that not all come at once
            pause = min(2 * pause, _LONGEST_PAUSE)
        message = "the last try returns or raises"
        raise AssertionError(message)

    def _once(self, method: str, target: str, headers: Mapping[str, str], body: bytes | None) -> Answer:
        doing = f"asking {self.profile.name}: {method} {target.partition('?')[0]}"
        seconds = bounded(self.profile.read_timeout, doing)
        self._drop_what_is_old()
        if method not in SAFE:
            effects.note(doing)
        try:
            with self._guard():
                response = self._pool.urlopen(
                    method,
                    target,
                    body=body,
                    headers=dict(headers),
                    redirect=False,
                    retries=False,
                    assert_same_host=False,
                    preload_content=False,
                    timeout=Timeout(connect=None, read=seconds),
                )
                return self._read(response)
        except Exception as error:
            found = failure(error, self.profile.name, doing)
            if found is None or found is error:
                raise
            raise found from error

    def _read(self, response: Any) -> Answer:
        parts: list[bytes] = []
        size = 0
        for part in response.stream(_CHUNK, decode_content=True):
            size += len(part)
            if size > self.profile.largest_answer:
                response.close()
                message = f"{self.profile.name} answered more than {self.profile.largest_answer} bytes"
                raise Rejected(message)
            parts.append(part)
        response.release_conn()
        self._used = time.time()
        headers = {name.lower(): value for name, value in response.headers.items()}
        return Answer(profile=self.profile.name, status=response.status, headers=headers, body=b"".join(parts))

    def _drop_what_is_old(self) -> None:
        """Forget connections that were idle for too long by the wall clock: the environment may have been frozen."""
        if self._used is not None and not 0 <= time.time() - self._used <= self.profile.idle_recycle:
            self._pool.close()
            self.__dict__.pop("_pool", None)
            self._used = None

    def _headers(self, given: Mapping[str, str] | None, content_type: str | None, key: str | None) -> dict[str, str]:
        headers = {name.lower(): value for name, value in (given or {}).items()}
        headers.setdefault("host", self.profile.host)
        if content_type:
            headers.setdefault("content-type", content_type)
        if key is not None:
            headers[IDEMPOTENCY_HEADER] = key
        propagate.inject(headers)
        headers[ORIGIN_HEADER] = ORIGIN_LAMBDA  # the router leaves to legacy what a function calls back
        return headers


def _payload(body: bytes | str | None, json_body: object) -> tuple[bytes | None, str | None]:
    """The bytes of a body and the content type that goes with them."""
    if json_body is not None:
        return json.dumps(json_body).encode(), "application/json"
    return (body.encode(), "text/plain;charset=UTF-8") if isinstance(body, str) else (body, None)


def _time(pause: float) -> bool:
    """Whether there is time for a pause and another try."""
    deadline = current()
    return deadline is None or deadline.remaining() > 2 * pause


@functools.cache
def _shadow_of(name: str) -> HttpService:
    return HttpService.named(name)

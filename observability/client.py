"""Talking to a running `fig observe`: what it says of a request is `Refused`, all else `ObserveUnreachable`."""

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import httpx2

from strangler_fig.diagnostics import Diagnostic, Refused

from .errors import ObserveUnreachable
from .run_file import RunFile

_CONNECT_SECONDS, _ANSWER_SECONDS = 3.0, 60.0
_REQUEST_IS_WRONG = frozenset({400, 404, 422})


class ObserveClient:
    """A connection to `fig observe`; used as a context manager. Every method raises as the module says."""

    def __init__(self, run: RunFile) -> None:
        self._url = run.pages
        self._http = httpx2.Client(
            base_url=run.pages,
            headers={"Authorization": f"Bearer {run.token}"} if run.token else {},
            timeout=httpx2.Timeout(_ANSWER_SECONDS, connect=_CONNECT_SECONDS),
            trust_env=False,  # it is inside: a corporate HTTP proxy must not see it
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._http.close()

    def query(self, sql: str, limit: int) -> dict[str, Any]:
        """The columns and rows that a SELECT gives."""
        return self._ask("POST", "/api/query", {"sql": sql, "limit": limit})

    def login(self, role: str) -> str:
        """The address of a new one-time login."""
        return f"{self._url}/login?token={self._ask('POST', '/api/logins', {'role': role})['token']}"

    def forward(self, method: str, to: str = "", *, drop: bool = False) -> dict[str, Any]:
        """Show, set or stop where everything is sent on to; with `drop` what waits is thrown away."""
        return self._ask(method, "/api/forward?drop=1" if drop else "/api/forward", {"to": to} if to else None)

    def export(self, table: str, start: int, end: int, path: Path) -> int:
        """Write a table of this stretch of time to a file, and return its bytes."""
        part = path.with_name(f"{path.name}.part")
        with (
            self._failures(),
            self._http.stream("GET", f"/api/export/{table}", params={"start": start, "end": end}) as answer,
        ):
            if not answer.is_success:
                answer.read()
                raise self._refusal(answer)
            part.unlink(missing_ok=True)
            with os.fdopen(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
                for chunk in answer.iter_bytes():
                    file.write(chunk)
        part.replace(path)
        return path.stat().st_size

    def _ask(self, method: str, path: str, body: Mapping[str, Any] | None = None) -> dict[str, Any]:
        with self._failures():
            answer = self._http.request(method, path, json=body)
        if not answer.is_success:
            raise self._refusal(answer)
        return _content(answer)

    @contextmanager
    def _failures(self) -> Iterator[None]:
        try:
            yield
        except (httpx2.InvalidURL, httpx2.UnsupportedProtocol) as error:
            message = f"{self._url[:100]!r} is not an address: write one as http://127.0.0.1:8317"
            raise Refused([Diagnostic(code="OB101", message=message)]) from error
        except httpx2.TimeoutException as error:
            message = f"fig observe at {self._url} did not answer in time"
            raise ObserveUnreachable(message) from error
        except httpx2.HTTPError as error:
            message = f"fig observe at {self._url} is not reachable ({error}): is it running?"
            raise ObserveUnreachable(message) from error

    def _refusal(self, answer: httpx2.Response) -> Refused | ObserveUnreachable:
        error = _content(answer).get("error")
        said: Mapping[str, Any] = error if isinstance(error, dict) else {}
        message, hint = said.get("message", f"HTTP {answer.status_code}"), said.get("hint")
        if answer.status_code not in _REQUEST_IS_WRONG:
            reason = f"fig observe at {self._url} refused: {message}" + (f" ({hint})" if hint else "")
            return ObserveUnreachable(reason)
        found = said.get("diagnostics") or [{"code": said.get("code", "OB404"), "message": message, "hint": hint}]
        return Refused(Diagnostic(code=one["code"], message=one["message"], hint=one.get("hint")) for one in found)


def _content(answer: httpx2.Response) -> dict[str, Any]:
    try:
        values = answer.json()
    except ValueError:
        values = None
    if not isinstance(values, dict):
        message = f"what answers at {answer.url} (HTTP {answer.status_code}) is not fig observe"
        raise ObserveUnreachable(message)
    return values

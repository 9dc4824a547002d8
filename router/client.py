"""Talking to the control process: where it is, and one method for each thing that a command asks of it.

What control says about the user's request (an unknown route, a wrong estate, a release in its way) becomes `Refused`;
that nobody answers becomes `ControlUnreachable`; everything else `ControlRefused`. No exception of the HTTP library
leaves this module.
"""

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Any, Self
from urllib.parse import quote, urlsplit

import httpx2

from strangler_fig.diagnostics import Diagnostic, Refused, Severity

from . import run_file
from .errors import ControlRefused, ControlUnreachable

_CONNECT_SECONDS = 3.0
_ANSWER_SECONDS = 30.0
"""How long control may take beyond the wait that was asked for."""
_PUBLISH_SECONDS = 300.0
"""The same for a publish: Envoy takes ten seconds to validate 10,000 routes on a busy machine."""
_LONG_SECONDS = 300.0
"""The same where control reads its whole history."""
_REQUEST_IS_WRONG = frozenset({400, 404, 409, 413, 422})
"""What control answers when it is well and will not do it: as it stands, or as things stand."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ControlAddress:
    """Where control is and what it wants to hear. `environment` comes from the run file: values for `${NAME}`s."""

    url: str
    token: str = field(repr=False)
    environment: Mapping[str, str] = field(default_factory=dict)


def find_control(
    control: str | None = None, *, environ: Mapping[str, str] | None = None, start: Path | None = None
) -> ControlAddress:
    """Control's address: `control`, else FIG_CONTROL (token: FIG_TOKEN), else the run file here or in a parent folder.

    Raises `ControlUnreachable` when none of them says, `RouterFailed` when the run file is not to be trusted.
    """
    known = os.environ if environ is None else environ
    path = run_file.find(start or Path.cwd())
    url = (control or known.get("FIG_CONTROL", "")).rstrip("/")
    if not url and path is None:
        message = (
            "no control process is known here: start one (fig up ESTATE, fig control), or name it with --control URL"
        )
        raise ControlUnreachable(message)
    run = run_file.read(path) if path else None
    environment = run.environment if run else {}
    if run and (not url or url == run.control):
        return ControlAddress(url=run.control, token=known.get("FIG_TOKEN") or run.token, environment=environment)
    return ControlAddress(url=url, token=known.get("FIG_TOKEN", ""), environment=environment)


def estate_environment(start: Path | None = None) -> dict[str, str]:
    """The values for an estate's `${NAME}`s: this process's environment over the run file's. Raises `RouterFailed`."""
    path = run_file.find(start or Path.cwd())
    return {**(run_file.read(path).environment if path else {}), **os.environ}


class ControlClient:
    """A connection to control; used as a context manager.

    Every method raises `Refused`, `ControlUnreachable` or `ControlRefused`.
    """

    def __init__(self, address: ControlAddress, *, transport: httpx2.BaseTransport | None = None) -> None:
        if not _is_url(address.url):
            raise Refused([_not_a_url(address.url)])
        self._address = address
        self._http = httpx2.Client(
            base_url=address.url,
            headers={"Authorization": f"Bearer {address.token}"} if address.token else {},
            timeout=httpx2.Timeout(_ANSWER_SECONDS, connect=_CONNECT_SECONDS),
            transport=transport,
            trust_env=False,  # control is inside: a corporate HTTP proxy must not see it
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._http.close()

    def status(self) -> dict[str, Any]:
        """Routes, weights, nodes and traffic."""
        return self._ask("GET", "/v1/status")

    def estate(self) -> dict[str, Any]:
        """The published estate, its weights, and the snapshot's digest."""
        return self._ask("GET", "/v1/estate")

    def history(
        self, *, route: str | None = None, release: str | None = None, after: int = 0, limit: int = 50
    ) -> list[dict[str, Any]]:
        """The latest history entries after that number, newest first."""
        named = {name: value for name, value in (("route", route), ("release", release)) if value}
        wanted: dict[str, str | int] = {"limit": limit, "after": after, **named}
        entries: list[dict[str, Any]] = self._ask("GET", "/v1/history", params=wanted)["entries"]
        return entries

    def check_history(self, noted: str | None = None) -> dict[str, Any]:
        """Whether the history is as it was written, and has the head that was noted."""
        return self._ask("GET", "/v1/history/check", params={"noted": noted} if noted else None, seconds=_LONG_SECONDS)

    def present(self) -> dict[str, Any]:
        """What is in force and what runs, for a plan."""
        return self._ask("GET", "/v1/present")

    def releases(self) -> dict[str, Any]:
        """The releases that run, with every ramp, and those that ended lately."""
        return self._ask("GET", "/v1/releases")

    def start(self, request: Mapping[str, Any]) -> dict[str, Any]:
        """Start a release."""
        return self._ask("POST", "/v1/releases", body=request)

    def order(self, release: str, request: Mapping[str, Any]) -> dict[str, Any]:
        """Approve, pause, resume, abort or roll back a release, or one route of it."""
        return self._ask("POST", f"/v1/releases/{quote(release, safe='')}/orders", body=request)

    def freeze(self, request: Mapping[str, Any]) -> dict[str, Any]:
        """Stop all movement towards Lambda."""
        return self._ask("POST", "/v1/freeze", body=request)

    def thaw(self, request: Mapping[str, Any]) -> dict[str, Any]:
        """Let it go on."""
        return self._ask("POST", "/v1/thaw", body=request)

    def shift(self, request: Mapping[str, Any]) -> dict[str, Any]:
        """Set a route's weight; returns when it is in force or `wait_seconds` have passed."""
        return self._ask("POST", "/v1/shifts", body=request)

    def publish(self, request: Mapping[str, Any]) -> dict[str, Any]:
        """Publish an estate, or with `dry_run` say what that would change."""
        return self._ask("POST", "/v1/publishes", body=request, seconds=_PUBLISH_SECONDS)

    def publish_back(self, request: Mapping[str, Any]) -> dict[str, Any]:
        """Publish the estate that was published before the present one."""
        return self._ask("POST", "/v1/publishes/back", body=request, seconds=_PUBLISH_SECONDS)

    def _ask(
        self,
        method: str,
        path: str,
        *,
        params: Mapping[str, str | int] | None = None,
        body: Mapping[str, Any] | None = None,
        seconds: float = _ANSWER_SECONDS,
    ) -> dict[str, Any]:
        wait = float((body or {}).get("wait_seconds", 0.0))
        timeout = httpx2.Timeout(seconds + wait, connect=_CONNECT_SECONDS)
        try:
            answer = self._http.request(method, path, params=params, json=body, timeout=timeout)
        except httpx2.InvalidURL as error:
            raise Refused([_not_a_url(self._address.url)]) from error
        except httpx2.TimeoutException as error:
            message = f"control at {self._address.url} did not answer in time: look at its output, then fig status"
            raise ControlUnreachable(message) from error
        except httpx2.HTTPError as error:
            message = f"control at {self._address.url} is not reachable ({error}): is fig control or fig up running?"
            raise ControlUnreachable(message) from error
        content = _content(answer, self._address.url)
        if answer.is_success:
            return content
        raise _refusal(answer.status_code, content.get("error"), self._address.url)


def _content(answer: httpx2.Response, url: str) -> dict[str, Any]:
    try:
        content = answer.json()
    except ValueError as error:
        message = f"what answers at {url} (HTTP {answer.status_code}) is not control"
        raise ControlRefused(message, status=answer.status_code, code="not_control") from error
    if not isinstance(content, dict):
        message = f"what answers at {url} (HTTP {answer.status_code}) is not control"
        raise ControlRefused(message, status=answer.status_code, code="not_control")
    return content


def _refusal(status: int, error: object, url: str) -> Refused | ControlRefused:
    said: Mapping[str, Any] = error if isinstance(error, dict) else {}
    code, message, hint = said.get("code", "unknown"), said.get("message", f"HTTP {status}"), said.get("hint")
    if status not in _REQUEST_IS_WRONG:
        reason = f"control at {url} refused: {message}" + (f" ({hint})" if hint else "")
        return ControlRefused(reason, status=status, code=code)
    details = said.get("diagnostics") or [{"code": code, "message": message, "hint": hint}]
    return Refused(_diagnostic(one) for one in details)


def _diagnostic(said: Mapping[str, Any]) -> Diagnostic:
    severity = Severity.WARNING if said.get("severity") == Severity.WARNING.value else Severity.ERROR
    return Diagnostic(code=said["code"], message=said["message"], hint=said.get("hint"), severity=severity)


def _is_url(text: str) -> bool:
    try:
        parts = urlsplit(text)
        return parts.scheme in {"http", "https"} and bool(parts.hostname) and parts.port != 0
    except ValueError:  # a port that is none, a bracket that is open
        return False


def _not_a_url(url: str) -> Diagnostic:
    return Diagnostic(
        code="CT106",
        message=f"{url!r} is not control's address",
        hint="write it as http://host:port, as fig control prints it",
    )

"""Sends what waits, in order, with growing pauses while the other side is away; nothing here can hold up the door."""

import json
import threading
from pathlib import Path
from urllib.parse import urlsplit

import httpx2
from google.protobuf.message import Message

from strangler_fig.diagnostics import Diagnostic, Refused

from .masked import mask_message
from .own import FORWARDED_HEADER, is_own
from .spool import Spool

_FIRST_PAUSE, _LONGEST_PAUSE = 0.5, 60.0
_ANSWER_SECONDS = 10.0
_HEADERS = {"Content-Type": "application/x-protobuf", FORWARDED_HEADER: "1"}
_NOWHERE = ("", 0)
_RETRYABLE = frozenset({408, 429, 502, 503, 504})
"""Source: OTLP specification 1.x, Failures over HTTP; 408 besides: a proxy between us gave up."""


class Forwarder:
    """Sends on to one target, which it remembers beside its queue; to nobody until it is told.

    `listening` is where this process itself receives: that is no target.
    """

    def __init__(self, folder: Path, listening: tuple[str, int] = _NOWHERE) -> None:
        self._listening = listening
        self.fault = ""
        self.spool = Spool(folder)
        self._target_file = folder / "target.json"
        self._target = self._remembered()
        self._is_closed = threading.Event()
        self.sent = 0
        self.rejected = 0
        self._thread = threading.Thread(target=self._run, name="forwarder", daemon=True)
        self._thread.start()

    @property
    def target(self) -> str:
        """The address that everything is sent on to; empty where there is none."""
        return self._target

    def offer(self, signal: str, message: Message) -> None:
        """Queue a message that was stored."""
        if self._target:
            mask_message(message)
            self.spool.put(signal, message.SerializeToString())

    def set_target(self, url: str) -> None:
        """Send on to this address from now on; empty: to nobody. Raises `Refused` when it is no address."""
        if url:
            _check(url)
            if is_own(url, self._listening):
                message = f"{url[:100]!r} is this process itself: what it sends would come back without end"
                raise Refused([Diagnostic(code="OB206", message=message, hint="name the company's collector")])
        new = self._target_file.with_suffix(".new")
        new.write_text(json.dumps({"url": url}))
        new.replace(self._target_file)
        self._target = url
        self.fault = ""
        self.spool.arrived.set()

    def drop(self) -> None:
        """Throw away what waits, and count it."""
        self.spool.clear()

    def to_json(self) -> dict[str, object]:
        """How it goes, as JSON values."""
        return {
            "to": self._target or None,
            "waiting": len(self.spool),
            "waiting_bytes": self.spool.waiting_bytes,
            "sent": self.sent,
            "dropped": self.spool.dropped,
            "rejected": self.rejected,
            "fault": self.fault,
        }

    def close(self) -> None:
        """Stop; what waits is there at the next start."""
        self._is_closed.set()
        self.spool.arrived.set()
        self._thread.join(_ANSWER_SECONDS)

    def _remembered(self) -> str:
        try:
            url = json.loads(self._target_file.read_text())["url"]
        except (OSError, ValueError, KeyError, TypeError):  # none yet, or not ours: nobody is told anything
            return ""
        if not isinstance(url, str):
            return ""
        if url and is_own(url, self._listening):
            self.fault = f"{url} is this process itself by now: nothing is sent on"
            return ""
        return url

    def _run(self) -> None:
        pause = _FIRST_PAUSE
        with httpx2.Client(timeout=_ANSWER_SECONDS, trust_env=False) as client:
            while not self._is_closed.is_set():
                self.spool.arrived.wait()
                one = self.spool.oldest() if self._target else None
                if one is None:
                    self._is_closed.wait(_FIRST_PAUSE if not self._target else 0)
                    continue
                path, signal, data = one
                if self._is_done(client, signal, data):
                    self.spool.done(path)
                    pause = _FIRST_PAUSE
                else:
                    self._is_closed.wait(pause)
                    pause = min(pause * 2, _LONGEST_PAUSE)

    def _is_done(self, client: httpx2.Client, signal: str, data: bytes) -> bool:
        """Whether the message need not be sent again."""
        url = f"{self._target.rstrip('/')}/v1/{signal}"
        try:
            answer = client.post(url, content=data, headers=_HEADERS)
        except (httpx2.HTTPError, httpx2.InvalidURL) as error:
            self.fault = f"{self._target} is not reachable: {error}"
            return False
        if answer.is_success:
            self.sent += 1
            self.fault = ""
            return True
        self.fault = f"{self._target} answered {answer.status_code}"
        if answer.status_code in _RETRYABLE or answer.is_redirect:
            return False
        self.rejected += 1
        return True


def _check(url: str) -> None:
    try:
        parts = urlsplit(url)
        is_url = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        is_url = False
    if not is_url or len(url) > 2_000 or parts.username or parts.query or parts.fragment:  # noqa: PLR2004 - a bound
        hint = "as in https://collector.bank.example:4318; /v1/traces and the others are added"
        raise Refused([Diagnostic(code="OB206", message=f"{url[:100]!r} is not the address of a collector", hint=hint)])

"""How far this host's clock is from the Lambda API's.

A signature bears the host's time, and the API refuses one that is more than five minutes off: with a wrong clock every
call is denied. Each API endpoint of the estate is asked for its `Date` every five minutes, over TLS with the estate's
authorities, without credentials. That the answer is a refusal does not matter: it bears a date. Envoy's own calls
are not looked at: they would tell only once calls fail, and nothing at all while no weight is up.

Source: AWS, "Signature Version 4 for API requests", "Elements": requests must arrive within five minutes of their time
stamp (read November 2026).
"""

import asyncio
import json
import ssl
import time
from collections.abc import Callable
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from pathlib import Path
from urllib.parse import urlsplit

from .report import Problems

WARNING_SECONDS = 60.0
ERROR_SECONDS = 240.0
_TIMEOUT_SECONDS = 3.0
_INTERVAL_SECONDS = 300.0
_RETRY_SECONDS = 30.0
_LONGEST_HEAD = 65536
_SECOND_HALF = 0.5  # a Date has whole seconds, cut off


@dataclass(frozen=True, slots=True, kw_only=True)
class Api:
    """One endpoint of the Lambda API, and how it proves who it is."""

    host: str
    port: int
    name: str
    ca_file: str | None


def apis(estate_file: bytes) -> tuple[bool, frozenset[Api]]:
    """Whether a snapshot's estate has functions behind the Invoke API, and the endpoints of those that use TLS.

    An endpoint without TLS is a stand-in on this machine, or cannot be believed.
    """
    found = [one for one in json.loads(estate_file)["lambda"].values() if "arn" in one]
    secure = set()
    for one in found:
        url = urlsplit(one["endpoint"])
        if one.get("tls") and url.hostname:
            tls = one["tls"]
            secure.add(Api(host=url.hostname, port=url.port or 443, name=tls["name"], ca_file=tls.get("ca")))
    return bool(found), frozenset(secure)


async def skew_seconds(api: Api, *, root: Path, clock: Callable[[], float] = time.time) -> float:
    """How many seconds this host's clock is ahead of the API's. Raises `OSError`, `EOFError` or `ValueError`.

    The answer's time on the way is taken as half of the round trip; what remains is right to about a second. `root` is
    the folder that relative paths of authorities start from.
    """
    context = ssl.create_default_context(cafile=str(root / api.ca_file) if api.ca_file else None)
    async with asyncio.timeout(_TIMEOUT_SECONDS):
        reader, writer = await asyncio.open_connection(
            api.host, api.port, ssl=context, server_hostname=api.name, limit=_LONGEST_HEAD
        )
        try:
            asked = clock()
            writer.write(f"HEAD / HTTP/1.1\r\nhost: {api.name}\r\nconnection: close\r\n\r\n".encode())
            head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
            answered = clock()
        finally:
            writer.close()
    dates = [line.partition(":")[2] for line in head.split("\r\n") if line.lower().startswith("date:")]
    if not dates:
        message = f"{api.name} answers without a Date"
        raise ValueError(message)
    return (asked + answered) / 2 - (parsedate_to_datetime(dates[0].strip()).timestamp() + _SECOND_HALF)


def verdict(skew: float, name: str) -> str | None:
    """What to tell about a clock that is `skew` seconds ahead of an API's; None when that is well."""
    if abs(skew) <= WARNING_SECONDS:
        return None
    side = "ahead of" if skew > 0 else "behind"
    what = f"this host's clock is {abs(skew):.0f} s {side} the Lambda API's ({name})"
    if abs(skew) > ERROR_SECONDS:
        return f"{what}: from 300 s on every call is denied and goes to legacy; check the host's time synchronisation"
    return f"{what}: calls are denied from 300 s on"


class ClockWatch:
    """Asks the endpoints in turn, and notes a problem for each that shows another time.

    An endpoint that does not answer is no problem of the clock: Envoy's own calls show that better.
    """

    def __init__(self, *, problems: Problems, apis: Callable[[], frozenset[Api]], root: Path) -> None:
        self._problems = problems
        self._apis = apis
        self._root = root
        self.skew: dict[Api, float] = {}

    async def run(self) -> None:
        """Ask until cancelled."""
        due: dict[Api, float] = {}
        while True:
            present = self._apis()
            for api in present:
                if time.monotonic() >= due.get(api, 0.0):
                    due[api] = time.monotonic() + (_INTERVAL_SECONDS if await self._ask(api) else _RETRY_SECONDS)
            for gone in self.skew.keys() - present:
                del self.skew[gone]
                self._problems.mend(_subject(gone))
            await asyncio.sleep(1.0)

    async def _ask(self, api: Api) -> bool:
        try:
            skew = await skew_seconds(api, root=self._root)
        except (OSError, EOFError, ValueError, asyncio.LimitOverrunError):  # among them ssl.SSLError and TimeoutError
            return False
        self.skew[api] = skew
        text = verdict(skew, api.name)
        if text is None:
            self._problems.mend(_subject(api))
        else:
            self._problems.note(_subject(api), text)
        return text is None


def _subject(api: Api) -> str:
    return f"clock {api.name}:{api.port}"

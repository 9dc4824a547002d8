"""What the agent does about AWS: it keeps the credentials' server running and tells what is wrong with keys and clock.

Only where the snapshot that is served has functions behind the Invoke API; a host without them starts nothing and asks
nobody.
"""

import asyncio
import os
import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any

from ..snapshot.manifest import Manifest
from .clock_skew import Api, ClockWatch, apis
from .credentials import Source, envoy_environment
from .credentials_process import CredentialsProcess, PortTaken
from .errors import NodeFailed
from .report import Problems
from .state_directory import StateDirectory

_TICK_SECONDS = 1.0
_OVERDUE_SECONDS = 10.0
_SUBJECT = "credentials"


class AwsWatch:
    """One node's AWS credentials and clock. `environment` is what Envoy is started with beyond the agent's own."""

    def __init__(
        self,
        *,
        state: StateDirectory,
        source: Source,
        problems: Problems,
        serving: Callable[[], Manifest | None],
        say: Callable[[str], None],
    ) -> None:
        self._state = state
        self._source = source
        self._problems = problems
        self._serving = serving
        self._say = say
        self._process = CredentialsProcess(state, os.environ)
        self._read: dict[str, tuple[bool, frozenset[Api]]] = {}
        self._said = False
        self._port_taken = False
        self._clock = ClockWatch(problems=problems, apis=self._apis, root=state.root)
        self.environment: dict[str, str] = {}

    async def ready(self, digest: str | None, *, envoy_runs: bool) -> None:
        """Before Envoy gets this snapshot: whatever lends it its keys is running, or a problem says why not."""
        if self._source is not Source.CHAIN:
            self.environment.update(envoy_environment(self._source, None))
        elif self._functions(digest):
            await self._ensure(envoy_runs=envoy_runs)
        if not envoy_runs:
            self._tell_envoy()

    async def run(self, envoy_runs: Callable[[], bool], *, check_clock: bool) -> None:
        """Watch until cancelled."""
        async with asyncio.TaskGroup() as tasks:
            if check_clock:
                tasks.create_task(self._clock.run())
            tasks.create_task(self._watch(envoy_runs))

    async def stop(self) -> None:
        """End the server, after Envoy has ended."""
        await self._process.stop()

    def report(self) -> dict[str, Any] | None:
        """What the node's report says about credentials and clock; None on a host that calls no function."""
        manifest = self._serving()
        if manifest is None or not self._functions(manifest.digest):
            return None
        told = self._process.told() if self._source is Source.CHAIN else {}
        expires = told.get("expires")
        skews = sorted(self._clock.skew.values(), key=abs)
        return {
            "source": self._source.value,
            "method": told.get("method"),
            "expires_at": _moment(expires) if expires else None,
            "valid": told.get("valid"),
            "clock_skew_seconds": round(skews[-1], 1) if skews else None,
        }

    async def _watch(self, envoy_runs: Callable[[], bool]) -> None:
        while True:
            manifest = self._serving()
            if manifest is not None and self._functions(manifest.digest):
                self._say_once()
                if self._source is Source.CHAIN:
                    await self._ensure(envoy_runs=envoy_runs())
                    text = trouble(self._process.told(), time.time()) if not self._port_taken else None
                    if text is not None:
                        self._problems.note(_SUBJECT, text)
                    elif not self._port_taken:
                        self._problems.mend(_SUBJECT)
            await asyncio.sleep(_TICK_SECONDS)

    async def _ensure(self, *, envoy_runs: bool) -> None:
        try:
            try:
                started = await self._process.ensure()
            except PortTaken:
                if envoy_runs:
                    raise
                self._process.files.new_port()
                self._tell_envoy()
                started = await self._process.ensure()
        except PortTaken as error:
            # Another port would be of no use to the Envoy that runs: it knows this one only.
            self._port_taken = True
            self._problems.note(_SUBJECT, f"{error}: calls to Lambda may go to legacy until fig node is restarted")
        except (NodeFailed, OSError) as error:
            self._problems.note("credentials server", str(error))
        else:
            self._port_taken = False
            self._problems.mend("credentials server")
            if started:
                self._say(f"the credentials' server listens on 127.0.0.1:{self._process.files.port()}")

    def _tell_envoy(self) -> None:
        if self._source is Source.CHAIN:
            files = self._process.files
            files.prepare()
            self.environment.update(envoy_environment(self._source, (files.port(), files.token)))

    def _say_once(self) -> None:
        if not self._said:
            self._said = True
            self._say(f"AWS credentials: {self._source.value}")
            if self._source is Source.ENVOY:
                self._say(
                    "boto3 is not installed, so Envoy itself looks in profile, web identity and metadata services; "
                    "SSO, assume-role and credential_process need pip install 'strangler-fig[aws]'"
                )

    def _apis(self) -> frozenset[Api]:
        manifest = self._serving()
        return self._estate(manifest.digest)[1] if manifest else frozenset()

    def _functions(self, digest: str | None) -> bool:
        return digest is not None and self._estate(digest)[0]

    def _estate(self, digest: str) -> tuple[bool, frozenset[Api]]:
        if digest not in self._read:
            try:
                self._read = {digest: apis((self._state.snapshots / digest / "estate.json").read_bytes())}
            except (OSError, ValueError, KeyError, TypeError):
                return False, frozenset()  # a damaged snapshot: the agent says so
        return self._read[digest]


def trouble(told: Mapping[str, Any], now: float) -> str | None:
    """What is wrong with what the server lends, in words; None when all is well or nothing is known yet."""
    if not told:
        return None
    error = told.get("error") or "boto3's chain has not answered yet"
    if not told.get("valid"):
        if told.get("error") is None and told.get("expires") is None:
            return None  # the first walk goes on
        return f"no valid AWS credentials, calls to Lambda go to legacy: {error}"
    announced = told.get("announced")
    if announced and announced + _OVERDUE_SECONDS < now:
        return (
            f"Envoy last asked for AWS credentials at {_moment(told['asked'])} and signs nothing now, so that its "
            "calls go to legacy; it asks again within the hour, or when fig node is restarted"
        )
    if told.get("error") is not None:
        ends = _moment(told["expires"]) if told.get("expires") else "some time"
        return f"the AWS credentials ({told.get('method')}) end at {ends} and cannot be renewed: {error}"
    return None


def _moment(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="seconds")

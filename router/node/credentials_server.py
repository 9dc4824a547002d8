"""The process that lends Envoy the credentials of boto3's chain, on loopback, to whoever shows the token.

It has a session of its own and outlives the agent, as Envoy does: keys are renewed while nobody else is there. It ends
when it is told to, and by itself when there has been no Envoy for ten minutes. Without botocore in it, it stays small.
"""

import asyncio
import contextlib
import hmac
import json
import os
import signal
import sys
import time
from pathlib import Path
from typing import Any

from .credentials import PATH, fingerprint
from .credentials_chain import tidy
from .credentials_files import CredentialsFiles
from .credentials_renewal import Lending, Lent
from .envoy_process import adopt
from .state_directory import StateDirectory

FORMAT = 1
PORT_TAKEN = 3
"""The exit code of a server whose port somebody else has."""

_WALK_SECONDS = 60.0
_BEAT_SECONDS = 1.0
_QUESTION_SECONDS = 5.0
_FIRST_WALK_SECONDS = 2.0  # Envoy waits five for an answer
_LONGEST_QUESTION = 8192
_ALONE_SECONDS = 600.0


class CredentialsServer:
    """One server: the question it answers, the renewals, and what it says of itself in a file."""

    def __init__(self, state: StateDirectory, files: CredentialsFiles, token: str) -> None:
        self._state = state
        self._files = files
        self._expected = token.encode()
        self._lending = Lending()
        self._walked = asyncio.Event()
        self._over = asyncio.Event()
        self._walk_began: float | None = None
        before = files.told()
        if isinstance(before.get("announced"), float):
            self._lending.announced, self._lending.asked = before["announced"], before["asked"]

    async def run(self, port: int) -> None:
        """Serve until SIGTERM, or until Envoy has been gone for long. Raises `OSError` when the port is taken."""
        server = await asyncio.start_server(self._serve, "127.0.0.1", port, limit=_LONGEST_QUESTION)
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self._over.set)
        renewing = asyncio.create_task(self._renew())
        beating = asyncio.create_task(self._beat())
        ended = asyncio.create_task(self._over.wait())
        await asyncio.wait([renewing, beating, ended], return_when=asyncio.FIRST_COMPLETED)
        server.close()
        for task in (renewing, beating, ended):
            task.cancel()
        for result in await asyncio.gather(renewing, beating, return_exceptions=True):
            if isinstance(result, Exception):
                raise result

    # -- Envoy's question ----------------------------------------------------------------------------------------------

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            with contextlib.suppress(OSError, EOFError, TimeoutError, asyncio.LimitOverrunError):
                async with asyncio.timeout(_QUESTION_SECONDS):
                    question = await reader.readuntil(b"\r\n\r\n")
                    status, body = await self._answer(question)
                    kind = "content-type: application/json\r\ncache-control: no-store\r\n"
                    head = f"HTTP/1.1 {status}\r\n{kind}content-length: {len(body)}\r\nconnection: close\r\n\r\n"
                    writer.write(head.encode() + body)
                    await writer.drain()
        finally:
            writer.close()

    async def _answer(self, question: bytes) -> tuple[str, bytes]:
        first, *lines = question.decode("latin-1").split("\r\n")
        fields: dict[str, list[str]] = {}
        for line in lines:
            name, _, value = line.partition(":")
            fields.setdefault(name.strip().lower(), []).append(value.strip())
        shown = fields.get("authorization", [])
        if len(shown) != 1 or not hmac.compare_digest(shown[0].encode(), self._expected):
            return "401 Unauthorized", b"{}"
        # A page in a browser on this host reaches loopback under a name of its own: only the address is answered.
        if [one.rpartition(":")[0] or one for one in fields.get("host", [])] != ["127.0.0.1"]:
            return "403 Forbidden", b"{}"
        method, _, target = first.partition(" ")
        if target.partition(" ")[0] != PATH:
            return "404 Not Found", b"{}"
        if method != "GET":
            return "405 Method Not Allowed", b"{}"
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_FIRST_WALK_SECONDS):
                await self._walked.wait()
        body = self._lending.answer(time.time())
        self._tell()
        return "200 OK", body

    # -- renewals ------------------------------------------------------------------------------------------------------

    async def _renew(self) -> None:
        while True:
            # In short steps, by the wall clock (which no event tells of): a suspended host must not sleep on.
            while time.time() < self._lending.renew_at:  # noqa: ASYNC110
                await asyncio.sleep(min(_BEAT_SECONDS, max(0.05, self._lending.renew_at - time.time())))
            self._walk_began = time.time()
            walked = await _walk()
            self._walk_began = None
            now = time.time()
            if "error" in walked:
                self._lending.failed(str(walked["error"]), now)
            else:
                try:
                    self._lending.renewed(Lent.parse(walked), now)
                except (KeyError, TypeError, ValueError) as error:
                    self._lending.failed(f"the chain's result cannot be read ({type(error).__name__})", now)
            self._walked.set()
            self._tell()

    # -- life ----------------------------------------------------------------------------------------------------------

    async def _beat(self) -> None:
        alone_since = time.monotonic()
        while time.monotonic() - alone_since < _ALONE_SECONDS:
            envoy = adopt(self._state)
            if envoy is not None:
                envoy.close()
                alone_since = time.monotonic()
            self._tell()
            await asyncio.sleep(_BEAT_SECONDS)

    def _tell(self) -> None:
        now = time.time()
        about = {"format": FORMAT, "pid": os.getpid(), "fingerprint": fingerprint(os.environ), "at": now}
        walk = now - self._walk_began if self._walk_began is not None else None
        # A full disk must not end the lending; the agent sees that the file is old.
        with contextlib.suppress(OSError):
            self._files.tell({**about, **self._lending.state(now), "walking_seconds": walk})


async def _walk() -> dict[str, Any]:
    """One walk along the chain; a walk that fails or takes too long is an error for a person."""
    package = (__package__ or "router.node").partition(".")[0]
    command = (sys.executable, "-P", "-W", "ignore", "-m", f"{package}.node.credentials_chain")
    pipe = asyncio.subprocess.PIPE
    process = await asyncio.create_subprocess_exec(
        *command, stdin=asyncio.subprocess.DEVNULL, stdout=pipe, stderr=pipe, start_new_session=True
    )
    try:
        async with asyncio.timeout(_WALK_SECONDS):
            output, complaint = await process.communicate()
        walked = json.loads(output)
    except TimeoutError:
        os.killpg(process.pid, signal.SIGKILL)  # with the program that a provider may have started
        await process.wait()
        return {"error": f"boto3's chain gave nothing within {_WALK_SECONDS:.0f} s"}
    except ValueError:
        lines = complaint.decode("utf-8", "replace").strip().splitlines()
        return {"error": tidy(f"boto3's chain ended with {process.returncode}: {lines[-1] if lines else ''}")}
    return walked if isinstance(walked, dict) else {"error": "boto3's chain gave no object"}


def main(arguments: list[str]) -> int:
    """Serve the node whose state directory is the one argument."""
    state = StateDirectory(Path(arguments[0]))
    files = CredentialsFiles(state.root / "credentials")
    files.prepare()
    held = files.hold()
    if held is None:
        return 0  # another one serves
    server = CredentialsServer(state, files, files.new_token())
    try:
        asyncio.run(server.run(files.port()))
    except OSError as error:
        print(f"credentials: {error}", file=sys.stderr)  # noqa: T201 - into the log of this process
        return PORT_TAKEN
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

"""Control, as a node sees it: what it wants, the files of a snapshot, and where reports go."""

import asyncio
import hashlib
import json
import ssl
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlsplit

from strangler_fig.diagnostics import Diagnostic, Refused

from ..errors import ControlRefused, RouterFailed
from ..snapshot.figures import Shares
from ..snapshot.manifest import Manifest, Snapshot
from ..weight import Weight
from .errors import Rejection, Unreachable
from .http1 import Connection, Streams
from .shares_use import Told

_OK = 200
_ANSWER_SECONDS = 5.0
_DOWNLOAD_SECONDS = 60.0
_GOODBYE_SECONDS = 2.0
_STREAM_LIMIT = 1 << 20
_MANIFEST = "manifest.json"


@dataclass(frozen=True, slots=True, kw_only=True)
class Address:
    """Where control is, and the token that it asks for."""

    url: str
    token: str = ""

    def __repr__(self) -> str:
        return f"Address(url={self.url!r}, token=[redacted])"


@dataclass(frozen=True, slots=True, kw_only=True)
class Desired:
    """What control wants: a snapshot, and the weights of the routes that move; `version` is their number.

    `told`: what this node may use of the fleet's figures; None from a control that does not divide any.
    """

    revision: int
    snapshot: str | None
    version: int
    weights: Mapping[str, Weight]
    told: Told | None = None


def find_control(given: str | None, environment: Mapping[str, str], folder: Path) -> Address | None:
    """Control's address: as given, else FIG_CONTROL, else in `.fig/run.json` here or above; None when nobody says."""
    token = environment.get("FIG_TOKEN", "")
    noted: dict[str, Any] = {}
    for place in (folder, *folder.parents):
        try:
            noted = json.loads((place / ".fig" / "run.json").read_bytes())
            break
        except (OSError, ValueError):
            continue
    noted_url, noted_token = str(noted.get("control", "")), str(noted.get("token", ""))
    url = given or environment.get("FIG_CONTROL") or noted_url
    if not url:
        return None
    if not token and url.rstrip("/") == noted_url.rstrip("/"):
        token = noted_token
    return Address(url=url.rstrip("/"), token=token)


def check_url(url: str) -> None:
    """Refuse what is not the address of an HTTP service. Raises `Refused`."""
    try:
        parts = urlsplit(url)
        fine = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        fine = False
    if not fine:
        hint = "as in http://127.0.0.1:8901"
        raise Refused([Diagnostic(code="ND103", message=f"--control {url} is not an HTTP address", hint=hint)])


class Control:
    """A client of control's HTTP API, with one connection; the long poll and the reports each have their own client."""

    def __init__(self, address: Address) -> None:
        self._address = address
        parts = urlsplit(address.url)
        self._host = parts.hostname or ""
        self._port = parts.port or (443 if parts.scheme == "https" else 80)
        self._tls = ssl.create_default_context() if parts.scheme == "https" else None
        self._path = parts.path.rstrip("/")
        self._connection = Connection(self._connect, name=f"control ({address.url})", host=parts.netloc)

    async def desired(self, *, node: str, after: int, shares: str, wait_seconds: float) -> Desired:
        """What control wants of this node, once its revision is above `after`, or after the wait.

        Also once it tells shares of another version than `shares`. Raises `Unreachable`, `ControlRefused`.
        """
        target = f"/v1/desired?after={after}&wait={wait_seconds:g}&node={quote(node, safe='')}&shares={quote(shares)}"
        return parse_desired(await self._ask("GET", target, seconds=wait_seconds + _ANSWER_SECONDS))

    async def snapshot(self, digest: str) -> Snapshot:
        """The snapshot `digest`, every byte verified.

        Raises `Rejection` when it is not what its digest says, or as above.
        """
        base = f"/v1/snapshots/{quote(digest)}/"
        data = await self._ask("GET", base + _MANIFEST, seconds=_DOWNLOAD_SECONDS)
        manifest = Manifest.parse(data)
        if manifest.digest != digest:
            message = f"control sent the manifest of {manifest.digest} for {digest}"
            raise Rejection(message)
        files = {_MANIFEST: data}
        for name, expected in manifest.files.items():
            files[name] = await self._ask("GET", base + quote(name), seconds=_DOWNLOAD_SECONDS)
            if hashlib.sha256(files[name]).hexdigest() != expected:
                message = f"control sent {name} with another content than the manifest of {digest} says"
                raise Rejection(message)
        return Snapshot(manifest=manifest, files=files)

    async def report(self, node: str, content: Mapping[str, Any]) -> tuple[str, ...]:
        """Send a report; returns the ids of local moves that control has recorded. Raises as above."""
        body = json.dumps(content, separators=(",", ":")).encode()
        answer = await self._ask("POST", f"/v1/nodes/{quote(node, safe='')}/report", body=body, seconds=_ANSWER_SECONDS)
        return tuple(str(one) for one in _values(answer).get("acknowledged", ()))

    def close(self) -> None:
        """Drop the connection."""
        self._connection.close()

    async def _ask(self, method: str, target: str, *, body: bytes = b"", seconds: float) -> bytes:
        headers = {"authorization": f"Bearer {self._address.token}", "content-type": "application/json"}
        answer = await self._connection.exchange(
            method, self._path + target, body=body, headers=headers, timeout_seconds=seconds
        )
        if answer.status != _OK:
            error = _error(answer.body)
            message = f"control ({self._address.url}) answers {answer.status} to {target}: {error.get('message', '')}"
            raise ControlRefused(message, status=answer.status, code=str(error.get("code", "")))
        return answer.body

    async def _connect(self) -> Streams:
        return await asyncio.open_connection(self._host, self._port, ssl=self._tls, limit=_STREAM_LIMIT)


async def say_goodbye(address: Address, node: str, content: Mapping[str, Any]) -> None:
    """Send a node's last report, which says that it is the last; control finds out later if it does not hear it."""
    control = Control(address)
    try:
        async with asyncio.timeout(_GOODBYE_SECONDS):
            await control.report(node, {**content, "left": True})
    except (RouterFailed, TimeoutError):
        return
    finally:
        control.close()


def parse_desired(data: bytes) -> Desired:
    """The answer to a long poll as a value. Raises `Unreachable` when it does not read as one."""
    content = _values(data)
    try:
        weights = content["weights"]
        return Desired(
            revision=int(content["revision"]),
            snapshot=content["snapshot"],
            version=int(weights["version"]),
            weights={str(name): Weight(int(parts)) for name, parts in weights["routes"].items()},
            told=_told(content.get("shares")),
        )
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        message = f"control's answer to a node does not read as one: {error!r}"
        raise Unreachable(message) from error


def _told(content: Mapping[str, Any] | None) -> Told | None:
    if content is None:
        return None
    of = {str(key): int(share) for key, share in content["of"].items()}
    return Told(version=str(content["version"]), shares=Shares(nodes=int(content["nodes"]), of=of))


def _values(data: bytes) -> dict[str, Any]:
    try:
        content = json.loads(data)
    except ValueError as error:
        message = "control does not answer with JSON"
        raise Unreachable(message) from error
    return content if isinstance(content, dict) else {}


def _error(data: bytes) -> dict[str, Any]:
    try:
        content = json.loads(data)
        error = content["error"]
    except (ValueError, KeyError, TypeError):
        return {}
    return error if isinstance(error, dict) else {}

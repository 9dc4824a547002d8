"""What a snapshot's identities need of their node, and whether it is to be had.

Each of these raises `Unusable`, whose text is the end of a sentence that names the thing; no secret is ever in it.
"""

import json
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from ..snapshot.identity_files import LIST
from ..snapshot.identity_tokens import URL_SECONDS

SHORTEST_KEY_BYTES = 32
"""Source: RFC 7518, section 3.2: a key for HS256 is at least as long as its hash."""
GRACE_SECONDS = 15.0
"""How long Envoy may take for its first question, and how late an answer may be before that is a problem."""


class Unusable(Exception):  # noqa: N818 - what it says is why
    """Something that an identity needs cannot be used."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ClaimsKey:
    """A key that signs an identity's claims: where it comes from, and the file that Envoy's script reads."""

    identity: str
    path: str
    environment: str | None
    file: str | None

    @property
    def source(self) -> str:
        """Where it comes from, in words."""
        return f"the environment variable {self.environment}" if self.environment else str(self.file)

    def secret(self, root: Path, environment: Mapping[str, str]) -> bytes:
        """The key; relative paths start from `root`."""
        if self.environment is None:
            text = _read(root / (self.file or "")).rstrip(b"\r\n")
        else:
            text = environment.get(self.environment, "").encode(errors="surrogateescape")
            if not text:
                message = "is not set"
                raise Unusable(message)
        if len(text) < SHORTEST_KEY_BYTES:
            message = f"has {len(text)} bytes, and at least {SHORTEST_KEY_BYTES} are needed"
            raise Unusable(message)
        return text


@dataclass(frozen=True, slots=True, kw_only=True)
class IssuerKeys:
    """The keys of an identity's tokens: where they come from, and the file in which Envoy keeps the last good ones."""

    identity: str
    kept: str
    file: str | None
    url: str | None

    @property
    def source(self) -> str:
        """Where they come from."""
        return str(self.file or self.url)

    def see(self, root: Path, since: float) -> None:
        """See that Envoy has them, which had to find them since that time; relative paths start from `root`."""
        if self.file is not None:
            _see_file(root / self.file)
        else:
            _see_answer(root / self.kept, since)


def needs(folder: Path) -> Iterator[ClaimsKey | IssuerKeys]:
    """What the identities of the snapshot in this folder need; nothing when it has none, or is damaged."""
    try:
        content = json.loads((folder / LIST).read_bytes())
    except (OSError, ValueError):
        return
    for name, one in content.items():
        if one["key"]:
            yield ClaimsKey(identity=name, **one["key"])
        if one["keys"]:
            yield IssuerKeys(identity=name, **one["keys"])


def _see_file(path: Path) -> None:
    try:
        content = json.loads(_read(path))
    except ValueError as error:
        message = f"are no JSON: {error}"
        raise Unusable(message) from error
    keys = content.get("keys") if isinstance(content, dict) else None
    if not isinstance(keys, list) or not any(isinstance(one, dict) and "kty" in one for one in keys):
        message = "hold no key"
        raise Unusable(message)


def _see_answer(kept: Path, since: float) -> None:
    answered = kept.stat().st_mtime if kept.exists() else 0.0
    if time.time() - max(answered, since) <= (URL_SECONDS if answered else 0.0) + GRACE_SECONDS:
        return
    moment = f" since {datetime.fromtimestamp(answered, UTC).isoformat(timespec='seconds')}" if answered else ""
    message = f"could not be fetched{moment}"
    raise Unusable(message)


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        message = f"cannot be read: {error.strerror}"
        raise Unusable(message) from error

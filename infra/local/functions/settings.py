"""What `lambda.yaml` says, as frozen values."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

LATEST = "$LATEST"


@dataclass(frozen=True, slots=True, kw_only=True)
class FunctionSettings:
    """One function: `handler` is `module.function` in the folder `code`; `aliases` maps a name to a version."""

    name: str
    handler: str
    code: Path
    memory_mb: int
    timeout_seconds: float
    concurrency: int
    environment: Mapping[str, str]
    aliases: Mapping[str, str]
    freeze: bool

    def version(self, qualifier: str | None) -> str | None:
        """The version that a qualifier stands for, or None when there is no such qualifier."""
        if qualifier is None or qualifier == LATEST:
            return LATEST
        if qualifier in self.aliases:
            return self.aliases[qualifier]
        return qualifier if qualifier in self.aliases.values() else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Credentials:
    """The one key pair whose signatures are accepted; `lifetime_seconds` after the start they count as expired."""

    access_key_id: str
    secret_access_key: str = field(repr=False)
    session_token: str | None = field(default=None, repr=False)
    lifetime_seconds: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """A whole file: the functions, who may call them, and how long a failed event waits for its first retry."""

    region: str
    account: str
    functions: Mapping[str, FunctionSettings]
    credentials: Credentials | None
    retry_delay_seconds: float

    def arn(self, name: str, qualifier: str | None = None) -> str:
        """The ARN of a function of this file."""
        suffix = f":{qualifier}" if qualifier else ""
        return f"arn:aws:lambda:{self.region}:{self.account}:function:{name}{suffix}"

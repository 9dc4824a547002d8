"""`lambda.yaml`: from text to `Settings`, or every fault in it with its place.

version: 1
functions:
  books:
    handler: app.handler
    code: functions/books
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError

from strangler_fig.diagnostics import Diagnostic, Position, Severity, has_errors, in_file_order
from strangler_fig.documents import Document, read_yaml
from strangler_fig.shapes import shape_diagnostics
from strangler_fig.units import seconds

from .settings import LATEST, Credentials, FunctionSettings, Settings

_NAME = re.compile(r"[a-zA-Z0-9_-]{1,64}")
_HANDLER = re.compile(r"[A-Za-z_][\w/]*(\.[A-Za-z_]\w*)+")
_ALIAS = re.compile(r"(?!\d+$)[a-zA-Z0-9_-]{1,128}")
_VERSION = re.compile(r"[1-9][0-9]{0,9}")
_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_MAX_TIMEOUT_SECONDS = 900
# Source: Lambda developer guide, "Defined runtime environment variables": reserved names cannot be set by a function.
_RESERVED = frozenset(
    {
        "_HANDLER",
        "_X_AMZN_TRACE_ID",
        "AWS_DEFAULT_REGION",
        "AWS_REGION",
        "AWS_EXECUTION_ENV",
        "AWS_LAMBDA_FUNCTION_NAME",
        "AWS_LAMBDA_FUNCTION_MEMORY_SIZE",
        "AWS_LAMBDA_FUNCTION_VERSION",
        "AWS_LAMBDA_INITIALIZATION_TYPE",
        "AWS_LAMBDA_LOG_GROUP_NAME",
        "AWS_LAMBDA_LOG_STREAM_NAME",
        "AWS_ACCESS_KEY",
        "AWS_ACCESS_KEY_ID",
        "AWS_SECRET_ACCESS_KEY",
        "AWS_SESSION_TOKEN",
        "AWS_LAMBDA_RUNTIME_API",
        "LAMBDA_TASK_ROOT",
        "LAMBDA_RUNTIME_DIR",
    }
)


def _duration(value: Any) -> float:
    return seconds(f"{value}")  # of any type: the message says what a duration looks like


def _as_text(value: Any) -> Any:
    return str(value) if type(value) is int else value


_Duration = Annotated[float, BeforeValidator(_duration)]


class _Shape(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)


class _Secret(_Shape):
    secret_env: str


class _CredentialsShape(_Shape):
    access_key_id: Annotated[str, Field(min_length=1)]
    secret_access_key: _Secret
    session_token: _Secret | None = None
    lifetime: _Duration | None = None


class _FunctionShape(_Shape):
    handler: str
    code: Annotated[str, Field(min_length=1)]
    memory: Annotated[int, Field(ge=128, le=10_240)] = 128
    timeout: _Duration = 3.0
    concurrency: Annotated[int, Field(ge=1, le=1_000)] = 10
    environment: dict[str, str] = {}
    aliases: dict[str, Annotated[str, BeforeValidator(_as_text)]] = {}
    freeze: bool = False


class _FileShape(_Shape):
    version: Literal[1]
    region: Annotated[str, Field(pattern=r"^[a-z]{2}(-[a-z]+)+-[0-9]$")] = "eu-west-1"
    account: Annotated[str, BeforeValidator(_as_text), Field(pattern=r"^[0-9]{12}$")] = "123456789012"
    retry_delay: _Duration = 1.0
    credentials: _CredentialsShape | None = None
    functions: Annotated[dict[str, _FunctionShape], Field(min_length=1)]


_KNOWN_KEYS: Mapping[tuple[str, ...], Sequence[str]] = {
    (): tuple(_FileShape.model_fields),
    ("functions", "*"): tuple(_FunctionShape.model_fields),
    ("credentials",): tuple(_CredentialsShape.model_fields),
    ("credentials", "secret_access_key"): ("secret_env",),
    ("credentials", "session_token"): ("secret_env",),
}


@dataclass(frozen=True, slots=True)
class Loaded:
    """What a file holds (None when it has errors) and every finding, in the file's order."""

    settings: Settings | None
    diagnostics: tuple[Diagnostic, ...]


def load_functions(text: str, *, file: str, folder: Path, environment: Mapping[str, str]) -> Loaded:
    """The settings in `text`; folders are relative to `folder`, secrets and `${NAME}` come from `environment`."""
    document, found = read_yaml(text, file=file, environment=environment)
    if document is None:
        return Loaded(None, found)
    try:
        shape = _FileShape.model_validate(document.data)
    except ValidationError as error:
        wrong = shape_diagnostics(error.errors(), document, known_keys=_KNOWN_KEYS)
        return Loaded(None, in_file_order((*found, *wrong)))
    check = _Check(document=document, environment=environment, folder=folder, found=list(found))
    settings = check.settings(shape)
    return Loaded(None if has_errors(check.found) else settings, in_file_order(check.found))


@dataclass(slots=True, kw_only=True)
class _Check:
    """Turns a shape that is right into settings, and collects what is wrong with their meaning."""

    document: Document
    environment: Mapping[str, str]
    folder: Path
    found: list[Diagnostic] = field(default_factory=list)

    def settings(self, shape: _FileShape) -> Settings:
        return Settings(
            region=shape.region,
            account=shape.account,
            retry_delay_seconds=shape.retry_delay,
            credentials=self._credentials(shape.credentials) if shape.credentials else None,
            functions={name: self._function(name, one) for name, one in shape.functions.items()},
        )

    def _credentials(self, shape: _CredentialsShape) -> Credentials:
        token = shape.session_token
        return Credentials(
            access_key_id=shape.access_key_id,
            secret_access_key=self._secret(shape.secret_access_key, "secret_access_key"),
            session_token=self._secret(token, "session_token") if token else None,
            lifetime_seconds=shape.lifetime,
        )

    def _secret(self, secret: _Secret, key: str) -> str:
        value = self.environment.get(secret.secret_env, "")
        if not value:
            message = f"the environment variable {secret.secret_env} is not set"
            place = self.document.at("credentials", key, "secret_env")
            self._fault("LF105", message, place, f"export {secret.secret_env}")
        return value

    def _function(self, name: str, shape: _FunctionShape) -> FunctionSettings:
        here = ("functions", name)
        at = self.document.at
        if not _NAME.fullmatch(name):
            hint = "letters, digits, - and _, at most 64"
            self._fault("LF101", f"{name!r} is not a function name", self.document.key_at(*here), hint)
        if not _HANDLER.fullmatch(shape.handler):
            hint = "module.function, as in app.handler"
            self._fault("LF102", f"{shape.handler!r} is not a handler", at(*here, "handler"), hint)
        code = self._folder(shape.code, at(*here, "code"))
        if not 0 < shape.timeout <= _MAX_TIMEOUT_SECONDS:
            self._fault("LF104", "a timeout is from 1ms to 15m", at(*here, "timeout"), "as in timeout: 5s")
        self._aliases(here, shape.aliases)
        self._variables(here, shape.environment)
        return FunctionSettings(
            name=name,
            handler=shape.handler,
            code=code,
            memory_mb=shape.memory,
            timeout_seconds=shape.timeout,
            concurrency=shape.concurrency,
            environment=dict(shape.environment),
            aliases=dict(shape.aliases),
            freeze=shape.freeze,
        )

    def _folder(self, written: str, place: Position) -> Path:
        try:
            path = (self.folder / written).resolve()
            is_folder = path.is_dir()
        except (OSError, ValueError, RuntimeError):  # a NUL, a name that is too long, a circle of links
            path, is_folder = self.folder, False
        if not is_folder:
            hint = f"code is a folder, relative to {self.folder}"
            self._fault("LF103", f"no folder {written!r}", place, hint)
        return path

    def _aliases(self, here: tuple[str, str], aliases: Mapping[str, str]) -> None:
        for alias, version in aliases.items():
            place = self.document.at(*here, "aliases", alias)
            if not _ALIAS.fullmatch(alias):
                hint = "letters, digits, - and _, and not a number alone"
                self._fault("LF106", f"{alias!r} is not an alias", place, hint)
            if version != LATEST and not _VERSION.fullmatch(version):
                hint = f'a number, as in {alias}: "1", or {LATEST}'
                self._fault("LF107", f"{version!r} is not a version", place, hint)

    def _variables(self, here: tuple[str, str], environment: Mapping[str, str]) -> None:
        for name, value in environment.items():
            place = self.document.key_at(*here, "environment", name)
            if not _VARIABLE.fullmatch(name) or "\0" in value:
                self._fault("LF108", f"{name!r} is not an environment variable", place, "letters, digits and _")
            elif name in _RESERVED:
                self._fault("LF109", f"{name} is reserved", place, "the service sets it itself, and refuses this")

    def _fault(self, code: str, message: str, place: Position, hint: str) -> None:
        self.found.append(Diagnostic(code=code, message=message, position=place, hint=hint, severity=Severity.ERROR))

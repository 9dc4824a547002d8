"""Who a function is to a database: logins from the profile, a file, Secrets Manager, or signed by the function's role.

A login is fetched once and kept while it is young. When the target denies it, `refresh` fetches it anew, once for each
denial; when Secrets Manager is down, the last login that worked is used. No text made from anything
here has a password.
"""

import json
import os
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol, assert_never

from .connection.waiting import call_within
from .deadline import bounded
from .errors import CredentialsRefused
from .profiles.values import (
    Credentials,
    Endpoint,
    FileCredentials,
    IamCredentials,
    Secret,
    SecretCredentials,
    StaticCredentials,
)

_AWS_SECONDS = 3.0
_TOKEN_SECONDS = 600.0
"""How long a signed token is used again; it is valid for 15 minutes. Source: Amazon RDS user guide, IAM database
authentication."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Login:
    """A user and a password; `is_token`: it is a signed token, which may go over verified TLS only."""

    user: str
    password: Secret
    is_token: bool = False


class Provider(Protocol):
    """Where logins come from. Both methods raise `CredentialsRefused` when there is none, and `DeadlineExceeded`."""

    def get(self, endpoint: Endpoint) -> Login:
        """The login to try first."""

    def refresh(self, endpoint: Endpoint) -> Login | None:
        """A login fetched anew after a denial; None where there can be no other than the one denied."""

    def worked(self, login: Login) -> None:
        """Remember that the target took this login."""


def provider_for(credentials: Credentials, profile: str) -> Provider:
    """The provider of a profile's credentials."""
    match credentials:
        case StaticCredentials():
            return _Fixed(Login(user=credentials.user, password=credentials.password))
        case FileCredentials():
            return _File(credentials.path, profile)
        case SecretCredentials():
            return _Stored(credentials, profile)
        case IamCredentials():
            return _Signed(credentials, profile)
        case _:
            assert_never(credentials)


class _Fixed:
    def __init__(self, login: Login) -> None:
        self._login = login

    def get(self, endpoint: Endpoint) -> Login:  # noqa: ARG002 - one login for all
        return self._login

    def refresh(self, endpoint: Endpoint) -> Login | None:  # noqa: ARG002 - there is no other
        return None

    def worked(self, login: Login) -> None:
        pass


class _File:
    """Read again when the file is another one."""

    def __init__(self, path: str, profile: str) -> None:
        self._path = path
        self._profile = profile
        self._read: tuple[tuple[int, int, int], Login] | None = None

    def get(self, endpoint: Endpoint) -> Login:  # noqa: ARG002 - one login for all
        try:
            found = os.stat(self._path)  # noqa: PTH116 - pathlib costs 5 ms of a cold start
            version = (found.st_mtime_ns, found.st_ino, found.st_size)
            if self._read is None or self._read[0] != version:
                with open(self._path, encoding="utf-8") as file:  # noqa: PTH123
                    self._read = version, _login(file.read(), self._path, self._profile)
        except OSError as error:
            message = f"{self._profile}: {self._path} cannot be read: {error.strerror}"
            raise CredentialsRefused(message) from error
        return self._read[1]

    def refresh(self, endpoint: Endpoint) -> Login | None:
        denied, self._read = self._read, None
        found = self.get(endpoint)
        return None if denied is not None and denied[1] == found else found

    def worked(self, login: Login) -> None:
        pass


class _Stored:
    """From Secrets Manager, kept for `max_age` by the wall clock: a frozen environment's monotonic clock may stand."""

    def __init__(self, credentials: SecretCredentials, profile: str, clock: Callable[[], float] = time.time) -> None:
        self._secret = credentials.secret
        self._max_age = credentials.max_age
        self._profile = profile
        self._clock = clock
        self._read: tuple[float, Login] | None = None
        self._good: Login | None = None

    def get(self, endpoint: Endpoint) -> Login:  # noqa: ARG002 - one login for all
        if self._read is not None and 0 <= self._clock() - self._read[0] < self._max_age:
            return self._read[1]
        return self._fetch()

    def refresh(self, endpoint: Endpoint) -> Login | None:  # noqa: ARG002 - one login for all
        denied = self._read[1] if self._read else None
        found = self._fetch()
        return None if found == denied else found

    def worked(self, login: Login) -> None:
        self._good = login

    def _fetch(self) -> Login:
        doing = f"asking Secrets Manager for the login of {self._profile}"
        try:
            text = call_within(bounded(_AWS_SECONDS, doing), lambda: _secret_text(self._secret))
        except (TimeoutError, _StoreFailed) as error:
            if self._good is not None:  # it worked before, and the store being down is no reason to stop
                return self._good
            message = f"{self._profile}: the secret {self._secret} cannot be read: {error}"
            raise CredentialsRefused(message) from error
        login = _login(text, self._secret, self._profile)
        self._read = self._clock(), login
        return login


class _Signed:
    """Tokens that the function's role signs, one for each endpoint."""

    def __init__(self, credentials: IamCredentials, profile: str, clock: Callable[[], float] = time.time) -> None:
        self._user = credentials.user
        self._region = credentials.region
        self._profile = profile
        self._clock = clock
        self._tokens: dict[Endpoint, tuple[float, Login]] = {}

    def get(self, endpoint: Endpoint) -> Login:
        kept = self._tokens.get(endpoint)
        if kept is not None and 0 <= self._clock() - kept[0] < _TOKEN_SECONDS:
            return kept[1]
        return self._sign(endpoint)

    def refresh(self, endpoint: Endpoint) -> Login | None:
        return self._sign(endpoint)

    def worked(self, login: Login) -> None:
        pass

    def _sign(self, endpoint: Endpoint) -> Login:
        doing = f"signing a token for {self._profile}"
        try:
            token = call_within(bounded(_AWS_SECONDS, doing), lambda: _token(endpoint, self._user, self._region))
        except (TimeoutError, _StoreFailed) as error:
            message = f"{self._profile}: no token for {self._user}: {error}"
            raise CredentialsRefused(message) from error
        login = Login(user=self._user, password=Secret(token), is_token=True)
        self._tokens[endpoint] = self._clock(), login
        return login


class _StoreFailed(Exception):  # noqa: N818 - what happened, as the tree of errors names things
    """AWS refused, or could not be reached."""


def _secret_text(name: str) -> str:
    from aws_lambda_powertools.utilities.parameters import SecretsProvider  # noqa: PLC0415 - it imports boto3
    from aws_lambda_powertools.utilities.parameters.exceptions import GetParameterError  # noqa: PLC0415
    from botocore.config import Config  # noqa: PLC0415
    from botocore.exceptions import BotoCoreError, ClientError  # noqa: PLC0415

    config = Config(connect_timeout=1, read_timeout=2, retries={"total_max_attempts": 2})
    try:
        value: Any = SecretsProvider(boto_config=config).get(name, force_fetch=True)
    except (GetParameterError, BotoCoreError, ClientError) as error:
        raise _StoreFailed(error) from error
    return value if isinstance(value, str) else bytes(value or b"").decode()


def _token(endpoint: Endpoint, user: str, region: str) -> str:
    import boto3  # noqa: PLC0415 - 0.14 s
    from botocore.exceptions import BotoCoreError, ClientError  # noqa: PLC0415

    try:
        client = boto3.client("rds", region_name=region)
        return str(client.generate_db_auth_token(DBHostname=endpoint.host, Port=endpoint.port, DBUsername=user))
    except (BotoCoreError, ClientError) as error:
        raise _StoreFailed(error) from error


def _login(text: str, where: str, profile: str) -> Login:
    try:
        found = json.loads(text)
        return Login(user=str(found["username"]), password=Secret(str(found["password"])))
    except (ValueError, KeyError, TypeError):
        # What could not be read is not told: it may hold the password.
        message = f"{profile}: {where} is not JSON with username and password"
        raise CredentialsRefused(message) from None

"""Who a function is to a database: logins from the profile, a file, Secrets Manager, or signed by the function's role.

A login is fetched once and kept while it is young. When the target denies it, `refresh` fetches it anew, once for each
denial; when Secrets Manager is down, the last login that worked is used. No text made from anything
here has a password.
"""

import contextlib
import json
import os
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol, assert_never

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
from .stores import StoreFailed, secret_text, secrets, signed_token, signer

_AWS_SECONDS = 3.0
_HURRY_SECONDS = 1.0
"""How long Secrets Manager is waited for where a login is known that worked; half of what the invocation has left, if
that is less, so that the login can still be used."""
_DOWN_SECONDS = 30.0
"""How long it is then not asked again, unless the login is denied."""
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


def provider_for(credentials: Credentials, profile: str, clock: Callable[[], float] = time.time) -> Provider:
    """The provider of a profile's credentials; `clock` is the wall's."""
    match credentials:
        case StaticCredentials():
            return _Fixed(Login(user=credentials.user, password=credentials.password))
        case FileCredentials():
            return _File(credentials.path, profile)
        case SecretCredentials():
            return _Stored(credentials, profile, clock)
        case IamCredentials():
            return _Signed(credentials, profile, clock)
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
                with open(self._path, "rb") as file:  # noqa: PTH123
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

    def __init__(self, credentials: SecretCredentials, profile: str, clock: Callable[[], float]) -> None:
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
        seconds = bounded(_AWS_SECONDS, doing, nothing_done=True) or _AWS_SECONDS
        if self._good is not None:
            seconds = min(seconds / 2, _HURRY_SECONDS)
        try:
            store = secrets()
            text = call_within(seconds, lambda: secret_text(store, self._secret))
        except (TimeoutError, StoreFailed) as error:
            if self._good is not None:  # it worked before, and the store being down is no reason to stop
                self._read = self._clock() - max(0.0, self._max_age - _DOWN_SECONDS), self._good
                return self._good
            message = f"{self._profile}: the secret {self._secret} cannot be read: {error}"
            raise CredentialsRefused(message) from error
        login = _login(text, self._secret, self._profile)
        self._read = self._clock(), login
        return login


class _Signed:
    """Tokens that the function's role signs, one for each endpoint."""

    def __init__(self, credentials: IamCredentials, profile: str, clock: Callable[[], float]) -> None:
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
            client = signer(self._region)
            seconds = bounded(_AWS_SECONDS, doing, nothing_done=True)
            token = call_within(seconds, lambda: signed_token(client, endpoint, self._user))
        except (TimeoutError, StoreFailed) as error:
            message = f"{self._profile}: no token for {self._user}: {error}"
            raise CredentialsRefused(message) from error
        login = Login(user=self._user, password=Secret(token), is_token=True)
        self._tokens[endpoint] = self._clock(), login
        return login


def _login(text: str | bytes, where: str, profile: str) -> Login:
    """The login of a document. What could not be read is not told, nor chained to: it may hold the password."""
    user = password = None
    with contextlib.suppress(ValueError, KeyError, TypeError, RecursionError):
        content = json.loads(text)
        user, password = content["username"], content["password"]
    if not (isinstance(user, str) and user and isinstance(password, str)):
        message = f"{profile}: {where} is not JSON with username and password"
        raise CredentialsRefused(message)
    return Login(user=user, password=Secret(password))

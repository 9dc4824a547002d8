"""A session with an AWS account, and its failures in one line each: which call, whose, and what to do next."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from strangler_fig.diagnostics import Diagnostic, Refused

from .errors import AwsDenied, AwsFailed

NO_LIBRARY = "LV101"
NO_REGION = "LV102"

_DENIED = frozenset(
    {
        "AccessDenied",
        "AccessDeniedException",
        "AuthorizationError",
        "OptInRequired",
        "UnauthorizedOperation",
    }
)
_EXPIRED = frozenset({"ExpiredToken", "ExpiredTokenException", "RequestExpired"})


class Session:
    """The credentials of one profile in one Region, and clients made from them."""

    def __init__(self, profile: str | None, region: str | None) -> None:
        try:
            import boto3  # noqa: PLC0415 - an extra of its own
            from botocore.config import Config  # noqa: PLC0415
            from botocore.exceptions import ProfileNotFound  # noqa: PLC0415
        except ModuleNotFoundError as error:
            message = f"AWS accounts need the package {error.name}: pip install 'strangler-fig[planner,aws]'"
            raise Refused([Diagnostic(code=NO_LIBRARY, message=message)]) from error
        try:
            self._session: Any = boto3.Session(profile_name=profile, region_name=region)
        except ProfileNotFound as error:
            message = f"there is no AWS profile {profile!r}"
            raise Refused(
                [Diagnostic(code=NO_REGION, message=message, hint="aws configure list-profiles shows them")]
            ) from error
        if not self._session.region_name:
            message = "no Region: neither --region nor the profile names one"
            raise Refused([Diagnostic(code=NO_REGION, message=message, hint="add --region eu-west-1")])
        self.region: str = self._session.region_name
        self.profile = profile
        self._clients: dict[str, Any] = {}
        self._config = Config(retries={"mode": "standard", "max_attempts": 6}, connect_timeout=5, read_timeout=30)

    def client(self, service: str) -> Any:
        """The client of a service, made once: each takes its time."""
        if service not in self._clients:
            with self.failures(service):
                self._clients[service] = self._session.client(service, config=self._config)
        return self._clients[service]

    def account(self) -> str:
        """The account's number."""
        with self.failures("sts get-caller-identity"):
            return str(self.client("sts").get_caller_identity()["Account"])

    def pages(self, service: str, operation: str, key: str, **arguments: Any) -> list[Mapping[str, Any]]:
        """Every object of a paged answer."""
        client = self.client(service)
        with self.failures(f"{service} {operation}"):
            return [one for page in client.get_paginator(operation).paginate(**arguments) for one in page.get(key, ())]

    @contextmanager
    def failures(self, call: str) -> Iterator[None]:
        """Turn every failure of AWS into one of ours; the call is named as `service operation`."""
        from botocore.exceptions import BotoCoreError, ClientError  # noqa: PLC0415

        whose = f"{self.region}, profile {self.profile}" if self.profile else self.region
        try:
            yield
        except ClientError as error:
            code = error.response.get("Error", {}).get("Code", "")
            message = f"AWS refused {call} ({whose}): {error.response.get('Error', {}).get('Message', code)}"
            if code in _DENIED:
                message = f"{message}; allow {call.replace(' ', ':')} to these credentials"
                raise AwsDenied(message) from error
            if code in _EXPIRED:
                message = f"{message}; sign in again (aws sso login, or new keys)"
            raise AwsFailed(message) from error
        except BotoCoreError as error:
            message = f"AWS did not answer {call} ({whose}): {error}"
            raise AwsFailed(message) from error

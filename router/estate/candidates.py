"""The new sides: functions, and upstreams that are plain HTTP."""

from dataclasses import dataclass

from .addresses import Endpoint, Health, Tls


@dataclass(frozen=True, slots=True, kw_only=True)
class FunctionArn:
    """A Lambda function's ARN, with its qualifier (an alias or a version; None where there is none)."""

    text: str
    region: str
    account: str
    function: str
    qualifier: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class LambdaFunction:
    """A function behind the Lambda Invoke API. `max_concurrency` None means unlimited."""

    name: str
    arn: FunctionArn
    endpoint: Endpoint
    tls: Tls | None
    host: str
    region: str
    timeout_seconds: float
    max_concurrency: int | None = None
    connect_timeout_seconds: float = 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class HttpUpstream:
    """A new side that is plain HTTP: an internal ALB or a private API Gateway. `host` rewrites the Host header."""

    name: str
    endpoints: tuple[Endpoint, ...]
    timeout_seconds: float
    tls: Tls | None = None
    health: Health | None = None
    host: str | None = None
    max_concurrency: int | None = None
    connect_timeout_seconds: float = 1.0


Candidate = LambdaFunction | HttpUpstream

"""The shapes of what a route asks of its users, and of where telemetry goes."""

from typing import Annotated, Literal

from pydantic import ConfigDict, Field, model_validator

from .fault import Fault
from .tls_shape import TlsShape, needs_name
from .values import (
    CHOICE,
    Claim,
    Cookie,
    Count,
    Duration,
    File,
    HeaderName,
    HttpsUrl,
    Name,
    OtlpUrl,
    Path,
    Reference,
    SecretName,
    Shape,
    ShareOfRequests,
    Text,
    Words,
    choose,
    exactly_one,
    refused,
)


class SecretShape(Shape):
    """Where a node finds a secret, never the secret itself; exactly one of its keys."""

    model_config = ConfigDict(json_schema_extra=exactly_one("secret_env", "secret_file"))

    secret_env: SecretName | None = Field(None, description="The node's environment variable that holds it.")
    secret_file: File | None = Field(None, description="The file on the node that holds it.")

    @model_validator(mode="after")
    def _one_kind(self) -> "SecretShape":
        choose({"secret_env": self.secret_env, "secret_file": self.secret_file})
        return self


class ClaimsShape(Shape):
    """How an identity's claims reach the upstream: in x-fig-claims, signed (JWT, HS256)."""

    key: SecretShape = Field(description="The key that signs them: at least 32 bytes, shared with the functions.")
    lifetime: Duration = Field(60.0, description="How long the signature is valid. Default 60s.")


class JwksShape(Shape):
    """Where the keys are that sign tokens; exactly one of file and url."""

    model_config = ConfigDict(json_schema_extra=exactly_one("file", "url"))

    file: File | None = Field(None, description="A JWKS file; a renewed one is used without a restart.")
    url: HttpsUrl | None = Field(None, description="An https URL; asked for anew every five minutes.")
    tls: TlsShape | None = Field(None, description="CA and name of the URL's host. It is always verified.")

    @model_validator(mode="after")
    def _one_kind(self) -> "JwksShape":
        choose({"file": self.file, "url": self.url})
        if self.tls and not self.url:
            raise refused(Fault(CHOICE, "tls belongs to url, not to file", "leave tls out"))
        if self.url:
            needs_name(self.tls or TlsShape(), [self.url.endpoint])
        return self


class JwtShape(Shape):
    """Users prove who they are by a bearer token."""

    issuer: Text = Field(description="What the token's iss must be.")
    audiences: Annotated[list[Text], Field(min_length=1)] = Field(description="Of which the token's aud must hold one.")
    jwks: JwksShape = Field(description="Where the keys are that sign tokens.")
    clock_skew: Duration = Field(60.0, description="By how much clocks may differ. Default 60s.")


class SessionShape(Shape):
    """Users have a session in a legacy application, which is asked about each request."""

    service: Reference = Field(description="The legacy service that knows the session.")
    path: Path = Field(description="What it is asked: GET with the cookie. 200 means: signed in.")
    cookie: Cookie = Field(description="The session's cookie. Without it the answer is 401, and nobody is asked.")
    claims: Annotated[dict[Name, HeaderName], Field(min_length=1)] = Field(
        description="Which claim stands in which header of its answer, as in sub: X-User."
    )
    timeout: Duration = Field(1.0, description="How long it may take to answer. Default 1s.")


class IdentityShape(Shape):
    """How users prove who they are: by a token (`jwt`) or by their session in a legacy application (`session`)."""

    model_config = ConfigDict(json_schema_extra=exactly_one("jwt", "session"))

    jwt: JwtShape | None = Field(None, description="By a bearer token.")
    session: SessionShape | None = Field(None, description="By their session in a legacy application.")
    scopes_claim: Claim = Field("scope", description="The claim that lists scopes. Default scope.")
    roles_claim: Claim = Field("roles", description="The claim that lists roles. Default roles.")
    claims: ClaimsShape | None = Field(
        None, description="Hand the claims to the upstream in x-fig-claims, signed. A session needs it."
    )

    @model_validator(mode="after")
    def _one_kind(self) -> "IdentityShape":
        choose({"jwt": self.jwt, "session": self.session})
        if self.session and not self.claims:
            hint = "write claims: {key: {secret_env: NAME}}"
            raise refused(Fault(CHOICE, "a session's claims reach the function only when they are signed", hint))
        return self


class AuthorizeShape(Shape):
    """Who may use a route; others get 401 or 403 before any upstream is touched."""

    identity: Reference = Field(description="By which identity users prove who they are.")
    scopes: Words | None = Field(None, description="Scopes that the user must have, all of them.")
    roles: Words | None = Field(None, description="Roles of which the user must have one.")


class LimitShape(Shape):
    """How many requests a route takes; what exceeds it gets 429 with Retry-After."""

    requests: Count = Field(description="How many requests in each period.")
    per: Duration = Field(1.0, description="The period. Default 1s.")
    burst: Count | None = Field(None, description="How many at once. Default: as many as requests.")
    by: Literal["route", "client"] = Field(
        "route", description="route: all of its requests, on all nodes together. client: each client's, on each node."
    )


class TelemetryShape(Shape):
    """Where the router sends traces, access logs and metrics."""

    otlp: OtlpUrl = Field(
        description="Base URL of an OTLP/HTTP receiver; /v1/traces and the like are added. Empty: nowhere."
    )
    tls: TlsShape | None = Field(None, description="CA and name of an https receiver. It is always verified.")
    sample: ShareOfRequests = Field(1000, description="Share of requests that begin a trace. Default 10%.")

    @model_validator(mode="after")
    def _has_name(self) -> "TelemetryShape":
        if self.otlp is None:
            return self
        if self.tls and not self.otlp.secure:
            raise refused(Fault(CHOICE, "tls is set, but the receiver is http://", "write https:// or leave tls out"))
        if self.otlp.secure:
            needs_name(self.tls or TlsShape(), [self.otlp.endpoint])
        return self

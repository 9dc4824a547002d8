"""Signature Version 4 of requests to the Lambda API, checked.

Source: IAM user guide, "Create a signed AWS API request"; Lambda's tolerance of five minutes is what its own message
says ("Signature expired: ... (... - 5 min.)"). Signed query strings are not what Invoke's callers use, and count as
missing authentication. Signatures are compared in constant time.
"""

import datetime as dt
import hashlib
import hmac
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Protocol
from urllib.parse import quote, unquote

from .api_error import ApiError, denied
from .settings import Credentials

TOLERANCE = dt.timedelta(minutes=5)

_ALGORITHM = "AWS4-HMAC-SHA256"
_SERVICE = "lambda"
_STAMP = "%Y%m%dT%H%M%SZ"
_FIELD = re.compile(r"\s*(Credential|SignedHeaders|Signature)=([^,\s]+)\s*")
_SCOPE_PARTS = 5

_MISSING = denied("MissingAuthenticationTokenException", "Missing Authentication Token")
_UNKNOWN = denied("UnrecognizedClientException", "The security token included in the request is invalid.")
_EXPIRED = denied("ExpiredTokenException", "The security token included in the request is expired")
_MISMATCH = denied(
    "InvalidSignatureException",
    "The request signature we calculated does not match the signature you provided. Check your AWS Secret Access Key "
    "and signing method. Consult the service documentation for details.",
)


class SignedRequest(Protocol):
    """What a signature covers of a request; header names are lower case."""

    method: str
    target: str
    headers: Mapping[str, str]
    body: bytes | None


@dataclass(frozen=True, slots=True, kw_only=True)
class _Authorization:
    """The parts of an Authorization header."""

    access_key_id: str
    date: str
    region: str
    service: str
    signed_headers: tuple[str, ...]
    signature: str


class Verifier:
    """Checks that requests are signed with one key pair, for one region. `now` gives the time in UTC."""

    def __init__(self, credentials: Credentials, region: str, *, now: Callable[[], dt.datetime]) -> None:
        self._credentials = credentials
        self._region = region
        self._now = now
        lifetime = credentials.lifetime_seconds
        self._expires = None if lifetime is None else now() + dt.timedelta(seconds=lifetime)

    def refusal(self, exchange: SignedRequest) -> ApiError | None:
        """Why a request is refused, or None when its signature is right."""
        header = exchange.headers.get("authorization")
        if not header:
            return _MISSING
        claim = _parse(header)
        stamp = exchange.headers.get("x-amz-date", "")
        if isinstance(claim, ApiError):
            return claim
        token = exchange.headers.get("x-amz-security-token", "")
        if not _same(claim.access_key_id, self._credentials.access_key_id):
            return _UNKNOWN
        if not _same(token, self._credentials.session_token or ""):
            return _UNKNOWN
        return (
            self._untimely(stamp)
            or self._out_of_scope(claim, stamp)
            or self._mismatch(exchange, claim, stamp)
            or (_EXPIRED if self._expires is not None and self._now() >= self._expires else None)
        )

    def _untimely(self, stamp: str) -> ApiError | None:
        try:
            signed = dt.datetime.strptime(stamp, _STAMP).replace(tzinfo=dt.UTC)
        except ValueError:
            return denied("IncompleteSignatureException", "Date must be in ISO-8601 'basic format'.")
        now = self._now()
        if signed < now - TOLERANCE:
            edge = f"{now - TOLERANCE:{_STAMP}} ({now:{_STAMP}} - 5 min.)"
            return denied("InvalidSignatureException", f"Signature expired: {stamp} is now earlier than {edge}")
        if signed > now + TOLERANCE:
            edge = f"{now + TOLERANCE:{_STAMP}} ({now:{_STAMP}} + 5 min.)"
            return denied("InvalidSignatureException", f"Signature not yet current: {stamp} is still later than {edge}")
        return None

    def _out_of_scope(self, claim: _Authorization, stamp: str) -> ApiError | None:
        if claim.date != stamp[:8]:
            return denied("InvalidSignatureException", f"Date in Credential scope does not match: {claim.date}")
        if claim.region != self._region:
            return denied("InvalidSignatureException", "Credential should be scoped to a valid region.")
        if claim.service != _SERVICE:
            return denied("InvalidSignatureException", f"Credential should be scoped to correct service: '{_SERVICE}'.")
        return None

    def _mismatch(self, exchange: SignedRequest, claim: _Authorization, stamp: str) -> ApiError | None:
        missing = {"host", "x-amz-date"} - set(claim.signed_headers)
        if missing or any(name not in exchange.headers for name in claim.signed_headers):
            return _MISMATCH
        scope = f"{claim.date}/{self._region}/{_SERVICE}/aws4_request"
        digest = hashlib.sha256(_canonical(exchange, claim.signed_headers).encode()).hexdigest()
        text = f"{_ALGORITHM}\n{stamp}\n{scope}\n{digest}"
        key = _signing_key(self._credentials.secret_access_key, claim.date, self._region)
        return None if _same(_hmac(key, text).hex(), claim.signature) else _MISMATCH


def _parse(header: str) -> _Authorization | ApiError:
    algorithm, _, rest = header.partition(" ")
    if algorithm != _ALGORITHM:
        return _MISSING
    fields: dict[str, str] = {}
    for part in rest.split(","):
        found = _FIELD.fullmatch(part)
        if found:
            fields[found[1]] = found[2]
    absent = sorted({"Credential", "SignedHeaders", "Signature"} - fields.keys())
    if absent:
        return denied("IncompleteSignatureException", f"Authorization header requires {', '.join(absent)}.")
    scope = fields["Credential"].rsplit("/", _SCOPE_PARTS - 1)
    if len(scope) != _SCOPE_PARTS or scope[-1] != "aws4_request":
        return denied("IncompleteSignatureException", "Credential must have exactly 5 slash-delimited elements.")
    return _Authorization(
        access_key_id=scope[0],
        date=scope[1],
        region=scope[2],
        service=scope[3],
        signed_headers=tuple(fields["SignedHeaders"].split(";")),
        signature=fields["Signature"],
    )


def _canonical(exchange: SignedRequest, signed_headers: tuple[str, ...]) -> str:
    """The canonical request: the path is encoded once more than it was sent, as for every service but S3."""
    path, _, query = exchange.target.partition("?")
    headers = "".join(f"{name}:{' '.join(exchange.headers[name].split())}\n" for name in signed_headers)
    digest = hashlib.sha256(exchange.body or b"").hexdigest()
    names = ";".join(signed_headers)
    return "\n".join(
        (exchange.method, quote(_normal(path), safe="/~"), _canonical_query(query), headers, names, digest)
    )


def _normal(path: str) -> str:
    """The path without empty and dot segments."""
    kept: list[str] = []
    for segment in path.split("/"):
        if segment == "..":
            del kept[-1:]
        elif segment not in ("", "."):
            kept.append(segment)
    return "/" + "/".join(kept) + ("/" if kept and path.endswith("/") else "")


def _canonical_query(query: str) -> str:
    pairs = [part.partition("=") for part in query.split("&") if part]
    encoded = ((quote(unquote(name), safe="~"), quote(unquote(value), safe="~")) for name, _, value in pairs)
    return "&".join(f"{name}={value}" for name, value in sorted(encoded))


@lru_cache(maxsize=4)
def _signing_key(secret: str, date: str, region: str) -> bytes:
    key = _hmac(f"AWS4{secret}".encode(), date)
    return _hmac(_hmac(_hmac(key, region), _SERVICE), "aws4_request")


def _hmac(key: bytes, text: str) -> bytes:
    return hmac.new(key, text.encode(), hashlib.sha256).digest()


def _same(one: str, other: str) -> bool:
    return hmac.compare_digest(one.encode(), other.encode())

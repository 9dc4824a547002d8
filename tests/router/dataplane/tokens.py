"""A token issuer for tests: keys, JWKS and tokens, signed by openssl, and tokens that nobody should believe."""

import base64
import hashlib
import hmac
import json
import subprocess
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

ISSUER, AUDIENCE = "https://login.bank.example/", "https://api.bank.example"


def base64url(data: bytes) -> str:
    """The data as JWTs write it."""
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def decoded(text: str) -> bytes:
    """What such a text holds."""
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


class Key:
    """An RSA key of the issuer, by the id that its tokens name."""

    def __init__(self, folder: Path, kid: str) -> None:
        self.kid = kid
        self._file = folder / f"{kid}.pem"
        _openssl("genrsa", "-out", self._file, "2048")
        self.public = _openssl("rsa", "-in", self._file, "-pubout")

    @property
    def jwk(self) -> dict[str, str]:
        """The public key, as a member of a JWKS."""
        modulus = _openssl("rsa", "-in", self._file, "-noout", "-modulus").decode().strip().partition("=")[2]
        public = {"n": base64url(bytes.fromhex(modulus)), "e": "AQAB"}
        return {"kty": "RSA", "kid": self.kid, "alg": "RS256", "use": "sig", **public}

    def token(self, claims: Mapping[str, Any] | None = None, *, header: Mapping[str, Any] | None = None) -> str:
        """A token that says what a good one says, but for these claims; None as a claim leaves it out."""
        signed = signing_input(claims or {}, header or {"alg": "RS256", "kid": self.kid, "typ": "JWT"})
        return f"{signed}.{base64url(_openssl('dgst', '-sha256', '-sign', self._file, stdin=signed.encode()))}"


def signing_input(claims: Mapping[str, Any], header: Mapping[str, Any]) -> str:
    """The first two parts of a token."""
    now = int(time.time())
    good = {"iss": ISSUER, "aud": AUDIENCE, "sub": "alice", "iat": now, "exp": now + 600}
    payload = {name: value for name, value in {**good, **claims}.items() if value is not None}
    return f"{base64url(json.dumps(header).encode())}.{base64url(json.dumps(payload).encode())}"


def by_secret(secret: bytes, claims: Mapping[str, Any], header: Mapping[str, Any]) -> str:
    """A token that is signed with a shared secret (HS256)."""
    signed = signing_input(claims, header)
    return f"{signed}.{base64url(hmac.digest(secret, signed.encode(), hashlib.sha256))}"


def jwks(keys: Sequence[Key]) -> str:
    """The key set of these keys."""
    return json.dumps({"keys": [key.jwk for key in keys]})


def bearer(token: str) -> list[tuple[str, str]]:
    """The header that carries a token."""
    return [("Authorization", f"Bearer {token}")]


def _openssl(*arguments: str | Path, stdin: bytes = b"") -> bytes:
    return subprocess.run(["openssl", *map(str, arguments)], check=True, capture_output=True, input=stdin).stdout  # noqa: S607 - Debian's

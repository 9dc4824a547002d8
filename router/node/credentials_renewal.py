"""The credentials that are lent to Envoy: when they are renewed, and what Envoy is told.

The rule of this file: Envoy always gets an answer. A failed question makes Envoy 1.40 forget keys that are still valid,
and once they have expired it asks again only after an hour (measured). So without valid keys it gets the name of
no key: its calls are recognised by that, never leave the host, and go to legacy; and it asks again within two seconds.
"""

import json
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

NO_KEY = "fig-no-credentials"
"""The access key's name that says that there is none; lua/call.lua knows it too."""

_GRACE_SECONDS = 60.0  # Envoy asks again so long before the expiry that it is told; source: measured, Envoy 1.40.0
_AGAIN_SECONDS = 2.0
_AHEAD_SECONDS = 900.0  # as botocore: its credentials are renewed from 15 minutes before their end
_STATIC_SECONDS = 300.0  # keys without an end may be exchanged in their file
_LAST_SECONDS = 1.0  # credentials that end within this are no use: a call must reach the API with them


class Secret(str):
    """A text that nobody sees by accident."""

    __slots__ = ()

    def __repr__(self) -> str:
        return "[redacted]"


@dataclass(frozen=True, slots=True, kw_only=True)
class Lent:
    """Credentials that the chain gave; `expires` in seconds since 1970, None for keys without an end."""

    access_key: Secret
    secret_key: Secret
    token: Secret
    expires: float | None
    method: str

    @classmethod
    def parse(cls, walked: dict[str, Any]) -> "Lent":
        """The credentials in a walk's result. Raises `KeyError`, `TypeError` or `ValueError`."""
        expires = walked["expires"]
        return cls(
            access_key=Secret(walked["access_key"]),
            secret_key=Secret(walked["secret_key"]),
            token=Secret(walked["token"]),
            expires=None if expires is None else float(expires),
            method=str(walked["method"]),
        )

    def valid(self, now: float) -> bool:
        """Whether they can still sign a call."""
        return self.expires is None or self.expires > now + _LAST_SECONDS


@dataclass(slots=True)
class Lending:
    """What is lent now, and the state of the renewals. Times are seconds since 1970."""

    held: Lent | None = None
    error: str | None = None
    failures: int = 0
    asked: float | None = None
    announced: float | None = None
    renew_at: float = field(default=0.0)

    def renewed(self, lent: Lent, now: float) -> None:
        """The chain gave credentials; ones that are past their end are a failure."""
        if not lent.valid(now):
            self.failed(f"{lent.method} gave credentials that have expired: check its cache and this host's clock", now)
            return
        self.held, self.error, self.failures = lent, None, 0
        if lent.expires is None:
            self.renew_at = now + _STATIC_SECONDS
        else:
            left = lent.expires - now
            # Where a cache gives the same ones again, they are asked for more and more often towards their end.
            self.renew_at = now + max(0.5, left - _AHEAD_SECONDS if left > 2 * _AHEAD_SECONDS else left / 2)

    def failed(self, error: str, now: float) -> None:
        """The chain gave nothing: what is held stays in use while it is valid."""
        self.error = error
        self.failures += 1
        self.renew_at = now + min(30.0, 0.5 * 2.0 ** min(self.failures, 10))

    def answer(self, now: float) -> bytes:
        """What Envoy is told, in the way of a container's metadata service."""
        self.asked = now
        held = self.held
        if held is None or not held.valid(now):
            self.announced = now + _GRACE_SECONDS + _AGAIN_SECONDS
            return _document(NO_KEY, NO_KEY, "", self.announced)
        self.announced = held.expires if held.expires is not None else now + _GRACE_SECONDS + _STATIC_SECONDS
        return _document(held.access_key, held.secret_key, held.token, self.announced)

    def state(self, now: float) -> dict[str, Any]:
        """What the agent may know: all but the keys."""
        held = self.held
        return {
            "method": held.method if held else None,
            "expires": held.expires if held else None,
            "valid": held is not None and held.valid(now),
            "error": self.error,
            "failures": self.failures,
            "asked": self.asked,
            "announced": self.announced,
        }


def _document(access_key: str, secret_key: str, token: str, expires: float) -> bytes:
    until = datetime.fromtimestamp(expires, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    content = {"AccessKeyId": access_key, "SecretAccessKey": secret_key, "Token": token, "Expiration": until}
    return json.dumps(content).encode()

"""A router whose routes ask who the user is: its estate, the keys of its tokens and of its claims, and both sides."""

import hashlib
import hmac
import json
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .harness import Answer, Running, running_router
from .standins import InvokeApi, Reply, Seen, StandIn, echo
from .tokens import Key, base64url, decoded, jwks

CLAIMS_KEY = "correct horse battery staple, 32 bytes and more"
ESTATE = """
version: 1
entry: {address: "127.0.0.1:${ENTRY_PORT}", default: shop, max_body: 20MB, expose_side: true}
legacy:
  shop: {endpoints: ["127.0.0.1:${LEGACY_PORT}"]}
  portal: {endpoints: ["127.0.0.1:${PORTAL_PORT}"], connect_timeout: 200ms}
lambda:
  books: {arn: "arn:aws:lambda:eu-west-1:123456789012:function:books:live", endpoint: "http://127.0.0.1:${LAMBDA_PORT}", timeout: 2s}
identities:
  staff:
    jwt: {issuer: "https://login.bank.example/", audiences: ["https://api.bank.example", other], jwks: {file: "${JWKS}"}, clock_skew: 5s}
    roles_claim: realm_access.roles
    claims: {key: {secret_env: CLAIMS_KEY}, lifetime: 30s}
  plain:
    jwt: {issuer: "https://login.bank.example/", audiences: ["https://api.bank.example"], jwks: {file: "${JWKS}"}}
  absent:
    jwt: {issuer: "https://login.bank.example/", audiences: ["https://api.bank.example"], jwks: {file: "${JWKS}.absent"}}
  unsigned:
    jwt: {issuer: "https://login.bank.example/", audiences: ["https://api.bank.example"], jwks: {file: "${JWKS}"}}
    claims: {key: {secret_env: NO_SUCH_KEY}}
  customers:
    session: {service: portal, path: /session, cookie: SID, timeout: 700ms, claims: {sub: X-User, roles: X-Roles, city: X-City}}
    claims: {key: {secret_env: CLAIMS_KEY}}
routes:
  any: {match: {path: {prefix: /any}}, legacy: shop, lambda: books, timeout: 10s, sticky: {header: X-Key}, authorize: {identity: staff}}
  scoped: {match: {path: {prefix: /scoped}}, legacy: shop, lambda: books, timeout: 10s, sticky: {header: X-Key},
    authorize: {identity: staff, scopes: ["books:read", "books:write"]}}
  roles: {match: {path: {prefix: /roles}}, legacy: shop, lambda: books, timeout: 10s, sticky: {cookie: fig-user},
    authorize: {identity: staff, roles: [teller, auditor]}}
  plain: {match: {path: {prefix: /plain}}, legacy: shop, authorize: {identity: plain, scopes: ["a"], roles: [r]}}
  absent: {match: {path: {prefix: /absent}}, legacy: shop, authorize: {identity: absent}}
  unsigned: {match: {path: {prefix: /unsigned}}, legacy: shop, authorize: {identity: unsigned}}
  mine: {match: {path: {prefix: /mine}}, legacy: shop, lambda: books, timeout: 10s, sticky: {header: X-Key},
    authorize: {identity: customers}}
  vault: {match: {path: {prefix: /vault}}, legacy: shop, authorize: {identity: customers, roles: [teller]}}
  new: {match: {path: {prefix: /new}}, lambda: books, timeout: 10s, authorize: {identity: staff}}
  shadowed: {match: {path: {prefix: /shadowed}}, legacy: shop, lambda: books, timeout: 10s, sticky: {header: X-Key}, shadow: true,
    authorize: {identity: staff}}
  socket: {match: {path: {prefix: /ws}}, legacy: shop, upgrade: websocket, authorize: {identity: staff}}
"""  # noqa: E501 - one route a line reads best


@dataclass
class World:
    """The running router, its upstreams, and the issuer's key and key set."""

    router: Running
    legacy: StandIn
    portal: StandIn
    api: InvokeApi
    key: Key
    jwks: Path

    def reset(self) -> None:
        """All answer well, and nothing was seen."""
        self.legacy.answer, self.portal.answer = echo, no_session
        self.api.function, self.api.api = InvokeApi.echo, None
        for one in (self.legacy, self.portal, self.api):
            one.seen.clear()
        self.api.events.clear()

    @property
    def untouched(self) -> bool:
        """Whether no upstream saw any request."""
        return not (self.legacy.seen or self.portal.seen or self.api.seen)

    def questions(self) -> int:
        """How often Envoy asked itself for the keys of any identity's tokens."""
        found = self.router.admin("/stats?filter=cluster.own.identities.keys.upstream_rq_total").decode()
        return int(found.rpartition(": ")[2])

    def refused(self, route: str, status: int) -> int:
        """How many requests for a route its identity answered with that status."""
        wanted = f"fig.identities.refused.route.{route}.status.{status}: "
        lines = self.router.admin("/stats?filter=fig.identities").decode().splitlines()
        return sum(int(line.removeprefix(wanted)) for line in lines if line.startswith(wanted))


@contextmanager
def guarded(folder: Path, environment: Mapping[str, str] | None = None) -> Iterator[World]:
    """A running world in this folder."""
    keys = folder / "issuer"
    keys.mkdir()
    key = Key(keys, "first")
    (keys / "jwks.json").write_text(jwks([key]))
    (folder / "node").mkdir()
    with ExitStack() as stack:
        legacy, portal = (stack.enter_context(StandIn(answer).running()) for answer in (echo, no_session))
        api = stack.enter_context(InvokeApi().running())
        assert isinstance(api, InvokeApi)
        given = {
            "LEGACY_PORT": str(legacy.port),
            "PORTAL_PORT": str(portal.port),
            "LAMBDA_PORT": str(api.port),
            "JWKS": str(keys / "jwks.json"),
            "CLAIMS_KEY": CLAIMS_KEY,
            **(environment or {}),
        }
        router = stack.enter_context(running_router(folder / "node", ESTATE, environment=given))
        yield World(router, legacy, portal, api, key, keys / "jwks.json")
        # A script that fails lets its request go on: none may.
        assert "[lua]" not in (folder / "node" / "logs" / "envoy.log").read_text()


def no_session(_seen: Seen) -> Reply:
    """What an application answers that knows no session: a redirection to its form."""
    return Reply(302, [("Location", "/login"), ("Set-Cookie", "SID=fresh")])


def claims_of(signed: str | None, key: str = CLAIMS_KEY) -> dict[str, Any]:
    """What signed claims say, after their signature was verified."""
    assert signed is not None
    text, _, signature = signed.rpartition(".")
    assert signature == base64url(hmac.digest(key.encode(), text.encode(), hashlib.sha256))
    header, payload = (json.loads(decoded(part)) for part in text.split("."))
    assert header == {"alg": "HS256", "typ": "JWT"}
    assert isinstance(payload, dict)
    return payload


def header_of(answer: Answer, name: str) -> str | None:
    """The header as legacy saw it, which answers with what it saw."""
    found = [value for key, value in answer.json()["headers"] if key.lower() == name]
    assert len(found) <= 1
    return found[0] if found else None

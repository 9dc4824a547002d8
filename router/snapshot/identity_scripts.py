"""The script that asks for scopes and roles and signs claims: one text, and before it what it knows of an identity."""

import math
import re

from ..estate import Claims, Identity, JwtIdentity, SessionIdentity
from .identity_files import claims_key
from .proto import Json
from .scripts import lua

_PLAIN = re.compile(rb"[^A-Za-z0-9 _.:/-]")
_LISTED = "%s,"  # between the words of a header


def script(identity: Identity) -> Json:
    """The identity's script: names and places stand in it, never a secret."""
    body = lua("hmac.lua", "claims.lua", "identities.lua", "authorize.lua")["inline_string"]
    return {"inline_string": f"local IDENTITY = {_literal(_facts(identity))}\n{body}"}


def _facts(identity: Identity) -> dict[str, object]:
    facts: dict[str, object] = {
        "name": identity.name,
        "scopes": identity.scopes_claim,
        "roles": identity.roles_claim,
        **(_signing(identity.name, identity.claims) if identity.claims else {}),
    }
    match identity:
        case JwtIdentity():
            return facts | {"of_scopes": " "}  # Source: RFC 8693, section 4.2. A text of roles is one role.
        case SessionIdentity():
            headers, claims = zip(*identity.claim_headers, strict=True)
            taken = dict.fromkeys((header.replace("_", "-") for header in headers), True)
            return facts | {"of_scopes": _LISTED, "of_roles": _LISTED, "headers": taken, "claims": list(claims)}


def _signing(name: str, claims: Claims) -> dict[str, object]:
    return {
        "issuer": f"fig:{name}",
        "key": claims_key(claims.key),
        "lifetime": max(1, math.ceil(claims.lifetime_seconds)),
    }


def _literal(value: object) -> str:
    """The value in Lua; what is not plain in a text is written by its number."""
    match value:
        case str():
            return '"' + _PLAIN.sub(lambda found: b"\\%03d" % found[0][0], value.encode()).decode() + '"'
        case list():
            return "{" + ", ".join(map(_literal, value)) + "}"
        case dict():
            return "{" + ", ".join(f"[{_literal(name)}] = {_literal(one)}" for name, one in value.items()) + "}"
        case bool():
            return str(value).lower()
        case _:
            return str(value)

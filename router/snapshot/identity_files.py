"""The files in a node's state directory that identities need: the compiler names them, the node and Envoy fill them.

Named by what they come from and not by the identity: another source must never be served from the old one's file.
"""

import hashlib

from ..estate import Estate, Identity, Jwks, JwtIdentity, SecretReference
from .proto import Json

FOLDER = "identities"
LIST = "identities.json"
"""The file of a snapshot that tells the node what its identities need."""
KEYS_SOCKET = f"{FOLDER}/keys.sock"
"""Where Envoy asks itself for the keys of token issuers."""


def needs(estate: Estate) -> Json:
    """What each identity needs of its node, by name: where things are and where they come from, never a secret."""
    return {one.name: {"key": _key(one), "keys": _keys(one)} for one in estate.identities}


def claims_key(reference: SecretReference) -> str:
    """The file with the key that signs claims, in hexadecimal digits: the node writes it, the script reads it."""
    return f"{FOLDER}/{_digest('key', reference.environment or '', reference.file or '')}.key"


def kept_keys(jwks: Jwks) -> str:
    """The file with the last good keys of a token issuer, which Envoy's script writes and reads."""
    tls = (jwks.tls.name, jwks.tls.ca_file or "") if jwks.tls else ()
    return f"{FOLDER}/{_digest('jwks', jwks.file or '', _url(jwks) or '', *tls)}.jwks"


def _key(identity: Identity) -> Json | None:
    if identity.claims is None:
        return None
    reference = identity.claims.key
    return {"path": claims_key(reference), "environment": reference.environment, "file": reference.file}


def _keys(identity: Identity) -> Json | None:
    if not isinstance(identity, JwtIdentity):
        return None
    return {"kept": kept_keys(identity.jwks), "file": identity.jwks.file, "url": _url(identity.jwks)}


def _url(jwks: Jwks) -> str | None:
    return f"https://{jwks.endpoint}{jwks.path}" if jwks.endpoint else None


def _digest(*parts: str) -> str:
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()[:16]

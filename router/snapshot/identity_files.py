"""The files in a node's state directory that identities need: the compiler names them, the node and Envoy fill them.

Named by what they come from and not by the identity: another source must never be served from the old one's file.
"""

import hashlib

from ..estate import Jwks, SecretReference

FOLDER = "identities"
KEYS_SOCKET = f"{FOLDER}/keys.sock"
"""Where Envoy asks itself for the keys of token issuers."""


def claims_key(reference: SecretReference) -> str:
    """The file with the key that signs claims, in hexadecimal digits: the node writes it, the script reads it."""
    return f"{FOLDER}/{_digest('environment', reference.environment or '', reference.file or '')}.key"


def kept_keys(jwks: Jwks) -> str:
    """The file with the last good keys of a token issuer, which Envoy's script writes and reads."""
    tls = (jwks.tls.name, jwks.tls.ca_file or "") if jwks.tls else ()
    return f"{FOLDER}/{_digest('jwks', jwks.file or '', str(jwks.endpoint or ''), jwks.path, *tls)}.jwks"


def _digest(*parts: str) -> str:
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()[:16]

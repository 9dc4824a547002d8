"""The estate: all that exists, as frozen values. Every later stage takes these and may trust them.

`source` builds them from text, `check` judges them, `snapshot` compiles them. A value here is possible by construction;
whether it is wise is `check`'s business. The names of all modules are the package's: nobody outside needs to know where
one stands.
"""

from .addresses import Endpoint, Health, Tls
from .candidates import Candidate, FunctionArn, HttpUpstream, LambdaFunction
from .entry import ClientAddress, Entry, EntryTls, Paths, ProxyProtocol
from .identities import Authorize, Claims, Identity, Jwks, JwtIdentity, SecretReference, SessionIdentity
from .legacy import Affinity, AffinityKind, Connections, LegacyService, Protect, Protocol
from .routes import Cohort, Limit, LimitBy, Match, PathKind, PathMatch, Rewrite, Route, Sticky, StickyKind, WithoutKey
from .whole import Estate, Telemetry

__all__ = [
    "Affinity",
    "AffinityKind",
    "Authorize",
    "Candidate",
    "Claims",
    "ClientAddress",
    "Cohort",
    "Connections",
    "Endpoint",
    "Entry",
    "EntryTls",
    "Estate",
    "FunctionArn",
    "Health",
    "HttpUpstream",
    "Identity",
    "Jwks",
    "JwtIdentity",
    "LambdaFunction",
    "LegacyService",
    "Limit",
    "LimitBy",
    "Match",
    "PathKind",
    "PathMatch",
    "Paths",
    "Protect",
    "Protocol",
    "ProxyProtocol",
    "Rewrite",
    "Route",
    "SecretReference",
    "SessionIdentity",
    "Sticky",
    "StickyKind",
    "Telemetry",
    "Tls",
    "WithoutKey",
]

"""Logins that the company's proxy did already: the name in a header counts when the proxy itself sends it.

Whoever can reach the port could write the header, so it counts from the named networks alone, by the connection's own
address. Two of a header, or a role that is none, count as nobody.
"""

import hashlib
import hmac
import ipaddress
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from starlette.datastructures import Headers

from .sessions import Role, Session

Network = ipaddress.IPv4Network | ipaddress.IPv6Network
_MAX_NAME = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class ProxyLogin:
    """From whom a login counts, in which header, and who is an admin: those named, or whom `role_header` says."""

    header: str
    networks: Sequence[Network]
    admins: frozenset[str] = frozenset()
    role_header: str = ""

    def session(self, headers: Headers, peer: str, proof: Callable[[str], str]) -> Session | None:
        """The session of the user whom the proxy names; None when it is not the proxy, or names nobody."""
        names = headers.getlist(self.header)
        if not names or not self._is_proxy(peer):
            return None
        name = names[0].strip()
        role = self._role(name, headers)
        if len(names) > 1 or not name or len(name) > _MAX_NAME or role is None:
            return None
        return Session(role=role, until=float("inf"), csrf=proof(name), user=name)

    def _is_proxy(self, peer: str) -> bool:
        try:
            address = ipaddress.ip_address(peer)
        except ValueError:
            return False
        mapped = getattr(address, "ipv4_mapped", None)
        return any((mapped or address) in network for network in self.networks)

    def _role(self, name: str, headers: Headers) -> Role | None:
        if name in self.admins:
            return Role.ADMIN
        if not self.role_header:
            return Role.VIEWER
        said = [one.strip() for one in headers.getlist(self.role_header)]
        return next((role for role in Role if said == [role.value]), None)


def proof_of(secret: str) -> Callable[[str], str]:
    """The proof that a user's pages add to what changes something: the same as long as the process lives."""
    return lambda name: hmac.new(secret.encode(), b"proxy\0" + name.encode(), hashlib.sha256).hexdigest()

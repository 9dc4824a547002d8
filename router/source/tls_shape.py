"""The shape of TLS towards an upstream, and the rule that its certificate's name must be known."""

from collections.abc import Sequence

from pydantic import Field

from ..estate import Endpoint
from ..hosts import is_ip
from .fault import Fault
from .values import CHOICE, File, OneHost, Shape, refused


class TlsShape(Shape):
    """How an upstream proves who it is."""

    ca: File | None = Field(None, description="PEM file of the CAs to trust. Default: the system's.")
    name: OneHost | None = Field(None, description="The name its certificate must carry. Default: the endpoints' name.")


def needs_name(tls: TlsShape | None, endpoints: Sequence[Endpoint], host: str | None = None) -> None:
    """Refuse TLS whose certificate's name nobody can tell: several hosts, or addresses instead of a name."""
    if tls is None or tls.name or host:
        return
    hosts = {endpoint.host for endpoint in endpoints}
    if len(hosts) > 1 or any(is_ip(one) for one in hosts):
        reason = "the endpoints are addresses or several hosts"
        raise refused(
            Fault(CHOICE, f"tls needs a name, because {reason}", "write tls: name: with the certificate's name")
        )

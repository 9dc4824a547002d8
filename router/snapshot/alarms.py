"""Counters of what should never be seen, by legacy service: each one is a reason to change the estate."""

from strangler_fig.names import UPSTREAM_ATTRIBUTE

from . import counters
from .proto import Json

PREFIX = "fig.alarms"
UNBOUND_LOGIN = "login_on_pooled_connection"
"""An answer asked for NTLM or Negotiate, which log in a connection, and the service's connections are pooled: the next
user of that connection would be taken for the one who logged in."""

_STATUSES = {401: "www-authenticate", 407: "proxy-authenticate"}
_LOGS_IN_A_CONNECTION = r"(?i)(^|.*[,\\s])(ntlm|negotiate)([,\\s].*|$)"
_POOLED = "xds.upstream_host_metadata.filter_metadata['fig']['connections'] == 'pooled'"


def loggers() -> list[Json]:
    """The access loggers that count alarms. The status is compared first: all other requests cost that comparison."""
    return [_unbound_login(status, header) for status, header in _STATUSES.items()]


def _unbound_login(status: int, header: str) -> Json:
    asked = f"'{header}' in response.headers && response.headers['{header}'].matches('{_LOGS_IN_A_CONNECTION}')"
    tags = {UPSTREAM_ATTRIBUTE: "%UPSTREAM_METADATA(fig:service)%"}
    return counters.counting(
        PREFIX,
        [counters.counter(UNBOUND_LOGIN, tags)],
        only=counters.all_of([counters.status_is(status), counters.expression(f"{asked} && {_POOLED}")]),
    )

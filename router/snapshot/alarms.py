"""Counters of what should never be seen, by legacy service: each one is a reason to change the estate."""

from .proto import Json, extension

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
    expression = extension("access_loggers.filters.cel.v3.ExpressionFilter", expression=f"{asked} && {_POOLED}")
    value = {"default_value": status, "runtime_key": "fig.never_set"}
    conditions = [
        {"status_code_filter": {"comparison": {"op": "EQ", "value": value}}},
        {"extension_filter": {"name": "envoy.access_loggers.extension_filters.cel", "typed_config": expression}},
    ]
    tags = [{"name": "service", "value_format": "%UPSTREAM_METADATA(fig:service)%"}]
    return {
        "name": "envoy.access_loggers.stats",
        "filter": {"and_filter": {"filters": conditions}},
        "typed_config": extension(
            "access_loggers.stats.v3.Config",
            stat_prefix=PREFIX,
            counters=[{"stat": {"name": UNBOUND_LOGIN, "tags": tags}, "value_fixed": 1}],
        ),
    }

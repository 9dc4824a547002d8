"""Who the user is and what a route asks of him: 401 and 403 are answered before any upstream is touched.

Each identity has a filter that proves it, off unless a route turns it on: `jwt_authn` for tokens, `ext_authz` for
sessions, both of which refuse when in doubt. `authorize.lua` behind them asks for scopes and roles and signs the
claims. The guard is the last: it lets pass what that script marked, so that a script that fails, or a listener that a
newer route table does not fit, refuses. A route's part is small: two switches and a script's name.
"""

from ..estate import Estate, Identity, JwtIdentity, LegacyService, Route, SessionIdentity
from . import identity_sessions, identity_tokens
from .identity_scripts import script
from .proto import Json, api_type, extension

PREFIX = "identity."
AUTHORIZE, GUARD = "authorize", "guard"
_STAT_PREFIX = "fig.identities"
_ON = api_type("envoy.config.route.v3.FilterConfig", config={})
_REFUSALS = (401, 403, 503)
_REFUSED_HERE = r"^(jwt_authn_|ext_authz_|rbac_|lua_response)"


def filters(estate: Estate) -> list[Json]:
    """The entry's filters that verify identities, ask for scopes and roles, and sign claims.

    The guard is there without identities too: an estate that gets its first one must not find a listener without it.
    """
    found = [_off(f"{PREFIX}{one.name}", _proof(one, estate)) for one in estate.identities]
    if estate.identities:
        scripts = {one.name: script(one) for one in estate.identities}
        # The route stays as it is: the side was drawn from the client's headers.
        authorize = extension("filters.http.lua.v3.Lua", source_codes=scripts, clear_route_cache=False)
        found.append(_off(AUTHORIZE, authorize))
    return [*found, _off(GUARD, _guard())]


def per_route(route: Route) -> Json:
    """What those filters do on a route, by filter name."""
    asked = route.authorize
    if asked is None:
        return {}
    words = {"scopes": " ".join(asked.scopes), "roles": " ".join(asked.roles)}
    context = {name: value for name, value in words.items() if value}
    asks = extension("filters.http.lua.v3.LuaPerRoute", name=asked.identity, filter_context=context)
    return {f"{PREFIX}{asked.identity}": _ON, AUTHORIZE: asks, GUARD: _ON}


def clusters(estate: Estate) -> list[Json]:
    """The clusters that those filters ask."""
    return [*identity_tokens.clusters(_tokens(estate)), *identity_sessions.clusters(_sessions(estate))]


def asks(estate: Estate, service: LegacyService) -> bool:
    """Whether a legacy service is asked about sessions."""
    return any(one.service == service.name for one in _sessions(estate))


def listeners(estate: Estate) -> list[Json]:
    """The listeners, within this host, that those filters ask."""
    return [*identity_tokens.listeners(_tokens(estate)), *identity_sessions.listeners(_sessions(estate), estate)]


def loggers(estate: Estate) -> list[Json]:
    """The access loggers that count what identities refused, by route; an application's own are no part of it."""
    if not estate.identities:
        return []
    statuses = [_status_is(status) for status in _REFUSALS]
    here = f"response.code_details.matches('{_REFUSED_HERE}')"
    cel = extension("access_loggers.filters.cel.v3.ExpressionFilter", expression=here)
    conditions = [
        {"or_filter": {"filters": statuses}},
        {"extension_filter": {"name": "envoy.access_loggers.extension_filters.cel", "typed_config": cel}},
    ]
    tags = {"route": "%ROUTE_NAME%", "status": "%RESPONSE_CODE%"}
    named = [{"name": name, "value_format": value} for name, value in tags.items()]
    refused = extension(
        "access_loggers.stats.v3.Config",
        stat_prefix=_STAT_PREFIX,
        counters=[{"stat": {"name": "refused", "tags": named}, "value_fixed": 1}],
    )
    return [
        {
            "name": "envoy.access_loggers.stats",
            "filter": {"and_filter": {"filters": conditions}},
            "typed_config": refused,
        }
    ]


def reply_mappers(estate: Estate) -> list[Json]:
    """What a client is told where it is not his token that is wrong: 503, so that nobody is signed out for nothing."""
    text = {"inline_string": "The service could not answer.\n"}
    return [
        {"filter": condition, "status_code": 503, "body": text}
        for condition in (*(identity_tokens.lacks_keys() if _tokens(estate) else ()), _stopped_by_guard())
    ]


def _tokens(estate: Estate) -> list[JwtIdentity]:
    return [one for one in estate.identities if isinstance(one, JwtIdentity)]


def _sessions(estate: Estate) -> list[SessionIdentity]:
    return [one for one in estate.identities if isinstance(one, SessionIdentity)]


def _off(name: str, config: Json) -> Json:
    return {"name": name, "disabled": True, "typed_config": config}


def _proof(identity: Identity, estate: Estate) -> Json:
    match identity:
        case JwtIdentity():
            return identity_tokens.proof(identity)
        case SessionIdentity():
            return identity_sessions.proof(identity, estate)


def _guard() -> Json:
    allowed = {
        "filter": "fig.identity",
        "path": [{"key": "allowed"}],
        "value": {"bool_match": True},
    }
    policy = {"permissions": [{"any": True}], "principals": [{"sourced_metadata": {"metadata_matcher": allowed}}]}
    return extension("filters.http.rbac.v3.RBAC", rules={"action": "ALLOW", "policies": {"allowed": policy}})


def _stopped_by_guard() -> Json:
    cel = extension(
        "access_loggers.filters.cel.v3.ExpressionFilter", expression="response.code_details.startsWith('rbac_')"
    )
    return {"extension_filter": {"name": "envoy.access_loggers.extension_filters.cel", "typed_config": cel}}


def _status_is(status: int) -> Json:
    value = {"default_value": status, "runtime_key": "fig.never_set"}
    return {"status_code_filter": {"comparison": {"op": "EQ", "value": value}}}

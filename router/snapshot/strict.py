"""Requests that two servers may read differently are refused, and no client speaks in the router's name.

Envoy's parser refuses most of what smuggles requests. This is the rest: what it would join, or pass on to an
application that reads it as something else.
"""

from strangler_fig.names import HEADER_PREFIX

from .proto import Json, api_type, extension

# Applications behind CGI or WSGI take an underscore for a hyphen.
_UNDERSCORED = ("x_fig_", "x_fig-", "x-fig_")
_FRAMING = ("transfer_encoding", "content_length")


def inbound_headers() -> list[Json]:
    """The changes of headers before a route is chosen: what an application may take for ours, or for a body's end."""
    return [*_without(*_UNDERSCORED), *({"remove": name} for name in _FRAMING)]


def filters() -> list[Json]:
    """The filter that takes our names out of trailers, too, which some applications take for headers."""
    removed = {"request_trailers_mutations": _without(HEADER_PREFIX, *_UNDERSCORED)}
    mutation = extension("filters.http.header_mutation.v3.HeaderMutation", mutations=removed)
    return [{"name": "trailers", "typed_config": mutation}]


def step() -> Json:
    """The first step of every virtual host's matcher: several Host headers, which reach it joined by commas, are 400.

    So is a Host with a user in it, which some read as the name of the host.
    """
    odd = [_header(":authority", {"contains": sign}) for sign in (",", "@")]
    answer = {"status": 400, "body": {"inline_string": "The host is ambiguous.\n"}}
    route = api_type("envoy.config.route.v3.Route", name="odd-host", match={"prefix": ""}, direct_response=answer)
    refused = {"action": {"name": "odd-host", "typed_config": route}}
    return {"predicate": {"or_matcher": {"predicate": odd}}, "on_match": refused}


def _without(*prefixes: str) -> list[Json]:
    return [{"remove_on_match": {"key_matcher": {"prefix": prefix}}} for prefix in prefixes]


def _header(name: str, value: Json) -> Json:
    config = api_type("envoy.type.matcher.v3.HttpRequestHeaderMatchInput", header_name=name)
    return {"single_predicate": {"input": {"name": name, "typed_config": config}, "value_match": value}}

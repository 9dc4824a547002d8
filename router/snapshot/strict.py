"""Requests that two servers may read differently are refused, and no client speaks in the router's name.

Envoy's parser refuses most of what smuggles requests. This is the rest: what it would join, or pass on to an
application that reads it as something else.
"""

from strangler_fig.names import HEADER_PREFIX

from ..estate import Entry
from .proto import Json, api_type, extension

# Applications behind CGI or WSGI take an underscore for a hyphen.
_UNDERSCORED = ("x_fig_", "x_fig-", "x-fig_")
_FRAMING = ("transfer_encoding", "content_length")
_MOST_ADDRESSES = 20  # measured on Envoy 1.40.0; when a route is chosen the peer's own address is one more


def inbound_headers() -> list[Json]:
    """The changes of headers before a route is chosen: what an application may take for ours, or for a body's end."""
    return [*_without(*_UNDERSCORED), *({"remove": name} for name in _FRAMING)]


def filters() -> list[Json]:
    """The filter that takes our names out of trailers, too, which some applications take for headers."""
    removed = {"request_trailers_mutations": _without(HEADER_PREFIX, *_UNDERSCORED)}
    mutation = extension("filters.http.header_mutation.v3.HeaderMutation", mutations=removed)
    return [{"name": "trailers", "typed_config": mutation}]


def steps(entry: Entry) -> list[Json]:
    """The first steps of every virtual host's matcher, all of which answer 400.

    Several Host headers reach it joined by commas; a user in front of a host is a name to some. Where proxies are told
    by their ranges Envoy believes no longer list than of 20 addresses: whoever sends more would pass for the VIP.
    """
    odd = [_header(":authority", {"contains": sign}) for sign in (",", "@")]
    found = [_refused("odd-host", {"or_matcher": {"predicate": odd}}, "The host is ambiguous.")]
    if entry.client_address is not None and entry.client_address.trusted:
        many = {"safe_regex": {"google_re2": {}, "regex": rf"([^,]*,){{{_MOST_ADDRESSES + 1}}}.*"}}
        found.append(_refused("long-way", _header("x-forwarded-for", many), "X-Forwarded-For names too many proxies."))
    return found


def _refused(name: str, predicate: Json, why: str) -> Json:
    answer = {"status": 400, "body": {"inline_string": f"{why}\n"}}
    route = api_type("envoy.config.route.v3.Route", name=name, match={"prefix": ""}, direct_response=answer)
    return {"predicate": predicate, "on_match": {"action": {"name": name, "typed_config": route}}}


def _without(*prefixes: str) -> list[Json]:
    return [{"remove_on_match": {"key_matcher": {"prefix": prefix}}} for prefix in prefixes]


def _header(name: str, value: Json) -> Json:
    config = api_type("envoy.type.matcher.v3.HttpRequestHeaderMatchInput", header_name=name)
    return {"single_predicate": {"input": {"name": name, "typed_config": config}, "value_match": value}}

"""The inner hop: two internal listeners that call candidates, classify what came back, and mark it.

One calls functions, one plain HTTP upstreams; which candidate is meant says the header that the entry sets, so that a
hundred functions cost one set of scripts and not a hundred. The outer hop keeps the original request, so that legacy
can answer it; it has one retry policy, on the mark that is set here. For functions the order is answer.lua,
aws_lambda, call.lua: the first sees the decoded answer, the last the call.
"""

from collections.abc import Sequence

import orjson

from strangler_fig.names import HOST_HEADER, REASON_ATTRIBUTE, UPSTREAM_ATTRIBUTE

from ..estate import Candidate, Entry, Estate, HttpUpstream, LambdaFunction
from . import access_log, counters, faults, names
from .clusters import INNER_BUFFER_BYTES
from .connections import ONE_STREAM_FAILS
from .entries import ANY, ONLY_HEADER
from .match_tree import action
from .paths import AS_IS_HEADER, ODD_PATH
from .proto import MAX_HEADERS, Json, api_type, extension, headers, seconds
from .scripts import lua

MAX_TEXT_BODY_BYTES = 6_000_000
MAX_BINARY_BODY_BYTES = 4_500_000
"""Bodies above these do not survive the event: Lambda takes 6 MiB, base64 adds a third.

Source: Lambda quotas, November 2026.
"""

_TEXT = r"text/.*|application/(json|xml|javascript)"  # what aws_lambda does not base64-encode; measured on Envoy 1.40.0
_IS_TEXT = {"name": "content-type", "string_match": {"safe_regex": {"regex": _TEXT}}}
_MOST_HEADER_KB = 8192  # Envoy's own bound
# Nothing that was written may go again: an invocation is a POST, whatever its client asked for.
_NEVER_WRITTEN = {"retry_on": "reset-before-request,refused-stream", "num_retries": 1}
_NOT_RUN_FLAGS = {
    "UF": "unreachable",
    "UO": "overflow",
    "NC": "unreachable",
    "UH": "unreachable",
    "NR": "unreachable",  # for an instant while the entry's routes are newer than these
}
INNER = (names.INNER_FUNCTIONS, names.INNER_UPSTREAMS)
_WHOLE_HEADER = "x-fig-whole"  # set by user.lua on a route whose whole traffic goes to Lambda
_LEFT_TO_LEGACY = {400: "odd_path", 421: "preflight"}


def inner_listeners(estate: Estate) -> list[Json]:
    """The internal listeners of all candidates: one of functions, one of HTTP upstreams, where there are any."""
    functions = [one for one in estate.candidates if isinstance(one, LambdaFunction)]
    upstreams = [one for one in estate.candidates if isinstance(one, HttpUpstream)]
    kinds: tuple[tuple[str, Sequence[Candidate]], ...] = (
        (names.INNER_FUNCTIONS, functions),
        (names.INNER_UPSTREAMS, upstreams),
    )
    return [_listener(name, found, estate.entry) for name, found in kinds if found]


def merged(old: Json, new: Json) -> Json:
    """The new inner listener with the candidates that only the old one calls: what serves while routes change."""
    before, after = _calls(old), _calls(new)
    leaving = {name: call for name, call in before.items() if name not in after}
    if not leaving:
        return new
    copy: Json = orjson.loads(orjson.dumps(new))
    _calls(copy).update(leaving)
    return copy


def _calls(listener: Json) -> dict[str, Json]:
    manager = listener["filter_chains"][0]["filters"][-1]["typed_config"]
    found: dict[str, Json] = manager["route_config"]["virtual_hosts"][0]["matcher"]["matcher_tree"]["exact_match_map"][
        "map"
    ]
    return found


def _listener(name: str, candidates: Sequence[Candidate], entry: Entry) -> Json:
    manager = extension(
        "filters.network.http_connection_manager.v3.HttpConnectionManager",
        stat_prefix=name,
        codec_type="HTTP2",
        http2_protocol_options=ONE_STREAM_FAILS,
        generate_request_id=False,
        # Whatever the entry lets in must pass here too, with the headers that the router adds.
        max_request_headers_kb=min(_MOST_HEADER_KB, entry.max_header_bytes // 1024 + 16),
        common_http_protocol_options={"max_headers_count": MAX_HEADERS + 50},
        server_header_transformation="PASS_THROUGH",
        skip_xff_append=True,
        stream_idle_timeout="0s",
        early_header_mutation_extensions=[_event_headers()],
        http_filters=_filters(candidates[0]),
        local_reply_config=_local_replies(),
        access_log=[_outcome_counter(), faults.call_counter(), access_log.limited_call_counter()],
        route_config={"name": name, "virtual_hosts": [_virtual_host(name, candidates)]},
    )
    return {
        "name": name,
        "internal_listener": {},
        "per_connection_buffer_limit_bytes": INNER_BUFFER_BYTES,
        "filter_chains": [
            {"filters": [{"name": "envoy.filters.network.http_connection_manager", "typed_config": manager}]}
        ],
    }


def _virtual_host(name: str, candidates: Sequence[Candidate]) -> Json:
    chosen = api_type("envoy.type.matcher.v3.HttpRequestHeaderMatchInput", header_name=names.CANDIDATE_HEADER)
    calls = {one.name: action(one.name, [_named(one, route) for route in _routes(one)]) for one in candidates}
    tree = {"input": {"name": "candidate", "typed_config": chosen}, "exact_match_map": {"map": calls}}
    return {"name": name, "domains": ["*"], "matcher": {"matcher_tree": tree}, "retry_policy": _NEVER_WRITTEN}


def _named(candidate: Candidate, route: Json) -> Json:
    return {"name": candidate.name, **route}


def _filters(candidate: Candidate) -> list[Json]:
    answer = _script("hash.lua", "answer.lua")
    router = extension("filters.http.router.v3.Router", suppress_envoy_headers=True)
    match candidate:
        case LambdaFunction():
            invoke = extension("filters.http.aws_lambda.v3.Config", **_invocation(candidate))
            size = extension("filters.http.body_size_limit.v3.BodySizeLimit", max_request_bytes=MAX_TEXT_BODY_BYTES)
            middle = [
                {"name": "envoy.filters.http.body_size_limit", "typed_config": size},  # bodies of unknown length
                {"name": "envoy.filters.http.aws_lambda", "typed_config": invoke},
                {"name": "call", "typed_config": _script("call.lua")},
            ]
        case HttpUpstream():
            middle = [{"name": "call", "typed_config": _script("http_call.lua")}]
    return [
        {"name": "answer", "typed_config": answer},
        *middle,
        {"name": "envoy.filters.http.router", "typed_config": router},
    ]


def _invocation(function: LambdaFunction) -> Json:
    return {
        "arn": function.arn.text,
        "host_rewrite": function.host,
        # Only these are signed, so that call.lua may remove the client's own headers after the signature.
        "match_included_headers": [{"exact": "host"}, {"exact": "content-type"}, {"prefix": "x-amz-"}],
    }


def _script(*files: str) -> Json:
    # The route is chosen once, from the client's headers: without x-forwarded-proto Envoy would find none.
    return extension("filters.http.lua.v3.Lua", default_source_code=lua(*files), clear_route_cache=False)


def _event_headers() -> Json:
    mutations: list[Json] = [
        {"remove_on_match": {"key_matcher": {"prefix": prefix}}} for prefix in ("x-amz-", "x-amzn-")
    ]
    mutations += [{"append": one} for one in headers({HOST_HEADER: "%REQ(:AUTHORITY)%"})]  # the event has no host
    return {
        "name": "envoy.http.early_header_mutation.header_mutation",
        "typed_config": extension("http.early_header_mutation.header_mutation.v3.HeaderMutation", mutations=mutations),
    }


def _local_replies() -> Json:
    mappers = [
        _outcome({"response_flag_filter": {"flags": [flag]}}, f"not_run {reason}")
        for flag, reason in _NOT_RUN_FLAGS.items()
    ]
    mappers += [_outcome(counters.status_is(status), f"not_run {reason}") for status, reason in _LEFT_TO_LEGACY.items()]
    mappers.append(_outcome(counters.status_is(413), "not_run too_large"))
    mappers.append(_outcome(counters.status_is(415), "not_run unsupported_body"))
    mappers.append(_outcome(counters.status_is(504), "failed timeout"))
    mappers.append(_outcome(counters.status_is(500, "GE"), "failed broken_connection"))
    return {"mappers": mappers}


def _outcome(condition: Json, outcome: str) -> Json:
    return {"filter": condition, "headers_to_add": [{"header": {"key": "x-fig-outcome", "value": outcome}}]}


def _routes(candidate: Candidate) -> list[Json]:
    """What is done with a request for the candidate, in this order: left to legacy, refused for its body, called."""
    call: Json = {
        "cluster": names.upstream_cluster(candidate.name),
        "timeout": seconds(candidate.timeout_seconds),
    }
    if isinstance(candidate, HttpUpstream):
        if candidate.host:
            call["host_rewrite_literal"] = candidate.host
        return [*_left_to_legacy(), {"match": {"prefix": "/"}, "route": call}]
    per_route = extension("filters.http.aws_lambda.v3.PerRouteConfig", invoke_config=_invocation(candidate))
    return [
        *_left_to_legacy(),
        _refused(413, [_longer_than(MAX_TEXT_BODY_BYTES)]),
        _refused(413, [_longer_than(MAX_BINARY_BODY_BYTES), {**_IS_TEXT, "invert_match": True}]),
        # aws_lambda writes text into the event as UTF-8 and puts a space for each byte that is none: measured.
        _refused(415, [_IS_TEXT, {"name": "content-encoding", "present_match": True}]),
        _refused(415, [_IS_TEXT, _content_type("charset="), {**_content_type("utf-8"), "invert_match": True}]),
        {
            "match": {"prefix": "/"},
            "route": call,
            "typed_per_filter_config": {"envoy.filters.http.aws_lambda": per_route},
        },
    ]


def _left_to_legacy() -> list[Json]:
    """Requests that legacy answers although Lambda was drawn, as if the function had declined them."""
    has_legacy = _absent(ONLY_HEADER)
    method = {"name": ":method", "string_match": {"exact": "OPTIONS"}}
    asks = [{"name": name, "present_match": True} for name in ("origin", "access-control-request-method")]
    return [
        _refused(400, [_absent(AS_IS_HEADER)], {"safe_regex": {"regex": ODD_PATH}}),
        _refused(421, [method, *asks, has_legacy, _absent(_WHOLE_HEADER)]),
    ]


def _absent(name: str) -> Json:
    return {"name": name, "present_match": False}


def _longer_than(size: int) -> Json:
    return {"name": "content-length", "range_match": {"start": size + 1, "end": 2**62}}


def _content_type(part: str) -> Json:
    return {"name": "content-type", "string_match": {"contains": part, "ignore_case": True}}


def _refused(status: int, conditions: list[Json], path: Json = ANY) -> Json:
    """Requests that must not be asked: decided on the headers, before the body is read or Lambda called."""
    return {"match": {**path, "headers": conditions}, "direct_response": {"status": status}}


def _outcome_counter() -> Json:
    tags = {
        UPSTREAM_ATTRIBUTE: "%ROUTE_NAME%",
        "fig.outcome": "%DYNAMIC_METADATA(fig:answer:outcome)%",
        REASON_ATTRIBUTE: "%DYNAMIC_METADATA(fig:answer:reason)%",
        "faas.version": "%DYNAMIC_METADATA(fig:answer:version)%",
    }
    return counters.counting("fig.calls", [counters.counter("outcomes", tags)])

"""The inner hop of a candidate: an internal listener that calls it, classifies what came back, and marks it.

The outer hop keeps the original request, so that legacy can answer it; it has one retry policy, on the mark that is
set here. For a function the order is answer.lua, aws_lambda, call.lua: the first sees the decoded answer, the last
the call.
"""

from importlib import resources

from strangler_fig.names import HOST_HEADER

from ..estate import Candidate, Entry, HttpUpstream, LambdaFunction
from . import names
from .clusters import INNER_BUFFER_BYTES
from .proto import MAX_HEADERS, Json, extension, headers, seconds

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
_NOT_RUN_FLAGS = {"UF": "unreachable", "UO": "overflow", "NC": "unreachable", "UH": "unreachable"}


def candidate_listener(candidate: Candidate, entry: Entry) -> Json:
    """The internal listener of one candidate."""
    name = names.inner_listener(candidate.name)
    manager = extension(
        "filters.network.http_connection_manager.v3.HttpConnectionManager",
        stat_prefix=name,
        codec_type="HTTP2",
        generate_request_id=False,
        # Whatever the entry lets in must pass here too, with the headers that the router adds.
        max_request_headers_kb=min(_MOST_HEADER_KB, entry.max_header_bytes // 1024 + 16),
        common_http_protocol_options={"max_headers_count": MAX_HEADERS + 50},
        server_header_transformation="PASS_THROUGH",
        skip_xff_append=True,
        stream_idle_timeout="0s",
        early_header_mutation_extensions=[_event_headers()],
        http_filters=_filters(candidate),
        local_reply_config=_local_replies(),
        access_log=[_outcome_counter(candidate)],
        route_config={
            "name": name,
            "virtual_hosts": [
                {"name": name, "domains": ["*"], "routes": _routes(candidate), "retry_policy": _NEVER_WRITTEN}
            ],
        },
    )
    return {
        "name": name,
        "internal_listener": {},
        "per_connection_buffer_limit_bytes": INNER_BUFFER_BYTES,
        "filter_chains": [
            {"filters": [{"name": "envoy.filters.network.http_connection_manager", "typed_config": manager}]}
        ],
    }


def lua(*files: str) -> Json:
    """A Lua filter's source, from the files beside this module."""
    folder = resources.files(__package__) / "lua"
    return {"inline_string": "\n".join((folder / file).read_text("utf-8") for file in files)}


def _filters(candidate: Candidate) -> list[Json]:
    answer = _script("answer.lua")
    router = extension("filters.http.router.v3.Router", suppress_envoy_headers=True)
    match candidate:
        case LambdaFunction():
            invoke = extension(
                "filters.http.aws_lambda.v3.Config",
                arn=candidate.arn.text,
                host_rewrite=candidate.host,
                # Only these are signed, so that call.lua may remove the client's own headers after the signature.
                match_included_headers=[{"exact": "host"}, {"exact": "content-type"}, {"prefix": "x-amz-"}],
            )
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


def _script(file: str) -> Json:
    # The route is chosen once, from the client's headers: without x-forwarded-proto Envoy would find none.
    return extension("filters.http.lua.v3.Lua", default_source_code=lua(file), clear_route_cache=False)


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
    mappers.append(_outcome(_status_is(413), "not_run too_large"))
    mappers.append(_outcome(_status_is(415), "not_run unsupported_body"))
    mappers.append(_outcome(_status_is(504), "failed timeout"))
    mappers.append(_outcome(_status_is(500, "GE"), "failed broken_connection"))
    return {"mappers": mappers}


def _outcome(condition: Json, outcome: str) -> Json:
    return {"filter": condition, "headers_to_add": [{"header": {"key": "x-fig-outcome", "value": outcome}}]}


def _status_is(status: int, comparison: str = "EQ") -> Json:
    value = {"default_value": status, "runtime_key": "fig.never_set"}
    return {"status_code_filter": {"comparison": {"op": comparison, "value": value}}}


def _routes(candidate: Candidate) -> list[Json]:
    action: Json = {
        "cluster": names.upstream_cluster(candidate.name),
        "timeout": seconds(candidate.timeout_seconds),
    }
    if isinstance(candidate, HttpUpstream):
        if candidate.host:
            action["host_rewrite_literal"] = candidate.host
        return [{"match": {"prefix": "/"}, "route": action}]
    return [
        _refused(413, [_longer_than(MAX_TEXT_BODY_BYTES)]),
        _refused(413, [_longer_than(MAX_BINARY_BODY_BYTES), {**_IS_TEXT, "invert_match": True}]),
        # aws_lambda writes text into the event as UTF-8 and puts a space for each byte that is none: measured.
        _refused(415, [_IS_TEXT, {"name": "content-encoding", "present_match": True}]),
        _refused(415, [_IS_TEXT, _content_type("charset="), {**_content_type("utf-8"), "invert_match": True}]),
        {"match": {"prefix": "/"}, "route": action},
    ]


def _longer_than(size: int) -> Json:
    return {"name": "content-length", "range_match": {"start": size + 1, "end": 2**62}}


def _content_type(part: str) -> Json:
    return {"name": "content-type", "string_match": {"contains": part, "ignore_case": True}}


def _refused(status: int, conditions: list[Json]) -> Json:
    """Requests that could not survive the event: decided on the headers, before the body is read or Lambda asked."""
    return {"match": {"prefix": "/", "headers": conditions}, "direct_response": {"status": status}}


def _outcome_counter(candidate: Candidate) -> Json:
    tags = [
        {"name": "candidate", "value_format": candidate.name},
        {"name": "outcome", "value_format": "%DYNAMIC_METADATA(fig:answer:outcome)%"},
        {"name": "reason", "value_format": "%DYNAMIC_METADATA(fig:answer:reason)%"},
        {"name": "version", "value_format": "%DYNAMIC_METADATA(fig:answer:version)%"},
    ]
    return {
        "name": "envoy.access_loggers.stats",
        "typed_config": extension(
            "access_loggers.stats.v3.Config",
            stat_prefix="fig.calls",
            counters=[{"stat": {"name": "outcomes", "tags": tags}, "value_fixed": 1}],
        ),
    }

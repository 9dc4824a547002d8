"""No request goes round for ever: passes through routers are counted, calls that come back from functions go to legacy.

Both headers must outlive the removal of inbound `x-fig-*`. The count may: a forged one can only shorten its own
sender's way. The origin may, because routes believe it together with the client's address, and no upstream sees it.
"""

from strangler_fig.names import HEADER_PREFIX, HOPS_HEADER, ORIGIN_HEADER, ORIGIN_LAMBDA

from ..estate import Entry
from . import strict
from .entries import CLIENT_ADDRESS_HEADER
from .proto import Json, address_range, api_type, extension, headers

_KEPT = {HOPS_HEADER: "fig-kept-hops", ORIGIN_HEADER: "fig-kept-origin"}
_HOP = "1"


def inbound_headers(entry: Entry) -> list[Json]:
    """The changes of headers before a route is chosen: ours are removed, the count of passes grows by one."""
    kept = {HOPS_HEADER: _KEPT[HOPS_HEADER]} | ({ORIGIN_HEADER: _KEPT[ORIGIN_HEADER]} if entry.proxies else {})
    return [
        # A header that is named like ours but for its prefix may be forged just as well: what counts is what is read.
        *_set({away: f"%REQ({name})%" for name, away in kept.items()}),
        {"remove_on_match": {"key_matcher": {"prefix": HEADER_PREFIX}}},
        *_set({name: f"%REQ({away})%{_HOP if name == HOPS_HEADER else ''}" for name, away in kept.items()}),
        *({"remove": away} for away in kept.values()),
    ]


def guarded(entry: Entry, tree: Json, called_back: Json | None) -> Json:
    """The tree of a virtual host behind what is refused and what ends loops.

    What passed routers too often is answered 508. What a function calls back is matched by `called_back`, where there
    is any: functions are the clients of these requests, as X-Forwarded-For and the PROXY protocol say it.
    """
    steps = [*strict.steps(entry), {"predicate": _often(entry), "on_match": {"action": _loop_detected(entry)}}]
    if called_back is not None and entry.proxies:
        steps.append({"predicate": _called_back(entry), "on_match": {"matcher": called_back}})
    return {"matcher_list": {"matchers": steps}, "on_no_match": {"matcher": tree}}


def _often(entry: Entry) -> Json:
    # Contained, not equal: whatever a client put before the ones, they grow by one with each pass.
    return _header(HOPS_HEADER, {"contains": _HOP * (entry.max_hops + 1)})


def _loop_detected(entry: Entry) -> Json:
    text = f"This request passed a router more than {entry.max_hops} times: an upstream sends it back.\n"
    answer = {"status": 508, "body": {"inline_string": text}}
    route = api_type("envoy.config.route.v3.Route", name="hop-limit", match={"prefix": ""}, direct_response=answer)
    return {"name": "hop-limit", "typed_config": route}


def _called_back(entry: Entry) -> Json:
    ranges = extension(
        "matching.input_matchers.ip.v3.Ip",
        stat_prefix="proxies",
        cidr_ranges=[address_range(one) for one in entry.proxies],
    )
    # Not Envoy's own source address input: in a route table it has no value, and the whole tree answers 404 (1.40.0).
    client = _request_header(CLIENT_ADDRESS_HEADER)
    stands = {"single_predicate": {"input": client, "custom_match": {"name": "ranges", "typed_config": ranges}}}
    return {"and_matcher": {"predicate": [_header(ORIGIN_HEADER, {"exact": ORIGIN_LAMBDA}), stands]}}


def _header(name: str, value: Json) -> Json:
    return {"single_predicate": {"input": _request_header(name), "value_match": value}}


def _request_header(name: str) -> Json:
    config = api_type("envoy.type.matcher.v3.HttpRequestHeaderMatchInput", header_name=name)
    return {"name": name, "typed_config": config}


def _set(values: dict[str, str]) -> list[Json]:
    return [{"append": one} for one in headers(values)]

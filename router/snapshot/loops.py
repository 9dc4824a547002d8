"""No request goes round for ever: passes through routers are counted, calls that come back from functions go to legacy.

Both headers must outlive the removal of inbound `x-fig-*`. The count may: a forged one can only shorten its own
sender's way. The origin may, because routes believe it together with the client's address, and no upstream sees it.
"""

from strangler_fig.names import HEADER_PREFIX, HOPS_HEADER, ORIGIN_HEADER, ORIGIN_LAMBDA

from ..estate import Entry
from .proto import Json, extension, headers

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


def hop_limit_entry(entry: Entry) -> Json:
    """The route entry, for the head of the table, that answers what has passed routers too often."""
    # Contained, not equal: whatever a client put before the ones, they grow by one with each pass.
    often = {"name": HOPS_HEADER, "string_match": {"contains": _HOP * (entry.max_hops + 1)}}
    text = f"This request passed a router more than {entry.max_hops} times: an upstream sends it back.\n"
    answer = {"status": 508, "body": {"inline_string": text}}
    return {"name": "hop-limit", "match": {"prefix": "/", "headers": [often]}, "direct_response": answer}


def comes_back(entry: Entry) -> Json | None:
    """The matcher predicate for calls that come back from a function; None when the estate names no proxies.

    The client's address is the one after X-Forwarded-For and the PROXY protocol were evaluated, so the header is
    believed wherever the proxies stand. Whoever uses this removes `ORIGIN_HEADER` from what goes to upstreams.
    """
    if not entry.proxies:
        return None
    says = {
        "input": _input("x-fig-origin", "envoy.type.matcher.v3.HttpRequestHeaderMatchInput", header_name=ORIGIN_HEADER),
        "value_match": {"exact": ORIGIN_LAMBDA},
    }
    address = _input("address", "envoy.extensions.matching.common_inputs.network.v3.SourceIPInput")
    ranges = extension(
        "matching.input_matchers.ip.v3.Ip", stat_prefix="proxies", cidr_ranges=[_range(one) for one in entry.proxies]
    )
    stands = {"input": address, "custom_match": {"name": "ranges", "typed_config": ranges}}
    return {"and_matcher": {"predicate": [{"single_predicate": says}, {"single_predicate": stands}]}}


def _set(values: dict[str, str]) -> list[Json]:
    return [{"append": one} for one in headers(values)]


def _input(name: str, kind: str, **fields: str) -> Json:
    return {"name": name, "typed_config": {"@type": f"type.googleapis.com/{kind}", **fields}}


def _range(text: str) -> Json:
    address, _, length = text.partition("/")
    whole = 128 if ":" in address else 32
    return {"address_prefix": address, "prefix_len": int(length) if length else whole}

"""Access loggers that count: Envoy's own counters and histograms, with tags taken from each request.

A tag is named as the attribute that telemetry knows the thing by, so that a metric needs no translation.
"""

from collections.abc import Mapping, Sequence

from .proto import Json, extension

Tags = Mapping[str, str]
MOST_COUNTERS = 2_000
EVICTION_SECONDS = 600
"""How often counters that nothing was added to are forgotten."""


def counter(name: str, tags: Tags) -> Json:
    """A counter that grows by one with each request that its logger is told of."""
    return {"stat": _stat(name, tags), "value_fixed": 1}


def total(name: str, tags: Tags, value: str) -> Json:
    """A counter that grows by a number that the request has: `value` is its format."""
    return {"stat": _stat(name, tags), "value_format": value}


def milliseconds(name: str, tags: Tags) -> Json:
    """A histogram of how long the requests took that its logger is told of."""
    return {"stat": _stat(name, tags), "unit": "Milliseconds", "value_format": "%DURATION%"}


def passing(scope: str) -> Json:
    """The scope of counters of which one appears when something happens and goes when it stopped happening.

    Each of Envoy's statistics is visited by every reading, whatever is asked for, and the weights wait meanwhile: with
    20,000 of them for 40 ms each second. So there are never more than `MOST_COUNTERS`, and old ones make room.
    """
    return {"prefix": scope, "max_counters": MOST_COUNTERS, "enable_eviction": True}


def counting(
    scope: str | Json, counters: Sequence[Json], *, only: Json | None = None, histograms: Sequence[Json] = ()
) -> Json:
    """The access logger of these counters, whose names begin with `scope`; `only` is its filter."""
    config: Json = {"stats_scope": {"prefix": scope} if isinstance(scope, str) else scope, "counters": list(counters)}
    if histograms:
        config["histograms"] = list(histograms)
    return {
        "name": "envoy.access_loggers.stats",
        **({"filter": only} if only is not None else {}),
        "typed_config": extension("access_loggers.stats.v3.Config", **config),
    }


def any_of(filters: Sequence[Json]) -> Json:
    """The filter that lets through what one of `filters` does."""
    return {"or_filter": {"filters": list(filters)}}


def all_of(filters: Sequence[Json]) -> Json:
    """The filter that lets through what all `filters` do; the first that does not is the last that is asked."""
    return {"and_filter": {"filters": list(filters)}}


def status_is(status: int, comparison: str = "EQ") -> Json:
    """The filter of answers whose status compares so."""
    value = {"default_value": status, "runtime_key": "fig.never_set"}
    return {"status_code_filter": {"comparison": {"op": comparison, "value": value}}}


def has_header(name: str) -> Json:
    """The filter of requests that carry a header, those that the router added included."""
    return {"header_filter": {"header": {"name": name, "present_match": True}}}


def expression(text: str) -> Json:
    """The filter that a CEL expression is."""
    config = extension("access_loggers.filters.cel.v3.ExpressionFilter", expression=text)
    return {"extension_filter": {"name": "envoy.access_loggers.extension_filters.cel", "typed_config": config}}


def noted(path: Sequence[str], value: Json) -> Json:
    """The filter of requests about which our scripts noted `value` at `path`."""
    matcher = {"filter": "fig", "path": [{"key": key} for key in path], "value": value}
    return {"metadata_filter": {"matcher": matcher, "match_if_key_not_found": False}}


def _stat(name: str, tags: Tags) -> Json:
    return {"name": name, "tags": [{"name": tag, "value_format": value} for tag, value in tags.items()]}

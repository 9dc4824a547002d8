"""Which part of the router's configuration costs how much: the compiled files with one part taken out, side by side.

The best round of each is shown, not the median: what disturbs a round only ever makes it dearer, and the differences
are small.

A development tool: `proxy_cost.py --ablate` prints the table.
"""

import re
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from typing import Any

from benchmarks.backends import legacy
from benchmarks.measuring import Request, Round, Subject, compared, cores, folders, table
from benchmarks.routers import Files, bare_envoy, router
from benchmarks.split_estate import ESTATE, SPLIT, by_cookie, by_header

_LOT = 5
Edit = Callable[[Files], None]


def ablation(*, rounds: int, seconds: float, only: str = "") -> str:
    """The tables of a header-sticky and a cookie-sticky route, for the edits whose name has `only` in it.

    A few at a time, each lot with what was compiled beside it: Envoy aborts where the host's inotify instances are used
    up (128 for each user, by default), which two dozen of them manage.
    """
    edits = [(name, edit) for name, edit in EDITS.items() if re.search(only, name)]
    kinds = {"header": by_header("legacy"), "cookie": by_cookie("legacy")}
    texts = []
    for kind, requests in kinds.items():
        for start in range(0, len(edits), _LOT):
            rows = _lot(dict(edits[start : start + _LOT]), requests, rounds=rounds, seconds=seconds)
            whole = rows["as compiled"].cpu_us
            won = [f"| {name} | {whole - row.cpu_us:+.1f} |" for name, row in rows.items()]
            texts.append(f"{kind}-sticky\n\n{table(rows, base='bare Envoy')}\n")
            texts.append("\n".join(["| part | µs that it wins |", "|---|---:|", *won, ""]))
    return "\n".join(texts)


def _lot(edits: dict[str, Edit], requests: Sequence[Request], *, rounds: int, seconds: float) -> dict[str, Round]:
    proxies, others = cores()
    with ExitStack() as stack:
        folder = stack.enter_context(folders())
        backend = stack.enter_context(legacy(folder("legacy"), core=others))
        port, pid = stack.enter_context(bare_envoy(backend, folder("bare"), core=proxies))
        subjects = [Subject(name="bare Envoy", port=port, pid=pid, requests=by_header("legacy"))]
        environment = {"LEGACY_PORT": str(backend), "LAMBDA_PORT": "9"}
        for number, (name, edit) in enumerate({"as compiled": _nothing, **edits}.items()):
            one = router(ESTATE, folder(str(number)), core=proxies, moving=SPLIT, environment=environment, edit=edit)
            port, pid = stack.enter_context(one)
            subjects.append(Subject(name=name, port=port, pid=pid, requests=requests))
        return compared(subjects, rounds=rounds, seconds=seconds, best=True)


def _nothing(_files: Files) -> None:
    pass


def manager(files: Files) -> Any:
    """The entry's connection manager."""
    return files["listeners.json"]["resources"][0]["filter_chains"][0]["filters"][0]["typed_config"]


def virtual_hosts(files: Files) -> list[Any]:
    """The entry's virtual hosts."""
    return files["routes.json"]["resources"][0]["virtual_hosts"]  # type: ignore[no-any-return]


def _loggers(*kept: str) -> Edit:
    def edit(files: Files) -> None:
        logs = manager(files)["access_log"]
        manager(files)["access_log"] = [one for one in logs if one["name"].rpartition(".")[2] in kept]

    return edit


def _field(**changes: str | None) -> Edit:
    def edit(files: Files) -> None:
        fields = manager(files)["access_log"][0]["typed_config"]["log_format"]["json_format"]
        for name, value in changes.items():
            if value is None:
                fields.pop(name, None)
            else:
                fields[name] = value

    return edit


def _manager(**changes: Any) -> Edit:
    def edit(files: Files) -> None:
        for name, value in changes.items():
            if value is None:
                manager(files).pop(name, None)
            else:
                manager(files)[name] = value

    return edit


def _counters(**changes: Any) -> Edit:
    def edit(files: Files) -> None:
        manager(files)["access_log"][1]["typed_config"].update(changes)

    return edit


def _unfiltered(files: Files) -> None:
    manager(files)["access_log"][1].pop("filter", None)


def _faults(*, fallbacks: bool) -> Edit:
    """The counter of faults left out, or its fallbacks alone, which a CEL expression finds."""

    def edit(files: Files) -> None:
        logs = manager(files)["access_log"]
        scopes = [one["typed_config"].get("stats_scope", {}).get("prefix") for one in logs]
        place = scopes.index("fig.faults")
        if fallbacks:
            del logs[place]
        else:
            del logs[place]["filter"]["or_filter"]["filters"][-1]

    return edit


def _as_text(files: Files) -> None:
    form = manager(files)["access_log"][0]["typed_config"]["log_format"]
    fields = form.pop("json_format")
    form["text_format_source"] = {
        "inline_string": "{" + ",".join(f'"{name}":"{value}"' for name, value in fields.items()) + "}\n"
    }


def _one_field(files: Files) -> None:
    manager(files)["access_log"][0]["typed_config"]["log_format"]["json_format"] = {"route": "%ROUTE_NAME%"}


def _hosts(*removed: str) -> Edit:
    def edit(files: Files) -> None:
        for host in virtual_hosts(files):
            for name in removed:
                host.pop(name, None)

    return edit


def _logger_of(scope: str) -> Edit:
    """Without the loggers that count in that scope."""

    def edit(files: Files) -> None:
        logs = manager(files)["access_log"]
        manager(files)["access_log"] = [one for one in logs if scope not in str(one["typed_config"].get("stats_scope"))]

    return edit


def _without_filter(name: str) -> Edit:
    def edit(files: Files) -> None:
        manager(files)["http_filters"] = [one for one in manager(files)["http_filters"] if one["name"] != name]

    return edit


def _without_header(name: str) -> Edit:
    """Without a header that every request upstream is given."""

    def edit(files: Files) -> None:
        for host in virtual_hosts(files):
            added = host.get("request_headers_to_add", [])
            host["request_headers_to_add"] = [one for one in added if one["header"]["key"] != name]

    return edit


def _early_without(*texts: str) -> Edit:
    """Without the early changes of headers in which one of the texts occurs."""

    def edit(files: Files) -> None:
        for one in manager(files)["early_header_mutation_extensions"]:
            kept = [
                change for change in one["typed_config"]["mutations"] if not any(text in str(change) for text in texts)
            ]
            one["typed_config"]["mutations"] = kept

    return edit


def _without_case(files: Files) -> None:
    manager(files)["http_protocol_options"].pop("header_key_format")
    for cluster in files["clusters.json"]["resources"]:
        for options in cluster.get("typed_extension_protocol_options", {}).values():
            options.get("explicit_http_config", {}).get("http_protocol_options", {}).pop("header_key_format", None)


def _without_first_matchers(files: Files) -> None:
    for host in virtual_hosts(files):
        host["matcher"] = host["matcher"]["on_no_match"]["matcher"]


def _without_lua(files: Files) -> None:
    manager(files)["http_filters"] = [one for one in manager(files)["http_filters"] if one["name"] != "user"]
    for route in _routes(virtual_hosts(files)):
        route.pop("typed_per_filter_config", None)


def _routes(value: Any) -> list[Any]:
    """Every route below, whatever matcher holds it."""
    if isinstance(value, list):
        return [route for one in value for route in _routes(one)]
    if not isinstance(value, dict):
        return []
    own = [value] if "route" in value and "match" in value else []
    return own + [route for one in value.values() for route in _routes(one)]


def _without_shadow(files: Files) -> None:
    for host in virtual_hosts(files):
        host["routes"] = [one for one in host.get("routes", []) if "shadow." not in str(one.get("match"))]


def _lua(replacement: str) -> Edit:
    """The user filter with another script in the place of its own."""

    def edit(files: Files) -> None:
        for one in manager(files)["http_filters"]:
            if one["name"] == "user":
                one["typed_config"]["source_codes"] = {
                    name: {"inline_string": replacement} for name in one["typed_config"]["source_codes"]
                }

    return edit


def _lua_with(*changes: tuple[str, str]) -> Edit:
    """The user filter with parts of its script replaced. Raises `SystemExit` when a part is not there."""

    def edit(files: Files) -> None:
        for one in manager(files)["http_filters"]:
            if one["name"] == "user":
                for source in one["typed_config"]["source_codes"].values():
                    for old, new in changes:
                        if old not in source["inline_string"]:
                            message = f"user.lua has no {old!r} any more"
                            raise SystemExit(message)
                        source["inline_string"] = source["inline_string"].replace(old, new)

    return edit


def _all(*edits: Edit) -> Edit:
    def edit(files: Files) -> None:
        for one in edits:
            one(files)

    return edit


EDITS: dict[str, Edit] = {
    "without Lua": _without_lua,
    "Lua that does nothing": _lua("function envoy_on_request(handle) end"),
    "Lua without the weights' file": _lua_with(("weights(handle)[info:routeName()]", "5000")),
    "Lua without the pseudonym": _lua_with(("pseudonym(key)", "key")),
    "Lua without its metadata": _lua_with(('info:dynamicMetadata():set("fig", "request", facts)', "")),
    "Lua without the sticky key's header": _lua_with(('headers:add("x-fig-user", key)', "")),
    "without the JSON log": _loggers("stats"),
    "without the counters": _loggers("file"),
    "without both": _loggers(),
    "counters without a histogram": _counters(histograms=[]),
    "counters without their filter": _unfiltered,
    "without the odd paths": _logger_of("fig.paths"),
    "without the alarms": _logger_of("fig.alarms"),
    "without the faults": _faults(fallbacks=True),
    "faults without fallbacks": _faults(fallbacks=False),
    "log as text of the same fields": _as_text,
    "log with one field": _one_field,
    "log without time": _field(time=None),
    "log without metadata fields": _field(assigned=None, answered=None, weight=None, user=None),
    "without request ids": _manager(generate_request_id=False),
    "without early header mutation": _manager(early_header_mutation_extensions=None),
    "without the kept case of header names": _without_case,
    "without request trailers": _without_filter("trailers"),
    "without odd hosts and hops": _without_first_matchers,
    "without the CEL that says what is retried": _without_header("x-envoy-retry-on"),
    "without the path to match": _early_without("x-fig-match"),
    "without hops": _early_without("fig-hops", "fig-kept-hops"),
    "without headers to upstreams": _hosts("request_headers_to_add", "request_headers_to_remove"),
    "without headers to clients removed": _hosts("response_headers_to_remove"),
    "without the retry policy": _hosts("retry_policy"),
    "without the body buffer": _hosts("request_body_buffer_limit"),
    "without retry and buffer": _hosts("retry_policy", "request_body_buffer_limit"),
    "without the shadow entry": _without_shadow,
    "without timers of headers and idling": _manager(request_headers_timeout=None, stream_idle_timeout=None),
    "without both, Lua": _all(_loggers(), _without_lua),
    "without both, Lua, headers, retry, buffer": _all(
        _loggers(),
        _without_lua,
        _manager(early_header_mutation_extensions=None),
        _hosts(
            "request_headers_to_add",
            "request_headers_to_remove",
            "response_headers_to_remove",
            "retry_policy",
            "request_body_buffer_limit",
        ),
    ),
}

"""What an event says of the request that it holds: six senders, one type.

    Envoy's Lambda filter · API Gateway 1.0 · API Gateway 2.0 · load balancer · function URL · anything else

The router's headers are believed where the router is the caller, by the rule of `adapters.events`, which is kept here
once more because neither package imports the other: its own events, callers that IAM names and
`ADAPTERS_ROUTER_PRINCIPALS` lists, and `requestContext.fig`, which only `adapters` writes. A direct invocation needs
the permission to invoke, as the router does.

No value of a query string is among what is told.
"""

import os
from collections.abc import Mapping
from typing import Any, NamedTuple
from urllib.parse import unquote

from strangler_fig.names import HOST_HEADER, ROUTE_HEADER, SHADOW_HEADER

PRINCIPALS = "ADAPTERS_ROUTER_PRINCIPALS"
_TRIGGERS = {"aws:sqs": "pubsub", "aws:sns": "pubsub", "aws:kinesis": "pubsub", "aws:s3": "datasource"}
_TIMERS = frozenset({"aws.events", "aws.scheduler"})
_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "CONNECT", "QUERY"})


_NOTHING: Mapping[str, Any] = {}


class Told(NamedTuple):
    """What is told of an event: HTTP's parts where it is a request, and what the router says, where it is believed.

    A tuple, as other values of a function's path are: making a frozen dataclass takes ten times as long at its import.
    """

    trigger: str
    headers: Mapping[str, str]
    """In lower case; those that carry the trace are among them."""
    method: str = ""
    http_route: str = ""
    route: str = ""
    is_shadow: bool = False
    attributes: Mapping[str, Any] = _NOTHING

    @property
    def is_http(self) -> bool:
        """Whether it is a request over HTTP."""
        return bool(self.method)


def told(event: Any, context: Any) -> Told:
    """What the event and the invocation's ClientContext say. Never raises for what an event may be."""
    custom = _custom(context)
    if not isinstance(event, Mapping):
        return Told(trigger="other", headers=custom, route=custom.get(ROUTE_HEADER, ""), is_shadow=_marked(custom))
    within = event.get("requestContext")
    headers = {**_headers(event), **custom}
    if isinstance(event.get("method"), str) and isinstance(event.get("raw_path"), str):
        path, scheme = event["raw_path"].partition("?")[0], headers.get("x-forwarded-proto", "")
        return _request(event["method"], unquote(path), headers, believed=True, scheme=scheme)
    if isinstance(within, Mapping):
        return _of_gateway(event, within, headers)
    if isinstance(event.get("traceparent"), str):
        headers.setdefault("traceparent", event["traceparent"])
    return Told(trigger=_trigger(event), headers=headers, route=custom.get(ROUTE_HEADER, ""), is_shadow=_marked(custom))


def _of_gateway(event: Mapping[str, Any], within: Mapping[str, Any], headers: dict[str, str]) -> Told:
    fig = within.get("fig")
    http = within.get("http")
    if isinstance(http, Mapping):
        route = str(within.get("routeKey") or "").partition(" ")[2]
        found = _request(
            str(http.get("method") or "GET"),
            str(event.get("rawPath") or http.get("path") or "/"),
            headers,
            believed=_is_router(within),
            http_route=route,
            scheme=headers.get("x-forwarded-proto", ""),
            client=str(http.get("sourceIp") or ""),
        )
    elif "httpMethod" in event:
        identity = within.get("identity")
        found = _request(
            str(event["httpMethod"] or "GET"),
            str(event.get("path") or "/"),
            headers,
            believed=False,
            http_route=str(event.get("resource") or ""),
            scheme=headers.get("x-forwarded-proto", ""),
            client=str(identity.get("sourceIp") or "") if isinstance(identity, Mapping) else "",
        )
    else:  # a WebSocket's, or one that is to come
        return Told(trigger="http", headers=headers)
    if not isinstance(fig, Mapping):
        return found
    return found._replace(route=str(fig.get("route") or ""), is_shadow=fig.get("shadow") is True)


def _request(  # noqa: PLR0913 - what a request has
    method: str,
    path: str,
    headers: Mapping[str, str],
    *,
    believed: bool,
    http_route: str = "",
    scheme: str = "",
    client: str = "",
) -> Told:
    known = method.upper() if method.upper() in _METHODS else "_OTHER"
    host, _, port = (headers.get(HOST_HEADER) or headers.get("host") or headers.get(":authority") or "").partition(":")
    forwarded = headers.get("x-forwarded-for", "").partition(",")[0].strip()
    attributes: dict[str, Any] = {
        "http.request.method": known,
        "http.request.method_original": method if known == "_OTHER" else "",
        "url.path": path,
        "url.scheme": scheme,
        "server.address": host,
        "server.port": int(port) if port.isascii() and port.isdecimal() else 0,
        "client.address": client or forwarded,
        "user_agent.original": headers.get("user-agent", ""),
        "http.route": http_route,
    }
    return Told(
        trigger="http",
        method=known,
        http_route=http_route,
        headers=headers,
        route=headers.get(ROUTE_HEADER, "") if believed else "",
        is_shadow=believed and _marked(headers),
        attributes={name: value for name, value in attributes.items() if value},
    )


def _headers(event: Mapping[str, Any]) -> dict[str, str]:
    """The event's headers in lower case; of several values the first, since a trace has one parent."""
    found: dict[str, str] = {}
    several = event.get("multiValueHeaders")
    if isinstance(several, Mapping):
        for name, values in several.items():
            if isinstance(values, (list, tuple)) and values:
                found[str(name).lower()] = str(values[0])
    single = event.get("headers")
    if isinstance(single, Mapping):
        for name, value in single.items():
            if isinstance(value, str):
                found.setdefault(str(name).lower(), value)
    return found


def _custom(context: Any) -> dict[str, str]:
    """What the caller put into ClientContext, by names in lower case."""
    found = getattr(getattr(context, "client_context", None), "custom", None)
    if not isinstance(found, Mapping):
        return {}
    return {str(name).lower(): value for name, value in found.items() if isinstance(value, str)}


def _is_router(within: Mapping[str, Any]) -> bool:
    authorizer = within.get("authorizer")
    iam = authorizer.get("iam") if isinstance(authorizer, Mapping) else None
    principal = str(iam.get("userArn") or "") if isinstance(iam, Mapping) else ""
    known = [one.strip() for one in os.environ.get(PRINCIPALS, "").split(",") if one.strip() not in ("", "*")]
    return bool(principal) and any(
        principal.startswith(one[:-1]) if one.endswith("*") else principal == one for one in known
    )


def _marked(headers: Mapping[str, str]) -> bool:
    return headers.get(SHADOW_HEADER) == "1"


def _trigger(event: Mapping[str, Any]) -> str:
    if str(event.get("source")) in _TIMERS:
        return "timer"
    records = event.get("Records")
    if isinstance(records, list) and records and isinstance(records[0], Mapping):
        source = records[0].get("eventSource") or records[0].get("EventSource")
        return _TRIGGERS.get(str(source), "other")
    return "other"

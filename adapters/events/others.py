"""Events of API Gateway's format 1.0 and of load balancers as format 2.0, and answers the other way.

The rule of this folder holds here, too: a handler sees one type. What only one sender has (stage variables, a target
group's ARN) is left out of it.
"""

import logging
from collections.abc import Iterable, Iterator, Mapping
from typing import Any
from urllib.parse import quote, unquote_plus, urlencode

from ..errors import EventUnreadable
from .answer import inferred, parts, values_of
from .kinds import Kind
from .request import text_of


def to_v2(event: Mapping[str, Any], kind: Kind) -> dict[str, Any]:
    """The format 2.0 event for a request in API Gateway's format 1.0 or of a load balancer. Raises: EventUnreadable."""
    headers = _headers(event)
    cookies = [one.strip() for part in headers.pop("cookie", []) for one in part.split(";") if one.strip()]
    pairs = _query(event)
    if kind is Kind.LOAD_BALANCER:  # it does not decode what it hands over
        query = "&".join(f"{name}={value}" for name, value in pairs)
        pairs = [(unquote_plus(name), unquote_plus(value)) for name, value in pairs]
    else:
        query = urlencode(pairs)
    context = event["requestContext"]
    identity = context.get("identity")
    client = identity.get("sourceIp") if isinstance(identity, Mapping) else None
    epoch = context.get("requestTimeEpoch")
    path = str(event.get("path") or "/")
    joined = {name: ",".join(values) for name, values in headers.items()}
    result: dict[str, Any] = {
        "version": "2.0",
        "routeKey": "$default",
        "rawPath": path,
        "rawQueryString": query,
        "headers": joined,
        "requestContext": {
            "accountId": str(context.get("accountId") or "anonymous"),
            "apiId": str(context.get("apiId") or "elb"),
            "domainName": joined.get("host", ""),
            "domainPrefix": joined.get("host", "").partition(".")[0],
            "http": {
                "method": str(event.get("httpMethod", "GET")),
                "path": quote(path, safe="/%:@!$&'()*+,;=~-._"),
                "protocol": str(context.get("protocol") or "HTTP/1.1"),
                "sourceIp": str(client or joined.get("x-forwarded-for", "").rpartition(",")[2].strip()),
                "userAgent": joined.get("user-agent", ""),
            },
            "requestId": str(context.get("requestId") or joined.get("x-amzn-trace-id", "")),
            "routeKey": "$default",
            "stage": str(context.get("stage") or "$default"),
            "time": str(context.get("requestTime") or ""),
            "timeEpoch": epoch if isinstance(epoch, int) else 0,
        },
        "isBase64Encoded": event.get("isBase64Encoded") is True,
    }
    if cookies:
        result["cookies"] = cookies
    if pairs:
        result["queryStringParameters"] = _joined(pairs)
    if body := text_of(event):
        result["body"] = body
    return result


def from_v2(answer: Any, event: Mapping[str, Any], kind: Kind) -> Any:
    """The answer of a handler of format 2.0 as the sender of `event` reads it.

    A load balancer that sent single values reads single values; cookies are headers for both.
    """
    full = whole(answer)
    status, encoded, body = parts(full)
    multiple, cookies = values_of(full)
    result: dict[str, Any] = {"statusCode": status, "body": body, "isBase64Encoded": encoded}
    if kind is Kind.LOAD_BALANCER:
        result["statusDescription"] = str(result["statusCode"])
        if "multiValueHeaders" not in event:
            single = {name: ", ".join(values) for name, values in multiple.items()}
            if len(cookies) > 1:
                message = "%s cookies are lost: the load balancer's target group has multi-value headers off"
                logging.getLogger(__name__).warning(message, len(cookies) - 1)
            return {**result, "headers": single | ({"set-cookie": cookies[0]} if cookies else {})}
    return {**result, "multiValueHeaders": multiple | ({"set-cookie": cookies} if cookies else {})}


def whole(answer: Any) -> Mapping[str, Any]:
    """The answer with its status: format 2.0 takes a bare value for the JSON body of a 200. Raises: AnswerInvalid."""
    if isinstance(answer, Mapping) and "statusCode" in answer:
        return answer
    return {"statusCode": 200, "headers": {"content-type": "application/json"}, "body": inferred(answer)}


def judged(answer: Any) -> Any:
    """The answer as it is, where a reader of format 2.0 takes it. Raises: AnswerInvalid."""
    full = whole(answer) if isinstance(answer, (Mapping, list, str)) else None
    if full is not None:
        parts(full)
        values_of(full)
    return answer


def _headers(event: Mapping[str, Any]) -> dict[str, list[str]]:
    """Each header in lower case with its values; null is none."""
    found: dict[str, list[str]] = {}
    for name, value in _named(event, "Headers", "headers"):
        found.setdefault(name.lower(), []).append(value)
    return found


def _query(event: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Name and value pairs as the sender gives them; null is none."""
    return list(_named(event, "QueryStringParameters", "queryStringParameters"))


def _named(event: Mapping[str, Any], several: str, single: str) -> Iterator[tuple[str, str]]:
    """Names with each of their values. Raises: EventUnreadable, where they are no objects."""
    is_multiple = bool(event.get(f"multiValue{several}"))
    key = f"multiValue{several}" if is_multiple else single
    found = event.get(key)
    if found is None:
        return
    if not isinstance(found, Mapping):
        message = f"the event's {key} are {type(found).__name__}, not an object"
        raise EventUnreadable(message)
    for name, value in found.items():
        for one in value if is_multiple and isinstance(value, list) else (value,):
            if isinstance(one, (Mapping, list)):
                message = f"the event's {key} have a value that is {type(one).__name__}, not text"
                raise EventUnreadable(message)
            if one is not None:
                yield str(name), str(one)


def _joined(pairs: Iterable[tuple[str, str]]) -> dict[str, str]:
    values: dict[str, str] = {}
    for name, value in pairs:
        values[name] = f"{values[name]},{value}" if name in values else value
    return values

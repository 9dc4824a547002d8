"""Events of API Gateway's format 1.0 and of load balancers as format 2.0, and answers the other way.

The rule of this folder holds here, too: a handler sees one type. What only one sender has (stage variables, a target
group's ARN) is left out of it.
"""

import base64
import logging
from collections.abc import Iterable, Mapping
from typing import Any
from urllib.parse import quote, unquote_plus, urlencode

from .kinds import Kind


def to_v2(event: Mapping[str, Any], kind: Kind) -> dict[str, Any]:
    """The format 2.0 event for a request in API Gateway's format 1.0 or of a load balancer."""
    headers = _headers(event)
    cookies = [one.strip() for part in headers.pop("cookie", []) for one in part.split(";") if one.strip()]
    pairs = _query(event)
    if kind is Kind.LOAD_BALANCER:  # it does not decode what it hands over
        query = "&".join(f"{name}={value}" for name, value in pairs)
        pairs = [(unquote_plus(name), unquote_plus(value)) for name, value in pairs]
    else:
        query = urlencode(pairs)
    context = event["requestContext"]
    identity = context.get("identity") or {}
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
                "sourceIp": str(
                    identity.get("sourceIp") or joined.get("x-forwarded-for", "").rpartition(",")[2].strip()
                ),
                "userAgent": joined.get("user-agent", ""),
            },
            "requestId": str(context.get("requestId") or joined.get("x-amzn-trace-id", "")),
            "routeKey": "$default",
            "stage": str(context.get("stage") or "$default"),
            "time": str(context.get("requestTime") or ""),
            "timeEpoch": int(context.get("requestTimeEpoch") or 0),
        },
        "isBase64Encoded": event.get("isBase64Encoded") is True,
    }
    if cookies:
        result["cookies"] = cookies
    if pairs:
        result["queryStringParameters"] = _joined(pairs)
    if event.get("body"):
        result["body"] = event["body"]
    return result


def from_v2(answer: Any, event: Mapping[str, Any], kind: Kind) -> Any:
    """The answer of a handler of format 2.0 as the sender of `event` reads it.

    A load balancer that sent single values reads single values; cookies are headers for both.
    """
    full = whole(answer)
    multiple = _values(full)
    cookies = multiple.pop("set-cookie", []) + [str(one) for one in full.get("cookies") or ()]
    result: dict[str, Any] = {
        "statusCode": int(full.get("statusCode", 200)),
        "body": full.get("body") or "",
        "isBase64Encoded": full.get("isBase64Encoded") is True,
    }
    if kind is Kind.LOAD_BALANCER:
        result["statusDescription"] = str(result["statusCode"])
        if "multiValueHeaders" not in event:
            single = {name: ", ".join(values) for name, values in multiple.items()}
            if len(cookies) > 1:
                message = "%s cookies are lost: the load balancer's target group has multi-value headers off"
                logging.getLogger(__name__).warning(message, len(cookies) - 1)
            return {**result, "headers": single | ({"set-cookie": cookies[0]} if cookies else {})}
    return {**result, "multiValueHeaders": multiple | ({"set-cookie": cookies} if cookies else {})}


def body_of(event: Mapping[str, Any]) -> bytes:
    """The bytes of a format 2.0 event's body."""
    body = event.get("body") or ""
    return base64.b64decode(body) if event.get("isBase64Encoded") else str(body).encode()


def whole(answer: Any) -> Mapping[str, Any]:
    """The answer with its status: format 2.0 takes a bare value for the JSON body of a 200."""
    if isinstance(answer, Mapping) and "statusCode" in answer:
        return answer
    import json  # noqa: PLC0415 - rare

    text = answer if isinstance(answer, str) else json.dumps(answer)
    return {"statusCode": 200, "headers": {"content-type": "application/json"}, "body": text}


def _values(answer: Mapping[str, Any]) -> dict[str, list[str]]:
    """Each header of an answer, in lower case, with its values."""
    found: dict[str, list[str]] = {}
    for part in (answer.get("headers"), answer.get("multiValueHeaders")):
        for name, value in (part or {}).items():
            several = value if isinstance(value, (list, tuple)) else (value,)
            found.setdefault(str(name).lower(), []).extend(str(one) for one in several)
    return found


def _headers(event: Mapping[str, Any]) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    several = event.get("multiValueHeaders")
    if several:
        for name, values in several.items():
            found.setdefault(name.lower(), []).extend(str(value) for value in values or ())
    else:
        for name, value in (event.get("headers") or {}).items():
            found.setdefault(name.lower(), []).append(str(value))
    return found


def _query(event: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Name and value pairs as the sender gives them."""
    several = event.get("multiValueQueryStringParameters")
    if several:
        return [(name, str(value)) for name, values in several.items() for value in values or ()]
    return [(name, str(value)) for name, value in (event.get("queryStringParameters") or {}).items()]


def _joined(pairs: Iterable[tuple[str, str]]) -> dict[str, str]:
    values: dict[str, str] = {}
    for name, value in pairs:
        values[name] = f"{values[name]},{value}" if name in values else value
    return values

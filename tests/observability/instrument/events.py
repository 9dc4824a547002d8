"""One request in the six shapes in which a function can get it, each with a trace of its own."""

from collections.abc import Mapping
from typing import Any

from tests.adapters.envoy_model import Request
from tests.adapters.envoy_model import event as envoy_event

SHAPES = ("envoy", "gateway-v1", "gateway-v2", "load-balancer", "function-url", "direct")
PARENT = "00f067aa0ba902b7"
XRAY = "Root=1-67891233-abcdef012345678912345678;Parent=463ac35c9f6413ad;Sampled=0"


def traceparent(trace: str) -> str:
    """The header of a sampled trace."""
    return f"00-{trace}-{PARENT}-01"


def event(shape: str, trace: str, path: str = "/books/7", **more: str) -> dict[str, Any]:
    """The event; the header is spelled as that sender spells it, and X-Ray's stands beside it."""
    headers = {"Host": "shop.example", "Traceparent": traceparent(trace), "X-Amzn-Trace-Id": XRAY, **more}
    lower = {name.lower(): value for name, value in headers.items()}
    match shape:
        case "envoy":
            return envoy_event(Request(target=f"{path}?token=planted-secret", headers=tuple(lower.items())))
        case "gateway-v1":
            return {
                "resource": "/books/{id}",
                "path": path,
                "httpMethod": "GET",
                "headers": headers,
                "multiValueHeaders": {name: [value] for name, value in headers.items()},
                "requestContext": {"identity": {"sourceIp": "192.0.2.1"}, "stage": "prod", "requestId": "r-1"},
                "body": None,
                "isBase64Encoded": False,
            }
        case "gateway-v2":
            return _v2(path, lower, "abc.execute-api.eu-west-1.amazonaws.com", "GET /books/{id}")
        case "function-url":
            return _v2(path, lower, "abc.lambda-url.eu-west-1.on.aws", "$default")
        case "load-balancer":
            return {
                "requestContext": {"elb": {"targetGroupArn": "arn:aws:elasticloadbalancing:x"}},
                "httpMethod": "GET",
                "path": path,
                "queryStringParameters": {},
                "headers": lower,
                "body": "",
                "isBase64Encoded": False,
            }
        case _:
            return {"book": 7}


def client_context(shape: str, trace: str) -> dict[str, Any] | None:
    """What only a direct invocation has: the caller's context beside the event."""
    return {"custom": {"traceparent": traceparent(trace)}} if shape == "direct" else None


def _v2(path: str, headers: Mapping[str, str], domain: str, route: str) -> dict[str, Any]:
    return {
        "version": "2.0",
        "routeKey": route,
        "rawPath": path,
        "rawQueryString": "",
        "headers": dict(headers),
        "requestContext": {
            "accountId": "123456789012",
            "apiId": "abc",
            "domainName": domain,
            "domainPrefix": "abc",
            "http": {"method": "GET", "path": path, "protocol": "HTTP/1.1", "sourceIp": "192.0.2.1", "userAgent": "u"},
            "requestId": "r-1",
            "routeKey": route,
            "stage": "$default",
            "time": "12/Mar/2020:19:03:58 +0000",
            "timeEpoch": 1583348638390,
        },
        "isBase64Encoded": False,
    }

"""Who sent an event: the router, API Gateway (two formats), a load balancer, a function URL, or nobody of these.

Source: Lambda developer guide, "Using AWS Lambda with API Gateway", "... with an Application Load Balancer", "Function
URLs"; API Gateway developer guide, payload formats 1.0 and 2.0.
"""

import enum
from collections.abc import Mapping
from typing import Any

from .request import is_router_event


class Kind(enum.Enum):
    """The shape of an event."""

    ROUTER = "router"
    GATEWAY_V1 = "gateway-v1"
    GATEWAY_V2 = "gateway-v2"
    FUNCTION_URL = "function-url"
    LOAD_BALANCER = "load-balancer"
    OTHER = "other"


def kind_of(event: object) -> Kind:
    """The shape of `event`; OTHER is no HTTP request: a schedule, a queue, or a direct invocation."""
    if is_router_event(event):
        return Kind.ROUTER
    if not isinstance(event, Mapping) or not isinstance(context := event.get("requestContext"), Mapping):
        return Kind.OTHER
    if "elb" in context:
        return Kind.LOAD_BALANCER
    if event.get("version") == "2.0" and "http" in context:
        return Kind.FUNCTION_URL if _is_function_url(context) else Kind.GATEWAY_V2
    return Kind.GATEWAY_V1 if "httpMethod" in event else Kind.OTHER


def principal_of(event: Mapping[str, Any]) -> str:
    """The IAM principal that called a function URL or a gateway with IAM authorisation; "" where there is none."""
    authorizer = event["requestContext"].get("authorizer") or {}
    iam = authorizer.get("iam") if isinstance(authorizer, Mapping) else None
    return str(iam.get("userArn") or "") if isinstance(iam, Mapping) else ""


def _is_function_url(context: Mapping[str, Any]) -> bool:
    return ".lambda-url." in str(context.get("domainName", ""))

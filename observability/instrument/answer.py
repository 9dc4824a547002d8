"""What a handler's answer says of how the request went."""

from collections.abc import Mapping
from typing import Any

_STATUS = range(100, 600)
_FAILED = 500


def status_of(answer: Any, *, is_http: bool) -> int | None:
    """HTTP's status: API Gateway's and a load balancer's spelling, Envoy's, or the 200 that an HTTP API infers.

    None where the invocation was no request, or where the answer is none that a gateway would pass on.
    """
    if not is_http:
        return None
    if not isinstance(answer, Mapping) or not ("statusCode" in answer or "status_code" in answer):
        return 200
    said = answer.get("statusCode", answer.get("status_code"))
    try:
        status = int(said)
    except (TypeError, ValueError):
        return None
    return status if status in _STATUS else None


def has_failed(status: int | None) -> bool:
    """Whether the side that answered is to blame."""
    return status is not None and status >= _FAILED

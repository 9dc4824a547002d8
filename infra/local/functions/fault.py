"""Faults that a test or a demo switches on: the API answers as if something had failed, and no handler runs."""

import enum
import json
from dataclasses import dataclass

from .api_error import PAYLOAD_TOO_LARGE, SERVICE_FAILED, THROTTLED, ApiError, denied, not_found
from .outcome import Outcome, answer_too_large, exited, timed_out


class Fault(enum.Enum):
    """What to answer instead of running the handler; `none` switches faults off."""

    NONE = "none"
    THROTTLE = "throttle"
    ACCESS_DENIED = "access_denied"
    EXPIRED_TOKEN = "expired_token"  # noqa: S105 - the name of a fault
    INVALID_SIGNATURE = "invalid_signature"
    NOT_FOUND = "not_found"
    NOT_READY = "not_ready"
    CONFLICT = "conflict"
    TOO_LARGE = "too_large"
    SERVICE_ERROR = "service_error"
    ENI_LIMIT = "eni_limit"
    ENI_NOT_READY = "eni_not_ready"
    SUBNET_IP = "subnet_ip"
    EC2_THROTTLED = "ec2_throttled"
    EC2_ACCESS_DENIED = "ec2_access_denied"
    ERROR = "error"
    TIMEOUT = "timeout"
    CRASH = "crash"
    ANSWER_TOO_LARGE = "answer_too_large"
    INVALID_JSON = "invalid_json"
    HANG = "hang"
    RESET = "reset"


_API_ERRORS = {
    Fault.THROTTLE: THROTTLED,
    Fault.ACCESS_DENIED: denied("AccessDeniedException", "User is not authorized to perform: lambda:InvokeFunction"),
    Fault.EXPIRED_TOKEN: denied("ExpiredTokenException", "The security token included in the request is expired"),
    Fault.INVALID_SIGNATURE: denied(
        "InvalidSignatureException", "The request signature we calculated does not match the signature you provided."
    ),
    Fault.NOT_READY: ApiError(
        409, "ResourceNotReadyException", "The function is inactive, and its VPC connection is no longer available."
    ),
    Fault.CONFLICT: ApiError(409, "ResourceConflictException", "The resource already exists, or is in use."),
    Fault.TOO_LARGE: PAYLOAD_TOO_LARGE,
    Fault.SERVICE_ERROR: SERVICE_FAILED,
    Fault.ENI_LIMIT: ApiError(
        502, "ENILimitReachedException", "The limit for elastic network interfaces in this VPC is reached."
    ),
    Fault.ENI_NOT_READY: ApiError(502, "ENINotReadyException", "The elastic network interface is not ready."),
    Fault.SUBNET_IP: ApiError(
        502, "SubnetIPAddressLimitReachedException", "One or more configured subnets has no available IP addresses."
    ),
    Fault.EC2_THROTTLED: ApiError(502, "EC2ThrottledException", "Amazon EC2 throttled Lambda."),
    Fault.EC2_ACCESS_DENIED: ApiError(502, "EC2AccessDeniedException", "Lambda needs permissions on Amazon EC2."),
}


@dataclass(slots=True)
class FaultSwitch:
    """The fault of one function, and how many more invocations it answers (None: until it is switched off)."""

    fault: Fault = Fault.NONE
    remaining: int | None = None

    def set(self, fault: Fault, count: int | None) -> None:
        """Answer the next `count` invocations with `fault`."""
        self.fault = Fault.NONE if count == 0 else fault
        self.remaining = count

    def take(self) -> Fault:
        """The fault for the invocation at hand."""
        fault = self.fault
        if fault is not Fault.NONE and self.remaining is not None:
            self.remaining -= 1
            if not self.remaining:
                self.fault = Fault.NONE
        return fault


def api_error(fault: Fault, arn: str) -> ApiError | None:
    """The API's own error that a fault stands for, or None."""
    return not_found(arn) if fault is Fault.NOT_FOUND else _API_ERRORS.get(fault)


def outcome(fault: Fault, request_id: str, timeout_seconds: float) -> Outcome | None:
    """The function's answer that a fault stands for, or None."""
    match fault:
        case Fault.ERROR:
            document = {"errorMessage": "injected", "errorType": "Injected", "requestId": request_id, "stackTrace": []}
            return Outcome(payload=json.dumps(document).encode(), failed=True)
        case Fault.TIMEOUT:
            return timed_out(timeout_seconds)(request_id)
        case Fault.CRASH:
            return exited(1)(request_id)
        case Fault.ANSWER_TOO_LARGE:
            return answer_too_large()
        case Fault.INVALID_JSON:
            return Outcome(payload=b'{"status_code": 200, "body": ')
        case _:
            return None

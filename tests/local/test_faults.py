import http.client
import json
import socket

import pytest

from tests.local.running import ROOT, Running


@pytest.mark.parametrize(
    ("fault", "status", "error_type"),
    [
        ("throttle", 429, "TooManyRequestsException"),
        ("access_denied", 403, "AccessDeniedException"),
        ("expired_token", 403, "ExpiredTokenException"),
        ("invalid_signature", 403, "InvalidSignatureException"),
        ("not_found", 404, "ResourceNotFoundException"),
        ("not_ready", 409, "ResourceNotReadyException"),
        ("conflict", 409, "ResourceConflictException"),
        ("too_large", 413, "RequestEntityTooLargeException"),
        ("service_error", 500, "ServiceException"),
        ("eni_limit", 502, "ENILimitReachedException"),
        ("eni_not_ready", 502, "ENINotReadyException"),
        ("subnet_ip", 502, "SubnetIPAddressLimitReachedException"),
        ("ec2_throttled", 502, "EC2ThrottledException"),
        ("ec2_access_denied", 502, "EC2AccessDeniedException"),
    ],
)
def test_a_fault_of_the_api_answers_without_running_the_handler(
    lambda_: Running, fault: str, status: int, error_type: str
) -> None:
    """Each fault of the API answers its status and type, once, and the handler does not run."""
    before = lambda_.state("faulty")
    assert lambda_.fail("faulty", fault, 1).document == {"fail": fault, "count": 1}
    answer = lambda_.invoke("faulty", {"a": 1})
    assert (answer.status, answer.error_type) == (status, error_type)
    after = lambda_.state("faulty")
    assert (after["invocations"], after["faults"]) == (before["invocations"], before["faults"] + 1)
    assert lambda_.invoke("faulty", {"a": 1}).document == {"a": 1}


@pytest.mark.parametrize(
    ("fault", "error_type"),
    [
        ("error", "Injected"),
        ("timeout", "Sandbox.Timedout"),
        ("crash", "Runtime.ExitError"),
        ("answer_too_large", "Function.ResponseSizeTooLarge"),
    ],
)
def test_a_fault_of_the_function_answers_200(lambda_: Running, fault: str, error_type: str) -> None:
    """Each fault of the function is a 200 with X-Amz-Function-Error, as the service answers it."""
    lambda_.fail("faulty", fault, 1)
    answer = lambda_.invoke("faulty")
    assert (answer.status, answer.headers["x-amz-function-error"]) == (200, "Unhandled")
    assert answer.document["errorType"] == error_type


def test_invalid_json_is_an_answer_that_cannot_be_read(lambda_: Running) -> None:
    """The fault `invalid_json` answers 200, no function error, and a body that is no JSON."""
    lambda_.fail("faulty", "invalid_json", 1)
    answer = lambda_.invoke("faulty")
    assert (answer.status, "x-amz-function-error" in answer.headers) == (200, False)
    with pytest.raises(json.JSONDecodeError):
        json.loads(answer.body)


def test_reset_breaks_the_connection(lambda_: Running) -> None:
    """The fault `reset` closes the connection without an answer."""
    lambda_.fail("faulty", "reset", 1)
    with pytest.raises((ConnectionError, http.client.BadStatusLine)):
        lambda_.invoke("faulty")


def test_hang_never_answers(lambda_: Running) -> None:
    """The fault `hang` takes the request and says nothing."""
    lambda_.fail("faulty", "hang", 1)
    with socket.create_connection(("127.0.0.1", lambda_.port)) as caller:
        caller.settimeout(0.3)
        caller.sendall(f"POST {ROOT}faulty/invocations HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\n{{}}".encode())
        with pytest.raises(TimeoutError):
            caller.recv(1)


def test_a_fault_without_a_count_stays_until_it_is_switched_off(lambda_: Running) -> None:
    """`count: null` is for ever, `none` ends it."""
    lambda_.fail("faulty", "throttle")
    assert [lambda_.invoke("faulty").status for _ in range(5)] == [429] * 5
    assert lambda_.state("faulty")["fail"] == "throttle"
    lambda_.fail("faulty", "none")
    assert lambda_.invoke("faulty").status == 200


@pytest.mark.parametrize(
    ("function", "body", "status"),
    [
        ("nobody", b'{"fail": "throttle"}', 404),
        ("faulty", b'{"fail": "thunder"}', 400),
        ("faulty", b'{"fail": "throttle", "count": -1}', 400),
        ("faulty", b'{"fail": "throttle", "count": true}', 400),
        ("faulty", b'{"fail": ["throttle"]}', 400),
        ("faulty", b'{"fails": "throttle"}', 400),
        ("faulty", b"[" * 100_000, 400),
        ("faulty", b"", 400),
    ],
)
def test_a_wrong_switch_changes_nothing(lambda_: Running, function: str, body: bytes, status: int) -> None:
    """What is not a fault of a function is refused with what would be one."""
    answer = lambda_.request("POST", f"/_local/faults/{function}", body)
    assert answer.status == status
    assert answer.document["error"]["hint"]
    assert lambda_.state("faulty")["fail"] == "none"

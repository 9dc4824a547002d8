import base64
import json
import threading

import pytest

from tests.local.running import ROOT, Answer, Running, wait_for

ARN = "arn:aws:lambda:eu-west-1:123456789012:function:"


def test_an_event_reaches_the_handler_and_its_answer_comes_back(lambda_: Running) -> None:
    """A synchronous invocation answers 200 with what the handler returned, the version that ran and a request id."""
    answer = lambda_.invoke("echo", {"título": ["ünïcode", None, 1.5]})
    assert (answer.status, answer.document) == (200, {"título": ["ünïcode", None, 1.5]})
    assert answer.headers["x-amz-executed-version"] == "$LATEST"
    assert answer.headers["content-type"] == "application/json"
    assert len(answer.headers["x-amzn-requestid"]) == 36
    assert "x-amz-function-error" not in answer.headers


def test_no_payload_is_an_empty_event(lambda_: Running) -> None:
    """Invoking without a body gives the handler an empty object."""
    assert lambda_.invoke("echo", b"").document == {}


@pytest.mark.parametrize(
    "name",
    ["count", f"{ARN}count", "123456789012:function:count", "function:count", "count:$LATEST", "count%3A%24LATEST"],
)
def test_a_function_is_found_by_name_arn_and_partial_arn(lambda_: Running, name: str) -> None:
    """The function's name, its ARN and every partial form of it lead to the same environment."""
    answer = lambda_.invoke(name)
    assert (answer.status, answer.headers["x-amz-executed-version"]) == (200, "$LATEST")


@pytest.mark.parametrize(
    ("target", "version"),
    [("count:live", "7"), ("count:7", "7"), ("count:old", "6"), (f"{ARN}count:live", "7")],
)
def test_aliases_and_versions_are_qualifiers(lambda_: Running, target: str, version: str) -> None:
    """An alias runs the version that it points to, and the answer says which."""
    assert lambda_.invoke(target).headers["x-amz-executed-version"] == version


def test_the_qualifier_may_stand_in_the_query(lambda_: Running) -> None:
    """`?Qualifier=` is the same as a qualifier after the name."""
    answer = lambda_.request("POST", f"{ROOT}count/invocations?Qualifier=live", b"{}")
    assert answer.headers["x-amz-executed-version"] == "7"


def test_two_qualifiers_that_differ_are_refused(lambda_: Running) -> None:
    """A qualifier in the name and another in the query is a mistake of the caller."""
    answer = lambda_.request("POST", f"{ROOT}count:old/invocations?Qualifier=live", b"{}")
    assert (answer.status, answer.error_type) == (400, "InvalidParameterValueException")


@pytest.mark.parametrize(
    "name",
    [
        "nobody",
        "count:beta",
        "count:8",
        "arn:aws:lambda:us-east-1:123456789012:function:count",
        "999999999999:function:count",
    ],
)
def test_an_unknown_function_is_not_found(lambda_: Running, name: str) -> None:
    """Unknown names, qualifiers, regions and accounts answer 404 ResourceNotFoundException."""
    answer = lambda_.invoke(name)
    assert (answer.status, answer.error_type) == (404, "ResourceNotFoundException")
    assert (
        answer.document["Message"].startswith("Function not found: arn:aws:lambda:")
        or "account" in answer.body.decode()
    )


def test_a_name_that_cannot_be_one_is_refused(lambda_: Running) -> None:
    """A path segment that is neither a name nor an ARN is a validation error."""
    assert lambda_.invoke("no%20name").error_type == "ValidationException"


@pytest.mark.parametrize("payload", [b"{bad", b"\xff\xfe", b"NaN", b"[" * 100_000, b"{} {}"])
def test_a_payload_that_is_not_json_is_refused(lambda_: Running, payload: bytes) -> None:
    """What is not JSON never reaches a handler: 400 InvalidRequestContentException."""
    answer = lambda_.invoke("echo", payload)
    assert (answer.status, answer.error_type) == (400, "InvalidRequestContentException")
    assert answer.document["message"].startswith("Could not parse request body into json")


def test_an_unknown_invocation_type_is_refused(lambda_: Running) -> None:
    """X-Amz-Invocation-Type has three values."""
    answer = lambda_.invoke("echo", {}, {"X-Amz-Invocation-Type": "Sometimes"})
    assert (answer.status, answer.error_type) == (400, "InvalidParameterValueException")


def test_a_dry_run_runs_nothing(lambda_: Running) -> None:
    """DryRun answers 204, and the handler never runs."""
    before = lambda_.state("fail")["invocations"]
    answer = lambda_.invoke("fail", {}, {"X-Amz-Invocation-Type": "DryRun"})
    assert (answer.status, answer.body, lambda_.state("fail")["invocations"]) == (204, b"", before)


def test_other_methods_and_paths_are_unknown_operations(lambda_: Running) -> None:
    """This is the Invoke API alone."""
    assert lambda_.request("GET", f"{ROOT}echo/invocations").error_type == "UnknownOperationException"
    assert lambda_.request("POST", "/2015-03-31/event-source-mappings", b"{}").status == 404


def test_the_context_tells_what_the_file_says(lambda_: Running) -> None:
    """Memory, version, ARN as invoked, remaining time and log stream are in the context."""
    answer = lambda_.invoke("look:live")
    seen = answer.document
    assert (seen["memory"], seen["version"], seen["arn"]) == ("1769", "7", f"{ARN}look:live")
    assert seen["request_id"] == answer.headers["x-amzn-requestid"]
    assert 7_000 < seen["remaining"] <= 9_000
    assert "/[7]" in seen["log_stream"]


def test_the_environment_is_the_services(lambda_: Running) -> None:
    """A handler finds the variables that the service sets, its own, and nothing of the process that started it."""
    answer = lambda_.invoke("look", {}, {"X-Amzn-Trace-Id": "Root=1-5759e988-bd862e3fe1be46a994272793;Sampled=1"})
    seen = answer.document["environment"]
    assert seen["GREETING"] == "hello"
    assert seen["AWS_LAMBDA_FUNCTION_NAME"] == "look"
    assert seen["AWS_LAMBDA_FUNCTION_MEMORY_SIZE"] == "1769"
    assert seen["AWS_LAMBDA_FUNCTION_VERSION"] == "$LATEST"
    assert seen["AWS_LAMBDA_INITIALIZATION_TYPE"] == "on-demand"
    assert seen["AWS_LAMBDA_LOG_GROUP_NAME"] == "/aws/lambda/look"
    assert seen["AWS_EXECUTION_ENV"].startswith("AWS_Lambda_python3.")
    assert seen["_HANDLER"] == "app.look"
    assert (seen["AWS_REGION"], seen["TZ"]) == ("eu-west-1", ":UTC")
    assert seen["LAMBDA_TASK_ROOT"] == answer.document["cwd"]
    assert seen["_X_AMZN_TRACE_ID"] == "Root=1-5759e988-bd862e3fe1be46a994272793;Sampled=1"
    assert answer.headers["x-amzn-trace-id"] == "Root=1-5759e988-bd862e3fe1be46a994272793;Sampled=1"
    assert answer.document["encoding"] == "utf-8"
    assert "HOME" not in seen
    assert "PYTEST_CURRENT_TEST" not in seen


def test_the_client_context_reaches_the_handler(lambda_: Running) -> None:
    """X-Amz-Client-Context is base64 of JSON; line breaks in it do no harm."""
    context = base64.b64encode(b'{"custom":\r\n{"tenant": "caf\xc3\xa9"}}').decode()
    assert lambda_.invoke("look", {}, {"X-Amz-Client-Context": context}).document["custom"] == {"tenant": "café"}


@pytest.mark.parametrize("context", ["***", base64.b64encode(b"{").decode(), "QQ" * 2000])
def test_a_client_context_that_is_none_is_refused(lambda_: Running, context: str) -> None:
    """A client context that is not base64, not JSON or too long is a mistake of the caller."""
    answer = lambda_.invoke("look", {}, {"X-Amz-Client-Context": context})
    assert (answer.status, answer.error_type) == (400, "InvalidRequestContentException")


def test_the_log_tail_comes_with_the_answer(lambda_: Running) -> None:
    """X-Amz-Log-Type: Tail answers everything that this invocation printed, between the service's own lines."""
    for _ in range(3):
        answer = lambda_.invoke("speak", {}, {"X-Amz-Log-Type": "Tail"})
        log = base64.b64decode(answer.headers["x-amz-log-result"]).decode()
        name = answer.headers["x-amzn-requestid"]
        lines = log.splitlines()
        assert lines[0] == f"START RequestId: {name} Version: $LATEST"
        assert lines[1:4] == ["first line", "to stderr", "café"]
        assert lines[4] == f"END RequestId: {name}"
        assert lines[5].startswith(f"REPORT RequestId: {name}\tDuration: ")
        assert "Memory Size: 128 MB\tMax Memory Used: " in lines[5]


def test_the_log_tail_is_at_most_four_kibibytes(lambda_: Running) -> None:
    """Of a long log the caller gets the last 4 KiB."""
    answer = lambda_.invoke("speak", {"times": 5_000}, {"X-Amz-Log-Type": "Tail"})
    assert len(base64.b64decode(answer.headers["x-amz-log-result"])) == 4_096


def test_logs_carry_the_functions_name(lambda_: Running) -> None:
    """Every line that a handler prints goes to the sink after its function's name."""
    lambda_.invoke("speak")
    wait_for(lambda: "speak | first line\n" in "".join(lambda_.logs), "the handler's line")


def test_without_being_asked_for_there_is_no_log(lambda_: Running) -> None:
    """No X-Amz-Log-Type, no X-Amz-Log-Result."""
    assert "x-amz-log-result" not in lambda_.invoke("speak").headers


def test_the_largest_payload_passes_and_one_byte_more_does_not(lambda_: Running) -> None:
    """6,291,456 bytes are taken; more answers 413, on a connection that can be used again."""
    fits = json.dumps("x" * (6_291_456 - 2)).encode()
    assert lambda_.invoke("echo", fits).body == fits
    answer = lambda_.invoke("echo", fits + b" ")
    assert (answer.status, answer.error_type) == (413, "RequestEntityTooLargeException")
    assert answer.document["Message"] == "Request must be smaller than 6291456 bytes for the InvokeFunction operation"


def test_an_event_may_have_one_mebibyte(lambda_: Running) -> None:
    """The payload of an Event ends at 1,048,576 bytes."""
    event = {"X-Amz-Invocation-Type": "Event"}
    fits = json.dumps("x" * (1_048_576 - 2)).encode()
    assert lambda_.invoke("echo", fits, event).status == 202
    answer = lambda_.invoke("echo", fits + b" ", event)
    assert (answer.status, answer.error_type) == (413, "RequestEntityTooLargeException")
    assert "limit 1048576 bytes" in answer.document["Message"]


def test_beyond_the_concurrency_callers_are_throttled(lambda_: Running) -> None:
    """While the last place is taken, an invocation answers 429 and its handler does not run."""
    answers: list[Answer] = []
    busy = [threading.Thread(target=lambda: answers.append(lambda_.invoke("sleep", {"seconds": 0.3}))) for _ in "12"]
    before = lambda_.state("sleep")
    for thread in busy:
        thread.start()
    wait_for(lambda: bool(lambda_.state("sleep")["in_flight"] == 2), "two invocations in flight")
    throttled = lambda_.invoke("sleep", {"seconds": 0})
    for thread in busy:
        thread.join()
    assert (throttled.status, throttled.error_type) == (429, "TooManyRequestsException")
    assert throttled.document == {
        "Reason": "ReservedFunctionConcurrentInvocationLimitExceeded",
        "Type": "User",
        "message": "Rate Exceeded.",
    }
    after = lambda_.state("sleep")
    assert after["throttles"] == before["throttles"] + 1
    assert after["invocations"] == before["invocations"] + 2
    assert [answer.status for answer in answers] == [200, 200]

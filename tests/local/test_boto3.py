import base64
import json
from collections.abc import Iterator
from typing import Any

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

from tests.local.running import Running, serving

TEXT = """
version: 1
credentials:
  access_key_id: AKIDEXAMPLE
  secret_access_key: {secret_env: SECRET}
  session_token: {secret_env: TOKEN}
functions:
  echo: {handler: app.echo, code: code, aliases: {live: "3"}}
  look: {handler: app.look, code: code}
  fail: {handler: app.fail, code: code}
  speak: {handler: app.speak, code: code}
"""
ARN = "arn:aws:lambda:eu-west-1:123456789012:function:echo:live"


@pytest.fixture(scope="module")
def guarded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    with serving(tmp_path_factory.mktemp("boto3"), TEXT, {"SECRET": "s3cret/+", "TOKEN": "tok+en=="}) as running:
        yield running


def client_of(running: Running, secret: str = "s3cret/+") -> Any:  # noqa: S107 - of nobody
    return boto3.client(
        "lambda",
        region_name="eu-west-1",
        endpoint_url=running.url,
        aws_access_key_id="AKIDEXAMPLE",
        aws_secret_access_key=secret,
        aws_session_token="tok+en==",  # noqa: S106 - of nobody
        config=Config(retries={"total_max_attempts": 1}),
    )


@pytest.fixture
def client(guarded: Running) -> Iterator[Any]:
    made = client_of(guarded)
    yield made
    made.close()


@pytest.mark.parametrize("name", ["echo", "echo:live", ARN, "123456789012:function:echo"])
def test_invoke_works_unmodified(client: Any, name: str) -> None:
    """boto3 invokes by name, alias, ARN and partial ARN, and its signatures are accepted."""
    answer = client.invoke(FunctionName=name, Payload=json.dumps({"a": "é"}).encode())
    assert (answer["StatusCode"], json.loads(answer["Payload"].read())) == (200, {"a": "é"})
    assert answer["ExecutedVersion"] == ("3" if name.endswith("live") else "$LATEST")
    assert "FunctionError" not in answer


def test_invoke_without_a_payload_works(client: Any) -> None:
    """boto3's smallest call is an empty event."""
    assert json.loads(client.invoke(FunctionName="echo", Qualifier="live")["Payload"].read()) == {}


def test_log_tail_and_client_context_pass(client: Any) -> None:
    """LogType and ClientContext do what boto3's documentation says."""
    answer = client.invoke(FunctionName="speak", LogType="Tail")
    assert "first line" in base64.b64decode(answer["LogResult"]).decode()
    context = base64.b64encode(json.dumps({"custom": {"tenant": "blue"}}).encode()).decode()
    seen = json.loads(client.invoke(FunctionName="look", ClientContext=context)["Payload"].read())
    assert seen["custom"] == {"tenant": "blue"}


def test_event_and_dry_run_have_their_statuses(client: Any) -> None:
    """InvocationType Event gives 202, DryRun 204."""
    assert client.invoke(FunctionName="echo", InvocationType="Event", Payload=b"{}")["StatusCode"] == 202
    assert client.invoke(FunctionName="echo", InvocationType="DryRun")["StatusCode"] == 204


def test_a_function_error_is_in_the_answer(client: Any) -> None:
    """FunctionError is Unhandled, and the payload has the stack trace."""
    answer = client.invoke(FunctionName="fail")
    assert (answer["StatusCode"], answer["FunctionError"]) == (200, "Unhandled")
    assert json.loads(answer["Payload"].read())["errorType"] == "ValueError"


def test_errors_of_the_api_are_boto3s_exceptions(guarded: Running, client: Any) -> None:
    """Throttling, unknown functions and faults arrive as the exceptions of boto3's client."""
    guarded.fail("echo", "throttle", 1)
    with pytest.raises(client.exceptions.TooManyRequestsException) as throttled:
        client.invoke(FunctionName="echo")
    assert throttled.value.response["Reason"] == "ReservedFunctionConcurrentInvocationLimitExceeded"
    with pytest.raises(client.exceptions.ResourceNotFoundException, match="Function not found"):
        client.invoke(FunctionName="nobody")
    guarded.fail("echo", "eni_limit", 1)
    with pytest.raises(client.exceptions.ENILimitReachedException):
        client.invoke(FunctionName="echo")
    with pytest.raises(client.exceptions.InvalidRequestContentException):
        client.invoke(FunctionName="echo", Payload=b"{")


def test_a_wrong_secret_is_refused(guarded: Running) -> None:
    """boto3 with another secret gets InvalidSignatureException."""
    client = client_of(guarded, "wrong")
    with pytest.raises(ClientError, match="InvalidSignatureException"):
        client.invoke(FunctionName="echo")
    client.close()

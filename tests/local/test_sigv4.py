import datetime as dt
from collections.abc import Iterator, Mapping
from urllib.parse import quote

import pytest
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials as BotoCredentials
from hypothesis import given, settings
from hypothesis import strategies as st

from infra.local.functions.settings import Credentials
from infra.local.functions.sigv4 import Verifier
from tests.local.running import ROOT, Answer, Running, serving

KEY, SECRET = "AKIDEXAMPLE", "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"
TOKEN = "FwoGZXIvYXdzEXAMPLE"  # noqa: S105 - of nobody
TEXT = """
version: 1
credentials:
  access_key_id: AKIDEXAMPLE
  secret_access_key: {secret_env: SECRET}
functions:
  echo: {handler: app.echo, code: code, aliases: {live: "1"}}
"""


@pytest.fixture(scope="module")
def guarded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    with serving(tmp_path_factory.mktemp("guarded"), TEXT, {"SECRET": SECRET}) as running:
        yield running


def headers_for(url: str, body: bytes, **who: str) -> dict[str, str]:
    """The headers that botocore signs a request with; `who`: another key, secret, token or region."""
    request = AWSRequest(method="POST", url=url, data=body, headers={"Content-Type": "application/json"})
    credentials = BotoCredentials(who.get("key", KEY), who.get("secret", SECRET), who.get("token"))
    SigV4Auth(credentials, "lambda", who.get("region", "eu-west-1")).add_auth(request)
    return {name: str(value) for name, value in request.headers.items()}


def call(running: Running, target: str, body: bytes, headers: dict[str, str]) -> Answer:
    return running.request("POST", target, body, headers)


@pytest.mark.parametrize(
    "target",
    [
        f"{ROOT}echo/invocations",
        f"{ROOT}echo/invocations?Qualifier=live",
        f"{ROOT}echo/invocations?Qualifier=%24LATEST",
        f"{ROOT}{quote('arn:aws:lambda:eu-west-1:123456789012:function:echo:live', safe='')}/invocations",
        f"{ROOT}arn:aws:lambda:eu-west-1:123456789012:function:echo:live/invocations",
    ],
)
def test_a_signature_of_botocore_is_accepted(guarded: Running, target: str) -> None:
    """What botocore signs is let in, with names, ARNs and qualifiers in the path or the query."""
    answer = call(guarded, target, b'{"a": 1}', headers_for(guarded.url + target, b'{"a": 1}'))
    assert (answer.status, answer.body) == (200, b'{"a": 1}')


TARGET = f"{ROOT}echo/invocations"


@pytest.mark.parametrize(
    ("changes", "error_type"),
    [
        ({"secret": "another"}, "InvalidSignatureException"),
        ({"key": "AKIDOTHER"}, "UnrecognizedClientException"),
        ({"token": "unknown"}, "UnrecognizedClientException"),
        ({"region": "us-east-1"}, "InvalidSignatureException"),
    ],
)
def test_a_signature_of_somebody_else_is_refused(guarded: Running, changes: dict[str, str], error_type: str) -> None:
    """Wrong secret, unknown key, unknown token and another region answer 403, and no handler runs."""
    before = guarded.state("echo")["invocations"]
    answer = call(guarded, TARGET, b"{}", headers_for(guarded.url + TARGET, b"{}", **changes))
    assert (answer.status, answer.error_type) == (403, error_type)
    assert guarded.state("echo")["invocations"] == before


def test_a_changed_body_is_refused(guarded: Running) -> None:
    """The signature covers the payload."""
    answer = call(guarded, TARGET, b'{"a": 2}', headers_for(guarded.url + TARGET, b'{"a": 1}'))
    assert answer.error_type == "InvalidSignatureException"


def test_a_changed_path_is_refused(guarded: Running) -> None:
    """The signature covers path and query."""
    headers = headers_for(guarded.url + TARGET, b"{}")
    assert call(guarded, f"{TARGET}?Qualifier=live", b"{}", headers).error_type == "InvalidSignatureException"


@pytest.mark.parametrize(
    ("authorization", "error_type"),
    [
        (None, "MissingAuthenticationTokenException"),
        ("Bearer token", "MissingAuthenticationTokenException"),
        ("AWS4-HMAC-SHA256 nonsense", "IncompleteSignatureException"),
        ("AWS4-HMAC-SHA256 Credential=a/b, SignedHeaders=host, Signature=c", "IncompleteSignatureException"),
        (
            "AWS4-HMAC-SHA256 Credential=\xe9/1/2/3/aws4_request, SignedHeaders=h, Signature=c",
            "UnrecognizedClientException",
        ),
    ],
)
def test_what_is_not_signed_is_refused(guarded: Running, authorization: str | None, error_type: str) -> None:
    """A request without a signature, or with a piece of one, answers 403."""
    headers = {"Authorization": authorization} if authorization else {}
    answer = call(guarded, TARGET, b"{}", headers)
    assert (answer.status, answer.error_type) == (403, error_type)


class _Request:
    """What a verifier looks at of an exchange."""

    def __init__(self, target: str, body: bytes, headers: dict[str, str]) -> None:
        self.method = "POST"
        self.target = target
        self.body: bytes | None = body
        self.headers: Mapping[str, str] = {name.lower(): value for name, value in headers.items()}


def refusal(seconds_later: float, credentials: Credentials | None = None, token: str | None = None) -> str | None:
    """What a verifier says whose clock is so many seconds ahead of the signer's."""
    clock = [dt.datetime.now(dt.UTC)]
    known = credentials or Credentials(access_key_id=KEY, secret_access_key=SECRET)
    verifier = Verifier(known, "eu-west-1", now=lambda: clock[0])
    headers = {**headers_for(f"http://h:1{TARGET}", b"{}", **({"token": token} if token else {})), "Host": "h:1"}
    clock[0] += dt.timedelta(seconds=seconds_later)
    error = verifier.refusal(_Request(TARGET, b"{}", headers))
    return f"{error.type}: {error.message}" if error else None


@pytest.mark.parametrize("seconds", [0, 290, -290])
def test_clocks_may_differ_by_five_minutes(seconds: float) -> None:
    """Within five minutes either way a signature is timely."""
    assert refusal(seconds) is None


@pytest.mark.parametrize(("seconds", "start"), [(310, "Signature expired: "), (-310, "Signature not yet current: ")])
def test_a_signature_of_another_time_is_refused(seconds: float, start: str) -> None:
    """Beyond five minutes the answer names both times."""
    said = refusal(seconds) or ""
    assert said.startswith(f"InvalidSignatureException: {start}")
    assert "5 min." in said


def test_credentials_with_a_lifetime_expire() -> None:
    """Temporary credentials answer ExpiredTokenException once their lifetime is over."""
    temporary = Credentials(access_key_id=KEY, secret_access_key=SECRET, session_token=TOKEN, lifetime_seconds=60)
    assert refusal(30, temporary, TOKEN) is None
    assert (refusal(90, temporary, TOKEN) or "").startswith("ExpiredTokenException")
    assert (refusal(30, temporary, None) or "").startswith("UnrecognizedClientException")


@settings(max_examples=100, deadline=None)
@given(
    body=st.binary(max_size=50),
    value=st.text(st.characters(min_codepoint=32, max_codepoint=126), max_size=20),
    name=st.text(st.characters(categories=["L", "N", "P", "Zs"]), min_size=1, max_size=20),
)
def test_any_request_that_botocore_signs_verifies(body: bytes, value: str, name: str) -> None:
    """Paths, queries, header values and bodies of every kind give botocore's signature."""
    target = f"{ROOT}{quote(name, safe='')}/invocations?Qualifier={quote(value, safe='')}"
    request = AWSRequest(method="POST", url=f"http://h:1{target}", data=body, headers={"X-Amz-Client-Context": value})
    SigV4Auth(BotoCredentials(KEY, SECRET), "lambda", "eu-west-1").add_auth(request)
    headers = {**{key: str(one) for key, one in request.headers.items()}, "Host": "h:1"}
    verifier = Verifier(
        Credentials(access_key_id=KEY, secret_access_key=SECRET), "eu-west-1", now=lambda: dt.datetime.now(dt.UTC)
    )
    assert verifier.refusal(_Request(target, body, headers)) is None

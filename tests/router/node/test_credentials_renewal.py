"""When lent credentials are renewed and what Envoy is told, by a clock that the test holds."""

import json
from datetime import datetime
from pathlib import Path

import pytest

from router.node.clock_skew import apis, verdict
from router.node.credentials import Choice, Source, envoy_environment, fingerprint, source
from router.node.credentials_chain import tidy
from router.node.credentials_renewal import NO_KEY, Lending, Lent, Secret
from router.node.credentials_watch import trouble

NOW = 1_800_000_000.0


def lent(seconds: float | None) -> Lent:
    return Lent(
        access_key=Secret("AKIAEXAMPLE"),
        secret_key=Secret("hush"),
        token=Secret("hush too"),
        expires=None if seconds is None else NOW + seconds,
        method="assume-role",
    )


def told(lending: Lending, now: float) -> tuple[str, float]:
    """The access key and the seconds until its end, as Envoy is told them."""
    answer = json.loads(lending.answer(now))
    return answer["AccessKeyId"], datetime.fromisoformat(answer["Expiration"]).timestamp() - now


def test_keys_show_in_no_representation() -> None:
    """Neither `repr` nor the state that the agent reads has a key, a secret or a token in it."""
    lending = Lending()
    lending.renewed(lent(3600), NOW)
    for text in (repr(lent(3600)), repr(lending), str(lending.held), json.dumps(lending.state(NOW))):
        assert "hush" not in text
        assert "AKIAEXAMPLE" not in text


@pytest.mark.parametrize(("life", "after"), [(3600, 2700), (43_200, 42_300), (900, 450), (12, 6)])
def test_credentials_are_renewed_ahead_of_their_end(life: float, after: float) -> None:
    """Fifteen minutes before the end, or after half of a short life."""
    lending = Lending()
    lending.renewed(lent(life), NOW)
    assert lending.renew_at == NOW + after


def test_a_failed_renewal_keeps_what_is_valid() -> None:
    """Valid credentials are lent on while renewals fail, and each failure waits longer, up to half a minute."""
    lending = Lending()
    lending.renewed(lent(3600), NOW)
    waits = []
    for _ in range(8):
        lending.failed("no answer", NOW + 2700)
        waits.append(lending.renew_at - NOW - 2700)
    assert waits == sorted(waits)
    assert waits[-1] == 30
    assert told(lending, NOW + 3500) == ("AKIAEXAMPLE", 100)
    lending.renewed(lent(7200), NOW + 3500)
    assert lending.state(NOW + 3500)["error"] is None


def test_without_valid_credentials_envoy_gets_the_name_of_none() -> None:
    """Envoy is answered all the same, with a name that signs nothing and an end that makes it ask again in 2 s."""
    lending = Lending()
    assert told(lending, NOW) == (NO_KEY, 62)
    lending.renewed(lent(100), NOW)
    assert told(lending, NOW + 50)[0] == "AKIAEXAMPLE"
    assert told(lending, NOW + 100) == (NO_KEY, 62)


def test_credentials_past_their_end_are_not_taken() -> None:
    """A cache that gives what has expired is a failure with the method's name, and what is held stays."""
    lending = Lending()
    lending.renewed(lent(100), NOW)
    lending.renewed(lent(-1), NOW)
    assert told(lending, NOW)[0] == "AKIAEXAMPLE"
    assert "assume-role gave credentials that have expired" in str(lending.error)


def test_static_keys_are_read_again() -> None:
    """Keys without an end are looked up again every five minutes, so that exchanged ones are noticed."""
    lending = Lending()
    lending.renewed(lent(None), NOW)
    assert lending.renew_at == NOW + 300
    assert told(lending, NOW) == ("AKIAEXAMPLE", 360)


@pytest.mark.parametrize(
    ("text", "left"),
    [
        ("the key ASIAIOSFODNN7EXAMPLE is wrong", "the key [redacted] is wrong"),
        ("secret wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY\nfailed", "secret [redacted] failed"),
        ("Error when retrieving credentials: exit 1", "Error when retrieving credentials: exit 1"),
    ],
)
def test_errors_of_the_chain_are_told_without_secrets(text: str, left: str) -> None:
    """What a provider says is cut to one line, and whatever looks like a key is taken out."""
    assert tidy(text) == left
    assert len(tidy("word " * 1000)) == 300


@pytest.mark.parametrize(
    ("choice", "keys", "expected"),
    [
        (Choice.AUTO, True, Source.KEYS),
        (Choice.AUTO, False, Source.CHAIN),
        (Choice.ENVIRONMENT, True, Source.KEYS),
        (Choice.ENVIRONMENT, False, Source.ENVOY),
        (Choice.CHAIN, True, Source.CHAIN),
    ],
)
def test_the_source_is_chosen_once(choice: Choice, expected: Source, *, keys: bool) -> None:
    """By default keys in the environment are used as they are, and without them boto3's chain."""
    environment = {"AWS_ACCESS_KEY_ID": "a", "AWS_SECRET_ACCESS_KEY": "b"} if keys else {}
    assert source(choice, environment) is expected


def test_envoy_can_only_find_what_is_lent() -> None:
    """With the chain, every other place where Envoy looks is empty, and control's token is never handed on."""
    environment = envoy_environment(Source.CHAIN, (4711, Path("/state/credentials/token")))
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SESSION_TOKEN", "AWS_PROFILE", "AWS_WEB_IDENTITY_TOKEN_FILE", "FIG_TOKEN"):
        assert environment[name] == ""
    assert environment["AWS_CONTAINER_CREDENTIALS_FULL_URI"] == "http://127.0.0.1:4711/credentials"
    assert envoy_environment(Source.KEYS, None) == {"FIG_TOKEN": ""}


def test_a_changed_environment_is_noticed() -> None:
    """Another profile is another fingerprint; what the chain does not look at is none."""
    assert fingerprint({"AWS_PROFILE": "a"}) != fingerprint({"AWS_PROFILE": "b"})
    assert fingerprint({"AWS_PROFILE": "a"}) == fingerprint({"AWS_PROFILE": "a", "LANG": "C"})


def test_what_is_wrong_is_said_in_words() -> None:
    """Failing renewals, expired credentials and an Envoy that asks no more are told apart; all well says nothing."""
    lending = Lending()
    lending.renewed(lent(3600), NOW)
    assert trouble({}, NOW) is None
    assert trouble(lending.state(NOW), NOW) is None
    lending.failed("no route to STS", NOW)
    said = trouble(lending.state(NOW), NOW)
    assert (
        said
        == "the AWS credentials (assume-role) end at 2027-01-15T09:00:00+00:00 and cannot be renewed: no route to STS"
    )
    said = trouble(lending.state(NOW + 3600), NOW + 3600)
    assert said == "no valid AWS credentials, calls to Lambda go to legacy: no route to STS"
    lending.answer(NOW)
    lending.renewed(lent(7200), NOW)
    assert "asks again within the hour" in str(trouble(lending.state(NOW + 3700), NOW + 3700))


@pytest.mark.parametrize(
    ("skew", "said"),
    [
        (59.0, None),
        (-60.0, None),
        (61.0, "61 s ahead of the Lambda API's (lambda.example): calls are denied from 300 s on"),
        (-90.0, "90 s behind the Lambda API's (lambda.example): calls are denied from 300 s on"),
        (241.0, "241 s ahead of the Lambda API's (lambda.example): from 300 s on every call is denied"),
    ],
)
def test_a_wrong_clock_is_judged_by_the_five_minutes_of_a_signature(skew: float, said: str | None) -> None:
    """One minute off is a warning, four minutes an error, in either direction."""
    found = verdict(skew, "lambda.example")
    assert found is None if said is None else said in str(found)


def test_only_endpoints_that_prove_who_they_are_are_asked_for_the_time() -> None:
    """Functions behind TLS are asked once per endpoint; stand-ins without TLS and plain upstreams never."""
    function = {"arn": "arn", "endpoint": "https://10.0.0.1:443", "tls": {"ca": "ca.pem", "name": "lambda.example"}}
    plain = {"arn": "arn", "endpoint": "http://127.0.0.1:9000", "tls": None}
    estate = {"lambda": {"a": function, "b": function, "c": plain, "d": {"http": {}}}}
    found, endpoints = apis(json.dumps(estate).encode())
    assert found
    assert [(one.host, one.port, one.name, one.ca_file) for one in endpoints] == [
        ("10.0.0.1", 443, "lambda.example", "ca.pem")
    ]
    assert apis(json.dumps({"lambda": {"d": {"http": {}}}}).encode()) == (False, frozenset())

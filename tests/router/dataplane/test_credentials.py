"""With which keys Envoy signs its calls, where they come from, and what happens when they end."""

import asyncio
import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import pytest

from router.node.credentials import Source, envoy_environment
from router.node.credentials_process import CredentialsProcess
from router.node.state_directory import StateDirectory

from ..node.keys import Keys
from .harness import Answer, Running, eventually, running_router
from .standins import InvokeApi, Seen, StandIn, api_error, echo

ESTATE = """
version: 1
entry: {address: "127.0.0.1:${ENTRY_PORT}", default: shop, expose_side: true}
legacy:
  shop: {endpoints: ["127.0.0.1:${LEGACY_PORT}"]}
lambda:
  books:
    arn: arn:aws:lambda:eu-west-1:123456789012:function:books:live
    endpoint: http://127.0.0.1:${LAMBDA_PORT}
    timeout: 2s
routes:
  books: {match: {path: {prefix: /books}}, legacy: shop, lambda: books, sticky: {header: X-User}}
"""
NOTHING = {"AWS_EC2_METADATA_DISABLED": "true", "HOME": "/nowhere"}


class World:
    """A running router all of whose requests go to Lambda, and both upstreams."""

    def __init__(self, router: Running, legacy: StandIn, api: InvokeApi) -> None:
        self.router, self.legacy, self.api = router, legacy, api

    def key(self) -> str | None:
        """The access key of a request's call; None where there was no call."""
        self.api.seen.clear()
        self.request("GET")
        return access_key(self.api.seen[-1]) if self.api.seen else None

    def request(self, method: str) -> Answer:
        """Send a request; a POST has a body."""
        body = b"order" if method == "POST" else None
        return self.router.request("/books/1", [("X-User", "alice")], method=method, body=body)


def access_key(call: Seen) -> str:
    """The access key's name in a call's signature."""
    return (call.header("authorization") or "").partition("Credential=")[2].partition("/")[0]


@pytest.fixture(autouse=True)
def no_keys_of_the_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in os.environ if name.startswith("AWS_")]:
        monkeypatch.delenv(name)


@contextmanager
def routed(folder: Path, credentials: Mapping[str, str]) -> Iterator[World]:
    """A router whose Envoy has these credentials."""
    with StandIn(echo).running() as legacy, InvokeApi().running() as api:
        assert isinstance(api, InvokeApi)
        ports = {"LEGACY_PORT": str(legacy.port), "LAMBDA_PORT": str(api.port)}
        folder.mkdir(exist_ok=True)
        with running_router(
            folder, ESTATE, weights={"books": 10_000}, environment=ports, credentials=credentials
        ) as router:
            yield World(router, legacy, api)


def from_environment(_folder: Path) -> dict[str, str]:
    return {"AWS_ACCESS_KEY_ID": "AKIAENV", "AWS_SECRET_ACCESS_KEY": "s", "AWS_SESSION_TOKEN": "t"}


def from_profile(folder: Path) -> dict[str, str]:
    file = folder / "credentials"
    file.write_text("[bank]\naws_access_key_id = AKIAPROFILE\naws_secret_access_key = s\n")
    return {"AWS_SHARED_CREDENTIALS_FILE": str(file), "AWS_PROFILE": "bank"}


@pytest.mark.parametrize(("given", "key"), [(from_environment, "AKIAENV"), (from_profile, "AKIAPROFILE")])
def test_envoy_finds_keys_by_itself(tmp_path: Path, given: Callable[[Path], dict[str, str]], key: str) -> None:
    """Keys in the environment, and keys in a profile of the shared credentials file, sign the calls."""
    with routed(tmp_path / "node", {**NOTHING, **given(tmp_path)}) as world:
        assert world.key() == key
        assert world.request("POST").header("x-fig-side") == "lambda"


def test_without_credentials_legacy_answers_and_the_api_is_not_asked(tmp_path: Path) -> None:
    """What Envoy cannot sign is not sent to the API: every method falls back at once, with the reason counted."""
    with routed(tmp_path, NOTHING) as world:
        for method in ("GET", "POST"):
            answer = world.request(method)
            assert (answer.status, answer.header("x-fig-side")) == (200, "legacy")
        assert world.api.seen == []
        assert world.legacy.seen[-1].body == b"order"
        assert b"no_credentials" in world.router.admin("/stats?filter=fig.calls")


def test_lent_credentials_sign_are_exchanged_and_end(tmp_path: Path) -> None:
    """Envoy signs with what boto3's chain gives and with what it gives next; when it gives nothing, legacy answers
    every method, without a call, until there are credentials again; no client sees a failure.
    """  # noqa: D205
    keys = Keys(tmp_path / "home")
    keys.give("AKIAONE", seconds=8)
    state = StateDirectory(tmp_path / "node")
    state.root.mkdir()
    server = CredentialsProcess(state, keys.environment())
    (state.root / "logs").mkdir()
    asyncio.run(server.ensure())
    (state.root / "logs" / "credentials.log").unlink()
    (state.root / "logs").rmdir()
    # Keys that would win, were they not kept from Envoy.
    other = from_environment(tmp_path) | from_profile(tmp_path)
    lent = envoy_environment(Source.CHAIN, (server.files.port(), server.files.token))
    try:
        with routed(state.root, {**NOTHING, **other, **lent}) as world:
            assert world.key() == "AKIAONE"
            assert world.api.seen[-1].header("x-amz-security-token") == "token-of-AKIAONE"
            keys.give("AKIATWO", seconds=12)
            eventually(lambda: world.key() == "AKIATWO")
            keys.refuse()
            eventually(lambda: world.key() is None)
            for method in ("GET", "POST"):
                answer = world.request(method)
                assert (answer.status, answer.header("x-fig-side")) == (200, "legacy")
            assert world.api.seen == []
            keys.give("AKIATHREE", seconds=3600)
            eventually(lambda: world.key() == "AKIATHREE", seconds=30)
            assert world.request("POST").header("x-fig-side") == "lambda"
    finally:
        asyncio.run(server.stop())


@pytest.mark.parametrize("kind", ["ExpiredTokenException", "UnrecognizedClientException", "InvalidSignatureException"])
def test_credentials_that_the_api_refuses_fall_back_for_every_method(tmp_path: Path, kind: str) -> None:
    """Expired or unknown keys and a wrong clock: the API's 403 proves that nothing ran, so legacy answers a POST too."""  # noqa: E501
    with routed(tmp_path, from_environment(tmp_path)) as world:
        world.api.api = api_error(403, kind)
        for method in ("GET", "POST"):
            answer = world.request(method)
            assert (answer.status, answer.header("x-fig-side")) == (200, "legacy")
        assert len(world.api.seen) == 2
        assert world.legacy.seen[-1].body == b"order"
        assert b"denied" in world.router.admin("/stats?filter=fig.calls")

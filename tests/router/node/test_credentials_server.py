"""The process that lends Envoy credentials, with boto3's real chain behind it."""

import asyncio
import http.client
import json
import os
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from router.node.credentials_process import CredentialsProcess, PortTaken
from router.node.credentials_renewal import NO_KEY
from router.node.state_directory import StateDirectory

from .keys import Keys
from .waiting import until


@pytest.fixture
def keys(tmp_path: Path) -> Keys:
    return Keys(tmp_path / "home")


@pytest.fixture
def state(tmp_path: Path) -> StateDirectory:
    directory = StateDirectory(tmp_path / "state")
    directory.prepare()
    return directory


@contextmanager
def serving(state: StateDirectory, environment: dict[str, str]) -> Iterator[CredentialsProcess]:
    """A running server, ended with the block."""
    process = CredentialsProcess(state, environment)
    assert asyncio.run(process.ensure())
    try:
        yield process
    finally:
        asyncio.run(process.stop())
        assert process.files.server() is None


def ask(
    process: CredentialsProcess, *, method: str = "GET", path: str = "/credentials", **changed: str
) -> tuple[int, dict[str, Any]]:
    """Ask as Envoy does, but for what is changed."""
    port = process.files.port()
    fields = {"host": f"127.0.0.1:{port}", "authorization": process.files.token.read_text(), **changed}
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    try:
        connection.putrequest(method, path, skip_host=True, skip_accept_encoding=True)
        for name, value in fields.items():
            if value:
                connection.putheader(name, value)
        connection.endheaders()
        answer = connection.getresponse()
        return answer.status, json.loads(answer.read())
    finally:
        connection.close()


def test_the_chains_credentials_are_lent_to_who_shows_the_token(state: StateDirectory, keys: Keys) -> None:
    """Only a GET of the one path with the token and the loopback address as host gets the keys."""
    keys.give("AKIAONE", seconds=3600)
    with serving(state, keys.environment()) as process:
        status, lent = ask(process)
        assert (status, lent["AccessKeyId"], lent["Token"]) == (200, "AKIAONE", "token-of-AKIAONE")
        assert 3500 < datetime.fromisoformat(lent["Expiration"]).timestamp() - time.time() < 3601
        assert ask(process, host="127.0.0.1")[0] == 200  # as Envoy writes it
        for changed, expected in (
            ({"authorization": ""}, 401),
            ({"authorization": "wrong"}, 401),
            ({"host": "rebound.example"}, 403),
            ({"host": ""}, 403),
            ({"path": "/"}, 404),
            ({"path": "/credentials/.."}, 404),
            ({"method": "POST"}, 405),
        ):
            assert ask(process, **changed) == (expected, {}), changed
        told = process.told()
        assert (told["method"], told["valid"], told["error"]) == ("custom-process", True, None)


def test_nothing_that_is_secret_can_be_seen_by_others(state: StateDirectory, keys: Keys) -> None:
    """Token and state are the owner's alone; keys stand in no file, and the token in no command line."""
    keys.give("AKIAONE", seconds=3600)
    with serving(state, keys.environment()) as process:
        token = process.files.token.read_text()
        assert ask(process)[0] == 200
        folder = process.files.root
        assert folder.stat().st_mode & 0o777 == 0o700
        for file in folder.iterdir():
            assert file.stat().st_mode & 0o777 == 0o600, file
        written = [file for file in state.root.rglob("*") if file.is_file()]
        assert all("AKIAONE" not in file.read_text() for file in written)
        assert [file.name for file in written if token in file.read_text()] == ["token"]
        assert token not in Path(f"/proc/{process.files.server()}/cmdline").read_text()
        assert ":0100007F" not in Path("/proc/net/tcp6").read_text()
        with pytest.raises(OSError, match="refused"):
            socket.create_connection(("127.0.0.2", process.files.port()), 2)


def test_credentials_are_renewed_and_outlive_failures(state: StateDirectory, keys: Keys) -> None:
    """The next keys are fetched before the end; when that fails the old ones are lent to their end, then none."""
    keys.give("AKIAONE", seconds=6)
    with serving(state, keys.environment()) as process:
        assert ask(process)[1]["AccessKeyId"] == "AKIAONE"
        keys.give("AKIATWO", seconds=10)
        until(lambda: ask(process)[1]["AccessKeyId"] == "AKIATWO", seconds=6)
        keys.refuse()
        until(lambda: process.told().get("error"))
        assert process.told()["valid"]
        assert ask(process)[1]["AccessKeyId"] == "AKIATWO"
        until(lambda: ask(process)[1]["AccessKeyId"] == NO_KEY, seconds=10)
        assert not process.told()["valid"]
        assert "custom-process" in process.told()["error"]
        keys.give("AKIATHREE", seconds=3600)
        until(lambda: ask(process)[1]["AccessKeyId"] == "AKIATHREE", seconds=20)
        assert process.told()["error"] is None


def test_a_killed_server_comes_back_on_its_port_with_another_token(state: StateDirectory, keys: Keys) -> None:
    """The port is the one that Envoy knows; the token is new, in the file that Envoy reads each time."""
    keys.give("AKIAONE", seconds=3600)
    with serving(state, keys.environment()) as process:
        port, token, pid = process.files.port(), process.files.token.read_text(), process.files.server()
        assert asyncio.run(process.ensure()) is False
        assert pid is not None
        os.kill(pid, 9)
        until(lambda: process.files.server() is None)
        assert asyncio.run(process.ensure()) is True
        assert process.files.port() == port
        assert process.files.token.read_text() != token
        assert ask(process, authorization=token)[0] == 401
        assert ask(process)[1]["AccessKeyId"] == "AKIAONE"


def test_a_server_with_another_environment_is_replaced(state: StateDirectory, keys: Keys) -> None:
    """An agent that was started with another profile does not take over what lends the old one's keys."""
    keys.give("AKIAONE", seconds=3600)
    with serving(state, keys.environment()) as process:
        first = process.files.server()
        assert asyncio.run(CredentialsProcess(state, keys.environment()).ensure()) is False
        other = CredentialsProcess(state, keys.environment("static"))
        assert asyncio.run(other.ensure()) is True
        assert other.files.server() != first
        assert ask(other)[1]["AccessKeyId"] == "AKIASTATIC"
        assert other.told()["expires"] is None
        asyncio.run(other.stop())


def test_a_taken_port_is_said(state: StateDirectory, keys: Keys) -> None:
    """Where somebody else has the port, no server runs, and the port is named."""
    process = CredentialsProcess(state, keys.environment())
    process.files.prepare()
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        (process.files.root / "port").write_text(str(port))
        with pytest.raises(PortTaken, match=f"port {port} .* taken by another process"):
            asyncio.run(process.ensure())
    assert process.files.server() is None


def test_a_chain_without_credentials_is_said(state: StateDirectory, keys: Keys) -> None:
    """Where no provider has anything, the reason is told, and Envoy gets the name of none."""
    with serving(state, keys.environment(None)) as process:
        assert "no provider of boto3's chain has credentials" in process.told()["error"]
        assert ask(process)[1]["AccessKeyId"] == NO_KEY


class _Sts(BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        asked = self.rfile.read(int(self.headers["content-length"])).decode()
        web = "AssumeRoleWithWebIdentity" in asked
        assert web or "Credential=AKIASTATIC/" in self.headers["authorization"]
        action, key = ("AssumeRoleWithWebIdentity", "ASIAWEB") if web else ("AssumeRole", "ASIAROLE")
        ends = datetime.fromtimestamp(time.time() + 3600, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        body = (
            f'<{action}Response xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><{action}Result><Credentials>'
            f"<AccessKeyId>{key}</AccessKeyId><SecretAccessKey>s</SecretAccessKey><SessionToken>t</SessionToken>"
            f"<Expiration>{ends}</Expiration></Credentials></{action}Result></{action}Response>"
        ).encode()
        self.send_response(200)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_arguments: Any) -> None:
        pass


@pytest.fixture
def sts() -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Sts)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join(10)


@pytest.mark.parametrize(
    ("profile", "key", "method"),
    [("role", "ASIAROLE", "assume-role"), (None, "ASIAWEB", "assume-role-with-web-identity")],
)
def test_a_role_is_assumed(  # noqa: PLR0913, PLR0917 - two fixtures and three words
    state: StateDirectory, keys: Keys, sts: str, profile: str | None, key: str, method: str
) -> None:
    """A profile that assumes a role, and a web identity's token, are taken to STS, and its keys are lent."""
    token = keys.folder / "web-token"
    token.write_text("a.b.c")
    web = {"AWS_WEB_IDENTITY_TOKEN_FILE": str(token), "AWS_ROLE_ARN": "arn:aws:iam::123456789012:role/web"}
    environment = keys.environment(profile) | {"AWS_ENDPOINT_URL_STS": sts, "AWS_REGION": "eu-west-1"}
    with serving(state, environment | (web if profile is None else {})) as process:
        assert ask(process)[1]["AccessKeyId"] == key
        assert process.told()["method"] == method


def test_the_server_is_small(state: StateDirectory, keys: Keys) -> None:
    """It takes less than 40 MB of memory: botocore runs in a process of its own, for as long as a walk takes."""
    keys.give("AKIAONE", seconds=3600)
    with serving(state, keys.environment()) as process:
        pages = int(Path(f"/proc/{process.files.server()}/statm").read_text().split()[1])
        assert pages * os.sysconf("SC_PAGE_SIZE") < 40e6
        assert "botocore" not in Path(f"/proc/{process.files.server()}/maps").read_text()

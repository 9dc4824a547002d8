"""A ledger on a MySQL server: verified, with a password that nobody sees, and one control at a time."""

import asyncio
import subprocess
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlalchemy import Engine, text

from router.errors import LedgerFailed
from router.ledger.records import Desired, Kind, NewEntry, Step
from router.ledger.server import Server, password, server
from router.ledger.store import Ledger
from strangler_fig.diagnostics import Refused
from tests.adapters.mariadb import MariaDb, running
from tests.router.control.test_process import ESTATE, Desk

SECRET = "s3cret-of-the-ledger"  # noqa: S105 - of this test's server
AT = datetime(2026, 11, 2, 8, 0, tzinfo=UTC)
MOVE = Step(before=Desired(), after=Desired(), entries=(NewEntry(at=AT, kind=Kind.STEP, actor="ann"),))


@pytest.fixture(scope="module")
def own(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[MariaDb, Path]]:
    """A server that shows a certificate for 127.0.0.1, and the file of the CA that signed it."""
    folder = tmp_path_factory.mktemp("ca")
    command = (
        "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj /CN=ledger -keyout key.pem"
        " -out ca.pem -addext subjectAltName=IP:127.0.0.1 -addext basicConstraints=critical,CA:TRUE"
        " -addext keyUsage=critical,keyCertSign,digitalSignature"
    )
    subprocess.run(command.split(), cwd=folder, check=True, capture_output=True)
    options = (f"--ssl-cert={folder / 'ca.pem'}", f"--ssl-key={folder / 'key.pem'}")
    with running(tmp_path_factory.mktemp("mariadb"), *options) as one:
        one.run(
            "create database ledger",
            f"create user fig@'%' identified by '{SECRET}' require ssl",
            "grant all on ledger.* to fig@'%'",
        )
        yield one, folder / "ca.pem"


def at(own: tuple[MariaDb, Path], folder: Path) -> Server:
    """The server, with its CA and a password file."""
    (folder / "password").write_text(SECRET + "\n")
    url = f"mysql://fig@127.0.0.1:{own[0].port}/ledger"
    return server(url, ca=own[1], password_file=folder / "password")


def command_line(pid: int) -> str:
    """What `ps` shows of a process."""
    return Path(f"/proc/{pid}/cmdline").read_text()


@pytest.fixture
def engine(own: tuple[MariaDb, Path], tmp_path: Path) -> Iterator[Engine]:
    """An engine over the server, whose database is empty."""
    own[0].run("drop database ledger", "create database ledger")
    one = at(own, tmp_path).engine()
    yield one
    one.dispose()


def test_a_ledger_lives_on_a_server_over_tls(engine: Engine) -> None:
    """It is migrated there, over an encrypted connection, and is a whole ledger: what is written is read back."""
    ledger = Ledger.over(engine)
    with engine.connect() as connection:
        assert connection.execute(text("SHOW STATUS LIKE 'Ssl_version'")).one()[1] == "TLSv1.3"
    ledger.record(replace(MOVE, after=Desired(revision=4, weights_version=3)))
    ledger.close()
    again = Ledger.over(engine)
    assert (again.desired().revision, again.verify().faults, again.head().entries) == (4, (), 1)
    again.close()


def test_a_second_control_may_not_write(engine: Engine, own: tuple[MariaDb, Path], tmp_path: Path) -> None:
    """A ledger has one writer; when its connections break it takes its right back, unless another was faster."""
    first = Ledger.over(engine)
    other = at(own, tmp_path).engine()
    with pytest.raises(LedgerFailed, match="another control process writes to the ledger ledger"):
        Ledger.over(other)
    for number, _ in own[0].sessions("fig"):
        own[0].run(f"kill {number}")
    first.keep_alive()
    first.record(MOVE)
    for number, _ in own[0].sessions("fig"):
        own[0].run(f"kill {number}")
    second = Ledger.over(other)
    with pytest.raises(LedgerFailed, match="another control process"):
        first.record(MOVE)
    second.close()
    first.record(MOVE)
    assert first.head().entries == 2
    first.close()
    other.dispose()


def test_control_keeps_its_ledger_there(own: tuple[MariaDb, Path], tmp_path: Path) -> None:
    """`fig control --ledger` goes on where it was after kill -9, and nobody sees the password."""
    desk = Desk(folder=tmp_path)
    (tmp_path / "estate.yaml").write_text(ESTATE)
    own[0].run("drop database ledger", "create database ledger")
    there = at(own, tmp_path)
    url = f"mysql://fig@127.0.0.1:{there.url.port}/ledger"
    options = ("--ledger", url, "--ledger-ca", str(own[1]), "--ledger-password-file", "password")

    async def main() -> None:
        async with desk.control(*options) as control:
            async with desk.node():
                await desk.fig("publish", "estate.yaml")
                assert (await desk.fig("shift", "books-read", "7%")).code == 0
            assert SECRET not in command_line(control.pid)
            second = await desk.fig("control", "--state", "other", "--port", "0", "--no-run-file", *options)
            assert (second.code, "another control process writes" in second.err) == (1, True), second
            control.kill()
            await control.wait()
        async with desk.control(*options), desk.node() as node:
            assert node.weights == {"books-read": 700}
        assert not (tmp_path / "state" / "ledger.sqlite").exists()
        seen = await desk.fig("control", "--state", "s", "--ledger", f"mysql://fig:{SECRET}@127.0.0.1/ledger")
        assert (seen.code, SECRET in seen.err + seen.out, "CT111" in seen.err) == (2, False, True), seen
        assert (await desk.fig("control", "--state", "s", "--ledger-ca", "x")).code == 2

    asyncio.run(main())


def test_a_server_of_another_name_or_ca_gets_no_password(own: tuple[MariaDb, Path], tmp_path: Path) -> None:
    """TLS is verified: another CA, or a name that is not in the certificate, is refused before the login."""
    sound = at(own, tmp_path)
    for wrong in (replace(sound, ca=own[0].other_ca), replace(sound, url=sound.url.set(host="localhost"))):
        engine = wrong.engine()
        with pytest.raises(LedgerFailed, match="certificate verify failed") as refused:
            Ledger.over(engine)
        assert SECRET not in str(refused.value)
        engine.dispose()
    assert own[0].sessions("fig") == []


def test_a_rotated_password_is_read_for_each_connection(engine: Engine, tmp_path: Path) -> None:
    """A wrong password is an error that does not show it; a file that is replaced is believed without a restart."""
    file = tmp_path / "password"
    file.write_text('{"username": "fig", "password": "wrong-one"}')
    with pytest.raises(LedgerFailed, match="Access denied") as refused:
        Ledger.over(engine)
    assert "wrong-one" not in str(refused.value)
    file.write_text(f'{{"username": "fig", "password": "{SECRET}"}}')
    Ledger.over(engine).close()


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("mysql://fig:s3cret@h/ledger", "has a password in it"),
        ("mysql://fig:s3cret@h:port/ledger", "cannot be read"),
        ("s3cret", "cannot be read"),
        ("postgresql://fig@h/ledger", "not one of MySQL or MariaDB"),
        ("sqlite:///ledger.sqlite", "not one of MySQL or MariaDB"),
        ("mysql://h/ledger", "names no user or no database"),
        ("mysql://fig@h/", "names no user or no database"),
        ("mysql:///ledger", "names no user or no database"),
        ("mysql://fig@/ledger", "names no host"),
        ("mysql://fig@h/ledger?ssl_disabled=true", "has the parameter 'ssl_disabled'"),
        ("mysql://fig@h/ledger?read_default_file=/etc/my.cnf", "has the parameter 'read_default_file'"),
    ],
)
def test_a_url_that_will_not_do_is_refused_without_being_shown(url: str, said: str) -> None:
    """Each says what is wrong with it, and none repeats what may be a password."""
    with pytest.raises(Refused) as refused:
        server(url, ca=None, password_file=None)
    (found,) = refused.value.diagnostics
    assert said in found.message
    assert "s3cret" not in str(found)
    assert refused.value.__cause__ is None


def test_a_ca_file_without_certificates_is_refused(tmp_path: Path) -> None:
    """What is no PEM file, or is not there, is said before anything is connected to."""
    (tmp_path / "empty").write_text("")
    for path in (tmp_path / "empty", tmp_path / "nowhere"):
        with pytest.raises(Refused, match="cannot be read"):
            server("mysql://fig@h/ledger", ca=path, password_file=None).engine()


@pytest.mark.parametrize("content", ["", '{"username": "fig"}', "{", '{"password": ""}', '{"password": 7}'])
def test_a_password_file_without_a_password_is_said(tmp_path: Path, content: str) -> None:
    """The message names the file, and nothing that is in it."""
    (tmp_path / "password").write_text(content)
    with pytest.raises(LedgerFailed, match="the ledger's password file"):
        password(tmp_path / "password")
    with pytest.raises(LedgerFailed, match="cannot be read"):
        password(tmp_path / "nowhere")


def test_the_password_comes_from_the_environment_where_there_is_no_file(monkeypatch: pytest.MonkeyPatch) -> None:
    """`FIG_LEDGER_PASSWORD`, else none: a socket of this machine needs none."""
    monkeypatch.setenv("FIG_LEDGER_PASSWORD", "x")
    assert password(None) == "x"
    monkeypatch.delenv("FIG_LEDGER_PASSWORD")
    assert password(None) == ""

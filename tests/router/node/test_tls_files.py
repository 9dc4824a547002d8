"""Certificates, keys and authorities are renewed by file, and what is wrong with a renewal harms nobody."""

import asyncio
import os
import shutil
import signal
import socket
import ssl
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from router.estate import EntryTls, Estate, Tls
from router.node.envoy_process import find_envoy
from router.node.errors import Rejection
from router.node.report import Problems
from router.node.state_directory import StateDirectory
from router.node.tls_watch import TlsWatch
from router.snapshot.compiler import compile_estate
from router.snapshot.directory import write
from router.snapshot.manifest import Manifest, Snapshot
from router.snapshot.tls_files import contents

from ..authority import Authority, openssl
from .fake_control import FakeControl
from .host import Host
from .snapshots import estate
from .waiting import until

NAME = "router.bank.example"
Ports = tuple[int, int, int]


class Files:
    """The files that an estate names, and an authority that makes what is in them."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir()
        self.authority = Authority(folder / "ca", days=400)
        self.certificate, self.key, self.ca = (folder / name for name in ("entry.pem", "entry.key", "bank-ca.pem"))
        self.renew()
        shutil.copyfile(self.authority.ca, self.ca)

    def renew(self, *, days: int = 90) -> None:
        """A new certificate and its key."""
        self.put(*self.authority.pair(NAME, days=days))

    def put(self, certificate: Path | None = None, key: Path | None = None) -> None:
        """Other contents for the certificate, the key, or both."""
        for source, target in ((certificate, self.certificate), (key, self.key)):
            if source is not None:
                fresh = target.with_suffix(".new")
                shutil.copyfile(source, fresh)
                fresh.rename(target)

    def of(self, plain: Estate) -> Estate:
        """The estate with TLS from these files on both sides."""
        (service,) = plain.legacy
        return replace(
            plain,
            entry=replace(plain.entry, tls=EntryTls(certificate_file=str(self.certificate), key_file=str(self.key))),
            legacy=(replace(service, tls=Tls(name="shop.bank.example", ca_file=str(self.ca))),),
        )

    def snapshot(self, ports: Ports) -> Snapshot:
        """A snapshot with TLS from these files."""
        return compile_estate(self.of(estate(ports)), {})


@pytest.fixture
def files(tmp_path: Path) -> Files:
    return Files(tmp_path / "files")


def shown(host: Host) -> int:
    """The serial number of the certificate that the host shows; 0 when it shows none."""
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    try:
        with (
            socket.create_connection(("127.0.0.1", host.entry_port), 5) as connection,
            context.wrap_socket(connection, server_hostname=NAME) as wrapped,
        ):
            return hash(wrapped.getpeercert(binary_form=True))
    except OSError:
        return 0


def test_a_renewed_pair_is_used_without_a_restart(host: Host, control: FakeControl, ports: Ports, files: Files) -> None:
    """While the key is missing the old pair is shown; then the new one is, by the same Envoy, and reported."""
    control.want(files.snapshot(ports))
    host.start(control.url)
    report = control.await_in_force()
    first, pid = shown(host), host.envoy_pid()
    assert first
    (entry,) = (one for one in report["certificates"] if one["file"] == str(files.certificate))
    assert entry["subject"] == f"CN={NAME}"
    certificate, key = files.authority.pair(NAME, days=300)
    files.put(certificate)
    problem = control.await_report(lambda report: any("another certificate's" in one for one in report["problems"]))
    assert any("the last good one is used" in one for one in problem["problems"])
    assert shown(host) == first
    files.put(key=key)
    until(lambda: shown(host) not in (0, first))
    assert host.envoy_pid() == pid
    days = timedelta(days=299)
    control.await_report(
        lambda report: any(
            datetime.fromisoformat(one["not_after"]) - datetime.now(UTC) > days for one in report["certificates"]
        )
    )
    control.await_report(lambda report: any("(mended since)" in one for one in report["problems"]))


def test_damaged_files_take_nothing_down(host: Host, control: FakeControl, ports: Ports, files: Files) -> None:
    """With a file half written Envoy, and even the next Envoy, serve with what there was before."""
    control.want(files.snapshot(ports))
    host.start(control.url)
    control.await_in_force()
    first, pid = shown(host), host.envoy_pid()
    assert pid
    files.certificate.write_bytes(files.certificate.read_bytes()[:300])  # in place, as some tools do
    files.ca.unlink()
    control.await_report(lambda report: sum("the last good one is used" in one for one in report["problems"]) == 2)
    assert shown(host) == first
    os.kill(pid, signal.SIGKILL)
    until(lambda: host.envoy_pid() not in (None, pid))
    until(lambda: shown(host) == first)
    assert host.end_agent() == 0
    host.start(control.url)
    until(lambda: shown(host) == first)


def test_a_snapshot_whose_files_are_missing_is_rejected(
    host: Host, control: FakeControl, ports: Ports, files: Files
) -> None:
    """What a node has never seen it cannot serve: the reason names every file, and what it served it serves on."""
    good = compile_estate(estate(ports), {})
    control.want(good)
    host.start(control.url)
    control.await_in_force()
    files.key.unlink()
    files.ca.write_text("nothing")
    control.want(files.snapshot(ports))
    report = control.await_report(lambda report: report["rejected"] is not None)
    reason = report["rejected"]["reason"]
    assert f"{files.certificate} cannot be read: No such file or directory ({files.key})" in reason
    assert f"{files.ca} cannot be used: it holds no certificate" in reason
    assert host.side() == "legacy"


@dataclass
class Watched:
    """A watch over one snapshot's files, whose looks and whose time a test makes."""

    watch: TlsWatch
    problems: Problems
    state: StateDirectory
    now: Callable[[datetime], None]

    def looks(self, count: int = 2) -> list[str]:
        """The problems after so many looks."""

        async def look() -> None:
            for _ in range(count):
                await self.watch.look()

        asyncio.run(look())
        return self.problems.texts()

    def has(self, file: Path) -> bool:
        """Whether what Envoy has is in that file."""
        return any(file.read_bytes() in one for one in self._contents())

    def _contents(self) -> list[bytes]:
        return [data for path in self.state.tls.glob("*.json") for data in contents(path.read_bytes()).values()]


@pytest.fixture
def watched(tmp_path: Path, files: Files) -> Watched:
    state = StateDirectory(tmp_path / "node")
    state.prepare()
    snapshot = files.snapshot((1, 2, 3))
    manifest = snapshot.manifest
    write(snapshot, state.snapshots)
    later = [timedelta()]
    problems = Problems()
    watch = TlsWatch(
        state=state,
        envoy=find_envoy(None),
        problems=problems,
        serving=lambda: manifest,
        now=lambda: datetime.now(UTC) + later[0],
    )
    asyncio.run(watch.ready(manifest.digest))
    return Watched(watch, problems, state, lambda moment: later.__setitem__(0, moment - datetime.now(UTC)))


def test_certificates_that_end_are_told_of(watched: Watched, files: Files) -> None:
    """From thirty days before the end on, and after it, the file, its subject and the time are a problem."""
    assert watched.looks() == []
    ends = {one["file"]: datetime.fromisoformat(one["not_after"]) for one in watched.watch.report()}
    assert set(ends) == {str(files.certificate), str(files.ca)}
    end = ends[str(files.certificate)]
    for before, words in (
        (timedelta(days=30, hours=-1), "ends in 30 days"),
        (timedelta(hours=5), "ends within a day"),
        (timedelta(hours=-5), "has ended"),
    ):
        watched.now(end - before)
        (text,) = (one for one in watched.looks() if str(files.certificate) in one)
        assert f"({'CN=' + NAME}) {words}: {end:%Y-%m-%d %H:%M} UTC" in text
    watched.now(end - timedelta(days=31))
    assert all("(mended since)" in one for one in watched.looks() if str(files.certificate) in one)


def test_a_renewal_is_taken_when_it_has_settled(watched: Watched, files: Files) -> None:
    """The first look at a changed file takes nothing: it may still be written."""
    before = files.certificate.read_bytes()
    watched.looks()
    files.renew()
    watched.looks(1)
    assert not watched.has(files.certificate)
    watched.looks(1)
    assert watched.has(files.certificate)
    assert before != files.certificate.read_bytes()


def test_a_certificate_that_does_not_hold_replaces_none_that_does(watched: Watched, files: Files) -> None:
    """A renewal whose time is over is refused while the present one holds, and taken when that one has ended, too."""
    watched.looks()
    files.renew(days=10)
    now = datetime.now(UTC)
    watched.now(now + timedelta(days=20))
    text = " ".join(watched.looks(8))
    assert "which is not now; the last good one is used" in text
    assert not watched.has(files.certificate)
    watched.now(now + timedelta(days=100))
    watched.looks(70)
    assert watched.has(files.certificate)


def test_what_envoy_does_not_take_is_refused(watched: Watched, files: Files, tmp_path: Path) -> None:
    """A pair that is whole, but of a kind that Envoy does not know, stays outside."""
    watched.looks()
    key, certificate = tmp_path / "k", tmp_path / "c"
    curve = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:secp256k1", "-nodes", "-subj", "/CN=odd")
    openssl("req", "-x509", *curve, "-keyout", key, "-out", certificate, "-days", "9")
    files.put(certificate, key)
    assert "Envoy says Failed to load certificate chain" in " ".join(watched.looks(8))
    assert not watched.has(files.certificate)


def test_an_encrypted_key_is_refused_without_a_question(watched: Watched, files: Files, tmp_path: Path) -> None:
    """Nobody is asked for a password, and the problem names the key's file."""
    watched.looks()
    locked = tmp_path / "locked"
    openssl("ec", "-aes256", "-passout", "pass:x", "-in", files.key, "-out", locked)
    files.put(key=locked)
    assert f"{files.key} is damaged or encrypted" in " ".join(watched.looks(8))


def test_secrets_are_nobody_elses_and_go_when_they_are_not_needed(watched: Watched) -> None:
    """The copies are readable by their owner alone; those of snapshots that are gone are removed, half a trial too."""
    watched.looks()
    stored = sorted(watched.state.tls.iterdir())
    assert [oct(path.stat().st_mode & 0o777) for path in stored] == ["0o600"] * 2
    stray = watched.state.tls / "pair-0123456789abcdef.json"
    shutil.copyfile(stored[0], stray)
    (watched.state.tls / "fig-validate-x").mkdir()
    again = TlsWatch(state=watched.state, envoy=find_envoy(None), problems=Problems(), serving=watched.watch.serving)
    asyncio.run(again.look())
    assert sorted(watched.state.tls.iterdir()) == stored


def test_a_first_file_must_be_there(tmp_path: Path, files: Files) -> None:
    """Without an earlier copy a missing file is a rejection."""
    state = StateDirectory(tmp_path / "other")
    state.prepare()
    snapshot = files.snapshot((1, 2, 3))
    write(snapshot, state.snapshots)
    files.ca.unlink()

    def nothing() -> Manifest | None:
        return None

    watch = TlsWatch(state=state, envoy=find_envoy(None), problems=Problems(), serving=nothing)
    with pytest.raises(Rejection, match=r"bank-ca\.pem cannot be read: No such file"):
        asyncio.run(watch.ready(snapshot.digest))

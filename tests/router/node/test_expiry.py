"""Certificates as openssl makes and reads them, read without openssl."""

import base64
import re
import subprocess
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from router.node.expiry import Certificate, Unreadable, certificates, soonest
from router.snapshot.tls_files import SYSTEM_CA_FILE

KINDS = {
    "rsa": ("-newkey", "rsa:2048"),
    "ec": ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1"),
    "ed25519": ("-newkey", "ed25519"),
}


def made(folder: Path, *options: str, kind: str = "ec", days: int = 30, subject: str = "/CN=a.example") -> bytes:
    """A certificate that openssl made."""
    file = folder / "one.pem"
    command = ["openssl", "req", "-x509", *KINDS[kind], "-nodes", "-keyout", str(folder / "key"), "-out", str(file)]
    subprocess.run([*command, "-days", str(days), "-subj", subject, "-utf8", *options], check=True, capture_output=True)
    return file.read_bytes()


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("days", [1, 20_000], ids=["this century's first half", "far away"])
def test_times_and_subject(tmp_path: Path, kind: str, days: int) -> None:
    """Both forms of times are read, whatever the key is."""
    before = datetime.now(UTC).replace(microsecond=0)
    (one,) = certificates(made(tmp_path, kind=kind, days=days, subject="/C=LU/O=Bank, Trust & Söhne/CN=a.example"))
    assert one.subject == "CN=a.example, O=Bank, Trust & Söhne, C=LU"
    assert timedelta() <= one.not_before - before < timedelta(minutes=1)
    assert one.not_after - one.not_before == timedelta(days=days)
    assert one.holds(one.not_before)
    assert one.holds(one.not_after)
    assert not one.holds(one.not_after + timedelta(seconds=1))


def test_the_first_end_of_a_chain_counts(tmp_path: Path) -> None:
    """Of several certificates the one that ends first is named; what stands between them does not matter."""
    chain = [made(tmp_path, days=days, subject=f"/CN={days}") for days in (40, 7, 90)]
    text = "# the bank's: Zürich\r\n".encode().join(one.replace(b"\n", b"\r\n") for one in chain)
    assert [one.subject for one in certificates(text)] == ["CN=40", "CN=7", "CN=90"]
    assert soonest(text).subject == "CN=7"


def test_certificates_without_a_version_or_a_name(tmp_path: Path) -> None:
    """Version 1 has no version field, and a subject may be empty."""
    request = tmp_path / "request.pem"
    new = ["openssl", "req", *KINDS["ec"], "-nodes", "-keyout", str(tmp_path / "key"), "-out", str(request)]
    subprocess.run([*new, "-subj", "/"], check=True, capture_output=True)
    sign = ["openssl", "x509", "-req", "-in", str(request), "-signkey", str(tmp_path / "key"), "-days", "3"]
    done = subprocess.run(sign, check=True, capture_output=True)
    (one,) = certificates(done.stdout)
    assert one.subject == ""


def test_the_systems_authorities_as_openssl_reads_them() -> None:
    """All certificates of the system's bundle end when openssl says that they do."""
    ours = [one.not_after for one in certificates(Path(SYSTEM_CA_FILE).read_bytes())]
    bundle = ["openssl", "crl2pkcs7", "-nocrl", "-certfile", SYSTEM_CA_FILE]
    packed = subprocess.run(bundle, check=True, capture_output=True)
    text = subprocess.run(
        ["openssl", "pkcs7", "-print_certs", "-text", "-noout"],  # noqa: S607 - Debian's
        input=packed.stdout,
        check=True,
        capture_output=True,
    ).stdout.decode(errors="replace")
    theirs = [
        datetime.strptime(one, "%b %d %H:%M:%S %Y GMT").replace(tzinfo=UTC)
        for one in re.findall(r"Not After : (.*)", text)
    ]
    assert len(ours) > 50
    assert sorted(ours) == sorted(theirs)


@pytest.mark.parametrize("left", [0, 1, 40, 400, -30, -2])
def test_half_a_file_is_unreadable(tmp_path: Path, left: int) -> None:
    """A file that ends too early is never taken for certificates."""
    whole = made(tmp_path)
    with pytest.raises(Unreadable):
        certificates(whole[:left] if left >= 0 else whole.rstrip()[:left])
    with pytest.raises(Unreadable):
        certificates(whole + whole[: left or 60] if left >= 0 else whole + whole.rstrip()[:left])


@settings(deadline=None)  # the machine may be busy
@given(st.binary(max_size=300))
def test_nonsense_is_unreadable(data: bytes) -> None:
    """Whatever stands between the marks, it is certificates or it is refused."""
    marked = b"-----BEGIN CERTIFICATE-----\n" + base64.b64encode(data) + b"\n-----END CERTIFICATE-----\n"
    with pytest.raises(Unreadable):
        certificates(marked)


@settings(deadline=None)  # the machine may be busy
@given(st.integers(min_value=0), st.binary(min_size=1, max_size=4))
def test_a_damaged_certificate_is_read_or_refused(place: int, data: bytes) -> None:
    """A certificate with some bytes replaced gives a certificate or is refused, and nothing else happens."""
    at = place % (len(DER) - len(data))
    damaged = DER[:at] + data + DER[at + len(data) :]
    marked = b"-----BEGIN CERTIFICATE-----\n" + base64.b64encode(damaged) + b"\n-----END CERTIFICATE-----\n"
    try:
        (one,) = certificates(marked)
    except Unreadable:
        return
    assert isinstance(one, Certificate)


def _der() -> bytes:
    text = Path(SYSTEM_CA_FILE).read_text(encoding="ascii").split("-----")[2]
    return base64.b64decode(text)


DER = _der()

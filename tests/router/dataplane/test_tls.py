"""Upstreams over TLS are who they say they are, or they get nothing."""

import ssl
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from .harness import Running, running_router
from .standins import InvokeApi, StandIn, echo

ESTATE = """
version: 1
entry: {address: "127.0.0.1:${ENTRY_PORT}", default: shop, expose_side: true}
legacy:
  shop:
    endpoints: ["127.0.0.1:${LEGACY_PORT}"]
    tls: {ca: "${CA}", name: "${LEGACY_NAME:-shop.bank.example}"}
lambda:
  books:
    arn: arn:aws:lambda:eu-west-1:123456789012:function:books:live
    endpoint: https://127.0.0.1:${LAMBDA_PORT}
    tls: {ca: "${CA}", name: "${LAMBDA_NAME:-vpce-1.lambda.example}"}
    timeout: 2s
routes:
  books: {match: {path: {prefix: /books}}, legacy: shop, lambda: books, sticky: {header: X-User}}
  new: {match: {path: {prefix: /new}}, lambda: books}
"""
USER = [("X-User", "alice")]


class Authority:
    """A certificate authority in a folder, made with openssl."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir()
        self.folder = folder
        self.ca = folder / "ca.pem"
        subject = ("-subj", "/CN=Test CA", "-addext", "basicConstraints=critical,CA:TRUE")
        openssl("req", "-x509", *fresh_key(folder / "ca.key"), "-out", self.ca, "-days", "2", *subject)

    def server(self, name: str) -> ssl.SSLContext:
        """A server's context with a certificate for `name`."""
        key, request, certificate = (self.folder / f"{name}.{kind}" for kind in ("key", "csr", "pem"))
        openssl("req", *fresh_key(key), "-out", request, "-subj", "/CN=server", "-addext", f"subjectAltName=DNS:{name}")
        signing = ("-CA", self.ca, "-CAkey", self.folder / "ca.key", "-CAcreateserial", "-copy_extensions", "copyall")
        openssl("x509", "-req", "-in", request, *signing, "-days", "2", "-out", certificate)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate, key)
        return context


def fresh_key(path: Path) -> tuple[str | Path, ...]:
    return ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-keyout", path)


def openssl(*arguments: str | Path) -> None:
    subprocess.run(["openssl", *map(str, arguments)], check=True, capture_output=True)  # noqa: S607 - Debian's


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    return Authority(tmp_path / "ca")


@contextmanager
def routed(authority: Authority, folder: Path, *, ca: Path | None = None, **names: str) -> Iterator[Running]:
    """A router in front of both sides, each with a certificate for the name that the estate expects by default."""
    with (
        StandIn(echo, tls=authority.server("shop.bank.example")).running() as legacy,
        InvokeApi(tls=authority.server("vpce-1.lambda.example")).running() as api,
        running_router(
            folder,
            ESTATE,
            environment={
                "CA": str(ca or authority.ca),
                "LEGACY_PORT": str(legacy.port),
                "LAMBDA_PORT": str(api.port),
                **names,
            },
        ) as router,
    ):
        yield router


def node(tmp_path: Path) -> Path:
    folder = tmp_path / "node"
    folder.mkdir()
    return folder


def test_both_sides_over_tls(authority: Authority, tmp_path: Path) -> None:
    """With the right authority and names both sides answer, though their addresses are not the certificates' names."""
    with routed(authority, node(tmp_path)) as router:
        assert router.request("/books", USER).json()["side"] == "legacy"
        router.shift(books=10_000)
        assert router.request("/books", USER).json()["side"] == "lambda"


def test_a_legacy_service_with_another_name_gets_nothing(authority: Authority, tmp_path: Path) -> None:
    """A certificate for another name is refused, and the client gets 503."""
    with routed(authority, node(tmp_path), LEGACY_NAME="other.bank.example") as router:
        assert router.request("/books", USER).status == 503


def test_a_lambda_api_with_another_name_did_not_run(authority: Authority, tmp_path: Path) -> None:
    """A Lambda API that cannot prove its name is not called: legacy answers, POSTs too; alone it is a 503."""
    with routed(authority, node(tmp_path), LAMBDA_NAME="lambda.eu-west-1.amazonaws.com") as router:
        router.shift(books=10_000)
        for method in ("GET", "POST"):
            answer = router.request("/books", USER, method=method, body=b"x")
            assert (answer.status, answer.header("x-fig-side")) == (200, "legacy")
        assert router.request("/new").status == 503


def test_certificates_of_another_authority_are_refused(authority: Authority, tmp_path: Path) -> None:
    """The right names under an authority that the estate does not name are worth nothing."""
    with routed(authority, node(tmp_path), ca=Authority(tmp_path / "other").ca) as router:
        assert router.request("/books", USER).status == 503
        assert router.request("/new").status == 503

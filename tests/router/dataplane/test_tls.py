"""Upstreams over TLS are who they say they are, or they get nothing."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from ..authority import Authority
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

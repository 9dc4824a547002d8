"""Logins by the company's proxy: believed from the proxy alone, with a role, and no less protected than cookies."""

import asyncio
from ipaddress import ip_network

import httpx2
import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from observability.api.guard import Guard
from observability.api.proxy import ProxyLogin
from observability.api.sessions import Sessions
from observability.commands.options import proxy_login
from strangler_fig.diagnostics import Refused

PROXY = ProxyLogin(
    header="X-User",
    networks=(ip_network("10.1.0.0/16"), ip_network("fd00::/8")),
    admins=frozenset({"ada"}),
    role_header="X-Role",
)
OURS = {"Host": "fig.bank.example"}


async def who(request: Request) -> JSONResponse:
    session = request.state.session
    return JSONResponse({"user": session.user, "role": session.role.value, "csrf": session.csrf})


APP = Starlette(routes=[Route("/who", who, methods=["GET", "POST"])])
GUARD = Guard(APP, Sessions("token"), lambda host: host == OURS["Host"], proxy=PROXY)


def ask(
    *headers: tuple[str, str], peer: str = "10.1.2.3", method: str = "GET", guard: Guard = GUARD
) -> httpx2.Response:
    """What somebody is answered who connects from this address with these headers."""

    async def asked() -> httpx2.Response:
        transport = httpx2.ASGITransport(guard, client=(peer, 1))
        async with httpx2.AsyncClient(transport=transport, base_url="http://fig.bank.example") as client:
            return await client.request(method, "/who", headers=[*OURS.items(), *headers])

    return asyncio.run(asked())


@pytest.mark.parametrize("peer", ["10.1.2.3", "fd00::7", "::ffff:10.1.2.3"])
def test_the_proxy_is_believed(peer: str) -> None:
    """From the named networks, however written, the header says who it is, and the other in which role."""
    assert ask(("X-User", "bob"), ("X-Role", "viewer"), peer=peer).json()["role"] == "viewer"
    assert ask(("X-User", "eve"), ("X-Role", "admin"), peer=peer).json()["role"] == "admin"
    assert ask(("X-User", "ada"), peer=peer).json() | {"csrf": ""} == {"user": "ada", "role": "admin", "csrf": ""}


@pytest.mark.parametrize(
    ("headers", "peer"),
    [
        ([("X-User", "ada")], "10.2.0.1"),
        ([("X-User", "ada")], "127.0.0.1"),
        ([("X-User", "ada")], "unix:"),
        ([("X-User", "ada"), ("X-User", "bob")], "10.1.2.3"),
        ([("X-User", " ")], "10.1.2.3"),
        ([("X-User", "a" * 300), ("X-Role", "viewer")], "10.1.2.3"),
        ([("X-User", "bob")], "10.1.2.3"),
        ([("X-User", "bob"), ("X-Role", "root")], "10.1.2.3"),
        ([("X-User", "bob"), ("X-Role", "ADMIN")], "10.1.2.3"),
        ([("X-User", "bob"), ("X-Role", "Viewer")], "10.1.2.3"),
        ([("X-User", "bob"), ("X-Role", "viewer"), ("X-Role", "admin")], "10.1.2.3"),
        ([("X-Role", "admin")], "10.1.2.3"),
    ],
)
def test_nobody_else_is(headers: list[tuple[str, str]], peer: str) -> None:
    """From elsewhere, twice, without a name or with a role that is none: nobody is logged in."""
    assert ask(*headers, peer=peer).status_code == 401


def test_without_roles_everybody_but_admins_looks() -> None:
    """Where the proxy tells no roles, the named users are admins, and the others are viewers."""
    proxy = ProxyLogin(header="X-User", networks=PROXY.networks, admins=PROXY.admins)
    guard = Guard(APP, Sessions("token"), lambda _: True, proxy=proxy)
    assert ask(("X-User", "bob"), guard=guard).json()["role"] == "viewer"
    assert ask(("X-User", "bob"), ("X-Role", "admin"), guard=guard).json()["role"] == "viewer"
    assert ask(("X-User", "ada"), guard=guard).json()["role"] == "admin"


def test_a_change_needs_the_users_own_proof() -> None:
    """The proxy adds its header to whatever a browser sends, so a change needs our page and the user's own proof."""
    ada, bob = ("X-User", "ada"), (("X-User", "bob"), ("X-Role", "admin"))
    origin = ("Origin", "http://fig.bank.example")
    proof = ask(ada).json()["csrf"]
    assert ask(ada, origin, ("X-Fig-CSRF", proof), method="POST").status_code == 200
    assert ask(ada, origin, method="POST").status_code == 403
    assert ask(ada, ("Origin", "http://evil.example"), ("X-Fig-CSRF", proof), method="POST").status_code == 403
    assert ask(*bob, origin, ("X-Fig-CSRF", proof), method="POST").status_code == 403


@pytest.mark.parametrize(
    ("header", "networks", "admins", "said"),
    [
        ("X-User", (), (), "belong together"),
        (None, ("10.0.0.0/8",), (), "belong together"),
        (None, (), ("ada",), "belong together"),
        ("X-User", ("10.0.0.1/8",), (), "is no network"),
        ("X-User", ("proxy.bank.example",), (), "is no network"),
    ],
)
def test_halves_of_a_login_are_refused(
    header: str | None, networks: tuple[str, ...], admins: tuple[str, ...], said: str
) -> None:
    """A header without the network that may send it would let everybody in: the options come together or not at all."""
    with pytest.raises(Refused) as refused:
        proxy_login(header, networks, admins, None)
    assert said in refused.value.diagnostics[0].message


def test_the_options_make_the_proxy() -> None:
    """The options' values become the proxy's; without options there is none."""
    assert proxy_login(None, (), (), None) is None
    made = proxy_login("X-User", ("10.1.0.0/16", "fd00::/8"), ("ada",), "X-Role")
    assert made == ProxyLogin(
        header="X-User", networks=list(PROXY.networks), admins=frozenset({"ada"}), role_header="X-Role"
    )

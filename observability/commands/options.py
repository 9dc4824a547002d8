"""Durations and sizes as options, JSON instead of words, and where the running process is."""

import ipaddress
import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from strangler_fig.diagnostics import Diagnostic, Refused
from strangler_fig.units import UnitError, seconds, size_bytes

if TYPE_CHECKING:
    from ..api.proxy import ProxyLogin
    from ..client import ObserveClient

Command = TypeVar("Command", bound=Callable[..., Any])


class Duration(click.ParamType[float]):
    """A duration such as `15m` or `7d`, as seconds."""

    name = "duration"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        """Give the seconds that the text stands for."""
        try:
            return value if isinstance(value, float) else seconds(str(value))
        except UnitError as error:
            self.fail(str(error), param, ctx)


class Size(click.ParamType[int]):
    """A size such as `20GB`, as bytes."""

    name = "size"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int:
        """Give the bytes that the text stands for."""
        try:
            return value if isinstance(value, int) else size_bytes(str(value))
        except UnitError as error:
            self.fail(str(error), param, ctx)


def observe_option(command: Command) -> Command:
    """`--observe URL`."""
    text = "Its pages' address; else FIG_OBSERVE, else .fig/observe.json."
    return click.option("--observe", "url", metavar="URL", help=text)(command)


def json_option(command: Command) -> Command:
    """`--json`."""
    return click.option("--json", "as_json", is_flag=True, help="Print JSON, for scripts.")(command)


def client(url: str | None) -> "ObserveClient":
    """A client of the process that is meant. Raises `ObserveUnreachable` when none is known."""
    from .. import run_file  # noqa: PLC0415 - heavy imports only when a command runs
    from ..client import ObserveClient  # noqa: PLC0415

    return ObserveClient(run_file.find(url, os.environ, Path.cwd()))


def proxy_login(
    header: str | None, networks: tuple[str, ...], admins: tuple[str, ...], role_header: str | None
) -> "ProxyLogin | None":
    """The proxy whose logins count; None without one. Raises `Refused` with everything that is wrong."""
    from ..api.proxy import ProxyLogin  # noqa: PLC0415 - heavy imports only when a command runs

    found: list[Diagnostic] = []
    known: list[ipaddress.IPv4Network | ipaddress.IPv6Network] = []
    for text in networks:
        try:
            known.append(ipaddress.ip_network(text))
        except ValueError as error:
            found.append(Diagnostic(code="OB105", message=f"--login-from {text[:50]!r} is no network: {error}"))
    if bool(header) != bool(networks) or (not header and (admins or role_header)):
        message = "--login-header and --login-from belong together, and --login-admin and --login-role-header to them"
        hint = "whoever reaches the port can write a header: name the network that your proxy calls from"
        found.append(Diagnostic(code="OB105", message=message, hint=hint))
    if found:
        raise Refused(found)
    if not header:
        return None
    return ProxyLogin(header=header, networks=known, admins=frozenset(admins), role_header=role_header or "")


def print_json(values: Any) -> None:
    """Print one line of JSON on standard output."""
    click.echo(json.dumps(values))

"""`fig explain`: which route a request takes, why no other, and on which side its user is now and later."""

import ipaddress
import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import click

from strangler_fig.diagnostics import Diagnostic, Refused, Severity

from ..estate import Authorize, Estate, Route
from ..explanation import Explanation, in_words
from ..explanation import explain as explain_request
from ..precedence import Request
from ..weight import Weight
from .options import control_option, json_option

_HEADER = re.compile(r"([!#$%&'*+.^_`|~0-9A-Za-z-]+):[ \t]*(.*?)[ \t]*")
_METHOD = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_PRINTABLE = re.compile(r"[^\x00-\x1f\x7f\ud800-\udfff]*")
BAD_REQUEST = "ES121"
UNREADABLE_ESTATE = "ES122"


@click.command()
@click.argument("method")
@click.argument("path")
@click.option("--header", "headers", multiple=True, metavar="'NAME: VALUE'", help="A request header; repeatable.")
@click.option("--host", default="", help="The Host header. Default: none, which only routes without a host match.")
@click.option("--client", metavar="IP", help="The client's address.")
@click.option(
    "--estate", type=click.Path(path_type=Path), help="Read this file, all weights 0, instead of asking control."
)
@control_option
@json_option
def explain(
    method: str, path: str, *, headers: tuple[str, ...], client: str | None, as_json: bool, **where: Any
) -> None:
    """Say which route the request METHOD PATH takes and why no other, and its user's side now and later."""
    request = _request(method, path, headers, where["host"])
    address = _client(client)
    estate, weights = _from_file(where["estate"]) if where["estate"] else _from_control(where["control"])
    found = explain_request(estate, weights, request, client=address)
    click.echo(json.dumps(_json(found), indent=2) if as_json else _text(found))


def _request(method: str, path: str, headers: tuple[str, ...], host: str) -> Request:
    problems = []
    pairs = []
    for header in headers:
        found = _HEADER.fullmatch(header)
        if found and _PRINTABLE.fullmatch(found[2]):
            pairs.append((found[1], found[2]))
        else:
            problems.append(_wrong(f"--header {header!r} is not a header", "write 'Name: value'"))
    if not _METHOD.fullmatch(method):
        problems.append(_wrong(f"{method!r} is not a method", "as in GET"))
    if not _PRINTABLE.fullmatch(path) or not (path.startswith("/") or method == "CONNECT"):
        problems.append(_wrong(f"{path!r} is not a path", "a path begins with '/'"))
    if not _PRINTABLE.fullmatch(host):
        problems.append(_wrong(f"{host!r} is not a host", "as in books.example"))
    if problems:
        raise Refused(problems)
    return Request.of(method, path, host=host, headers=pairs)


def _client(text: str | None) -> str | None:
    if text is None:
        return None
    try:
        return str(ipaddress.ip_address(text))
    except ValueError:
        raise Refused([_wrong(f"--client {text!r} is not an IP address", "as in 10.1.2.3")]) from None


def _from_file(file: Path) -> tuple[Estate, Mapping[str, Weight]]:
    from ..source.load import load_estate_file  # noqa: PLC0415 - pydantic is imported when it is needed
    from .environment import estate_environment  # noqa: PLC0415

    loaded = load_estate_file(file, environment=estate_environment())
    estate = loaded.estate_or_refused()
    return estate, {}


def _from_control(control: str | None) -> tuple[Estate, Mapping[str, Weight]]:
    """The published estate and its weights, as control knows them."""
    from ..client import ControlClient, find_control  # noqa: PLC0415 - an HTTP client comes with it
    from ..source.load import load_estate  # noqa: PLC0415

    with ControlClient(find_control(control)) as client:
        answer = client.estate()
    published = answer.get("estate")
    if not isinstance(published, dict):
        message = "no estate is published yet, so no request can be explained"
        hint = "fig publish ESTATE, or name a file with --estate"
        raise Refused([Diagnostic(code=UNREADABLE_ESTATE, message=message, hint=hint)])
    loaded = load_estate(json.dumps(published, ensure_ascii=False), file="published estate", environment={})
    weights = {name: Weight(parts) for name, parts in answer["weights"].items()}
    return loaded.estate_or_refused(), weights


def _wrong(message: str, hint: str) -> Diagnostic:
    return Diagnostic(code=BAD_REQUEST, message=message, hint=hint, severity=Severity.ERROR)


def _text(found: Explanation) -> str:
    request, route = found.request, found.route
    asked = f"{request.method} {request.path}" + (f" on {request.host}" if request.host else "")
    chosen = f"route {route.name}" if route else "no route: the entry's default takes it"
    lines = [f"{asked}", f"  takes   {chosen}", f"  side    {in_words(found)}"]
    if found.assignment.key is not None and route is not None:
        lines.append(f"  user    {_key_words(found)}, slot {found.assignment.slot} of 0 to 9999, salt {route.salt}")
    elif route is not None and route.has_two_sides and route.sticky.name:
        lines.append(f"  user    no {route.sticky.kind.value} {route.sticky.name}")
    if route is not None and route.authorize is not None:
        lines.append(f"  asks    {_asked_words(route.authorize)}")
    lines.append(f"  goes to {found.upstream}")
    if found.others:
        width = max(len(other.route) for other in found.others)
        lines += ["not taken:", *(f"  {other.route:<{width}}  {other.reason}" for other in found.others)]
    if found.left_out:
        lines.append(f"  and {found.left_out:,} more that are not near")
    return "\n".join(lines)


def _asked_words(asked: Authorize) -> str:
    """Who may pass, in words."""
    words = [f"who the user is, as identity {asked.identity} says"]
    if asked.scopes:
        words.append(f"scope {' and '.join(asked.scopes)}")
    if asked.roles:
        words.append(f"role {' or '.join(asked.roles)}")
    return "; ".join(words)


def _asked_json(route: Route | None) -> dict[str, object] | None:
    if route is None or route.authorize is None:
        return None
    asked = route.authorize
    return {"identity": asked.identity, "scopes": list(asked.scopes), "roles": list(asked.roles)}


def _key_words(found: Explanation) -> str:
    sticky = found.route.sticky if found.route else None
    by_name = sticky and sticky.name and found.assignment.basis.value == "key"
    source = f"{sticky.kind.value} {sticky.name}" if sticky and by_name else "client's address"
    return f"{source} = {found.assignment.key}"


def _json(found: Explanation) -> dict[str, object]:
    route, assignment = found.route, found.assignment
    return {
        "method": found.request.method,
        "path": found.request.path,
        "host": found.request.host or None,
        "route": route.name if route else None,
        "upstream": found.upstream,
        "authorize": _asked_json(route),
        "side": assignment.side.value if assignment.side else None,
        "basis": assignment.basis.value,
        "key": assignment.key,
        "salt": route.salt if route else None,
        "slot": assignment.slot,
        "weight": found.weight.parts,
        "lambda_from": assignment.lambda_from.parts if assignment.lambda_from else None,
        "says": in_words(found),
        "others": [{"route": other.route, "reason": other.reason} for other in found.others],
        "left_out": found.left_out,
    }

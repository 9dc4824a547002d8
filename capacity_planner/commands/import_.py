"""`fig cidr import`: a list of allocations out of an account, somebody else's CSV, or NetBox."""

import json
import os
import re
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click

from strangler_fig.diagnostics import Diagnostic, Failed, Refused, has_errors

from ..allocations import foreign, netbox, text, write
from ..allocations.csv_list import COLUMN_NAMES
from ..allocations.json_text import read_json
from ..allocations.values import Allocations
from ..files import write_aside
from ..inventory.values import Inventory
from .looking import account_options, look

SEVERAL_ACCOUNTS = "IM101"
NOT_SET = "IM102"


def _output_options(command: Callable[..., Any]) -> Callable[..., Any]:
    form = click.option(
        "--format",
        "form",
        type=click.Choice(["csv", "json"]),
        default="csv",
        show_default=True,
        help="What is written.",
    )
    as_json = click.option("--json", "form", flag_value="json", help="The same as --format json.")
    output = click.option("-o", "--output", type=click.Path(path_type=Path), help="A file, instead of standard output.")
    return form(as_json(output(command)))


@click.group("import")
def import_() -> None:
    """Make a list of allocations, which every other command of `fig cidr` reads."""


@import_.command()
@account_options
@_output_options
@click.option("--limits-output", type=click.Path(path_type=Path), help="Write the account's own limits, for --limits.")
def aws(
    profiles: tuple[str, ...], regions: tuple[str, ...], form: str, output: Path | None, limits_output: Path | None
) -> None:
    """Read VPCs, subnets and, as JSON, what is in them: ENIs, endpoints, routes, functions and their peaks, quotas.

    Nothing is written to an account. What the credentials may not see is told, and stays unknown.
    """
    from ..inventory.document import to_json  # noqa: PLC0415 - pydantic is imported when it is needed

    inventory = look(profiles, regions)
    if limits_output is not None:
        _write(limits_output, _limits_file(inventory))
    if form == "json":
        content = json.dumps(to_json(inventory, as_of=datetime.now(UTC).date().isoformat()), indent=1) + "\n"
    else:
        content = write.csv_text(inventory.allocations)
    _write(output, content)


@import_.command("csv")
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--column", "columns", multiple=True, metavar="OURS=THEIRS", help="As in cidr=Prefix; may be repeated.")
@click.option("--blocks", "blocks_are_meant", is_flag=True, help="Take 10.0.0.5/24 as 10.0.0.0/24.")
@_output_options
def csv_(file: Path, *, columns: tuple[str, ...], blocks_are_meant: bool, form: str, output: Path | None) -> None:
    """Make a list of any CSV with a column of blocks: usual names of columns are known, netmasks are understood."""
    content = _content(file)
    reading = foreign.Reading(columns=_columns(columns), blocks_are_meant=blocks_are_meant)
    rows, found = foreign.read_foreign(content, file=str(file), reading=reading)
    _write_rows(rows, found, form, output)


@import_.command("netbox")
@click.argument("source")
@click.option("--vrf", help=f"The VRF to take; {netbox.GLOBAL} for prefixes that are in none.")
@click.option("--token-env", default="NETBOX_TOKEN", show_default=True, help="The variable that holds the API token.")
@click.option("--ca-file", help="Certificates that vouch for NetBox, instead of the system's.")
@_output_options
def netbox_(  # noqa: PLR0913, PLR0917 - a command's options
    source: str, vrf: str | None, token_env: str, ca_file: str | None, form: str, output: Path | None
) -> None:
    """Make a list of NetBox's prefixes. SOURCE: NetBox's address, or a file: its CSV export or its API's answer."""
    if "://" in source:
        rows, found = netbox.from_objects(_asked(source, token_env, ca_file), vrf=vrf)
    else:
        rows, found = _of_file(Path(source), vrf)
    _write_rows(rows, found, form, output)


def _asked(url: str, token_env: str, ca_file: str | None) -> Iterable[Mapping[str, Any]]:
    """What NetBox answers."""
    from ..live.netbox import Netbox, prefixes  # noqa: PLC0415 - only who asks NetBox needs it

    token = os.environ.get(token_env)
    if not token and token_env != "NETBOX_TOKEN":  # noqa: S105 - the variable's name
        message = f"{token_env} is not set"
        raise Refused([Diagnostic(code=NOT_SET, message=message, hint="it must hold a token of NetBox's API")])
    return prefixes(Netbox(url=url, token=token, ca_file=ca_file))


def _of_file(path: Path, vrf: str | None) -> tuple[Allocations | None, tuple[Diagnostic, ...]]:
    content = _content(path)
    if content.lstrip()[:1] not in ("{", "["):
        return netbox.from_csv(content, file=str(path), vrf=vrf)
    document, found = read_json(content, file=str(path))
    if document is None:
        return None, found
    data, at = document.data, document.at
    if isinstance(data, dict) and isinstance(data.get("results"), list):
        return netbox.from_objects(data["results"], vrf=vrf, place=lambda row: at("results", row, "prefix"))
    if isinstance(data, list):
        return netbox.from_objects(data, vrf=vrf, place=lambda row: at(row, "prefix"))
    message = "this is no answer of NetBox's API: it has no results"
    return None, (Diagnostic(code=netbox.SHAPE, message=message, position=at()),)


def _content(path: Path) -> str:
    content, found = text.read(path)
    if content is None:
        raise Refused(found)
    return content


def _columns(given: Iterable[str]) -> dict[str, str]:
    """The columns that were named. Raises `click.BadParameter`."""
    columns = {}
    for one in given:
        ours, separator, theirs = one.partition("=")
        if not separator or ours not in (*COLUMN_NAMES, "mask") or not theirs:
            message = f"{one!r}: write OURS=THEIRS, with OURS one of {', '.join(COLUMN_NAMES)}, mask"
            raise click.BadParameter(message, param_hint="--column")
        columns[ours] = theirs
    return columns


def _write_rows(rows: Allocations | None, found: Iterable[Diagnostic], form: str, output: Path | None) -> None:
    """Write a list, or say why there is none; warnings are told in any case."""
    found = tuple(found)
    if rows is None or has_errors(found):
        raise Refused(found)
    for one in found:
        click.echo(str(one), err=True)
    as_json = json.dumps(write.to_json(rows), indent=1) + "\n" if form == "json" else None
    _write(output, as_json or write.csv_text(rows))


def _limits_file(inventory: Inventory) -> str:
    """The account's own limits as the file that `--limits` reads."""
    places = sorted({(quota.account, quota.region) for quota in inventory.quotas})
    if len(places) > 1:
        message = f"limits of {len(places)} accounts and Regions do not fit into one file"
        raise Refused([Diagnostic(code=SEVERAL_ACCOUNTS, message=message, hint="import them one by one")])
    lines = ["version: 1"]
    lines += [f'account: "{re.sub(r"[^0-9A-Za-z-]", "", places[0][0])}"'] if places else []
    lines += ["limits:"] if inventory.quotas else ["limits: {}"]
    for quota in sorted(inventory.quotas, key=lambda one: one.key):
        source = f"Service Quotas {quota.code} in {quota.region}"
        lines.append(f'  {quota.key}: {{value: {quota.value:.0f}, as_of: "{quota.as_of}", source: "{source}"}}')
    return "\n".join(lines) + "\n"


def _write(path: Path | None, content: str) -> None:
    """Write to a file, whole or not at all, or to standard output. Raises `Failed`."""
    if path is None:
        click.echo(content, nl=False)
        return
    try:
        write_aside(path, content)
    except OSError as error:
        message = f"{path} cannot be written: {error.strerror or error}; what stood there stands there still"
        raise Failed(message) from error

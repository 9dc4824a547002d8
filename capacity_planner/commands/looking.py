"""Which accounts and Regions a command looks at."""

from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Any

import click

from ..inventory.values import Inventory, merged


def account_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add `--profile` and `--region`."""
    profiles = click.option("--profile", "profiles", multiple=True, help="An AWS profile; several are read together.")
    regions = click.option("--region", "regions", multiple=True, help="A Region; several are read together.")
    return profiles(regions(command))


def look(profiles: Sequence[str], regions: Sequence[str], *, peaks: bool = True) -> Inventory:
    """What is in every Region of every profile. Raises `Refused` and `AwsFailed`."""
    from ..live.account import Reading, read  # noqa: PLC0415 - only who looks at accounts needs it
    from ..live.session import Session  # noqa: PLC0415

    reading = Reading(now=datetime.now(UTC), tell=lambda text: click.echo(text, err=True), peaks=peaks)
    sessions = [Session(profile, region) for profile in profiles or (None,) for region in regions or (None,)]
    return merged([read(session, reading) for session in sessions])

"""How many prefixes are told over Direct Connect, each way: above its limit the session goes down, for everybody.

What counts is what is advertised, so a list that fits only when it is collapsed is a warning, and the fewest that tell
the same addresses are what is judged. Source: https://docs.aws.amazon.com/directconnect/latest/UserGuide/limits.html.
"""

from collections.abc import Iterator

from strangler_fig.diagnostics import Diagnostic, Severity

from ..addresses.collapse import collapse
from ..addresses.key import is_ipv6
from ..allocations.values import Kind
from ..limits.values import Limits
from . import codes
from .verdict import Verdict
from .view import View

_IN = "direct_connect_prefixes_in"
_OUT = "direct_connect_prefixes_out"
_WAYS = {_IN: "from on-premises to AWS", _OUT: "from AWS to on-premises"}


def verdicts(view: View, limits: Limits) -> Iterator[Verdict]:
    """A verdict for each way and IP version in which something is told."""
    for (key, version), told in _told(view).items():
        yield Verdict(
            limit=limits[key],
            scope=f"Direct Connect, {version} {_WAYS[key]}, collapsed",
            used=len(collapse(told)),
            tight_share=limits["tight_share"].value,
        )


def uncollapsed(view: View, limits: Limits) -> Iterator[Diagnostic]:
    """Lists that are too long as they stand, and short enough when they are collapsed."""
    for (key, version), told in _told(view).items():
        limit, fewest = limits[key], len(collapse(told))
        if fewest <= limit.value < len(told):
            yield Diagnostic(
                code=codes.BY_LIMIT[key],
                severity=Severity.WARNING,
                message=f"{len(told):,} {version} prefixes {_WAYS[key]} are more than {limit.value:,.0f} ({key})",
                hint=f"advertise the {fewest:,} that they collapse to; as of {limit.as_of}: {limit.source}",
            )


def _told(view: View) -> dict[tuple[str, str], list[int]]:
    """The keys of what is told, by the limit's key and the IP version; nothing where nothing is told."""
    rows = view.rows
    told: dict[tuple[str, str], list[int]] = {}
    outward = [row for blocks in view.vpc_blocks.values() for row in blocks if rows.is_routable(row)]
    inward = [row for row in view.others if view.kinds[row] is Kind.ON_PREMISES]
    for key, group in ((_IN, inward), (_OUT, outward)):
        for row in group:
            version = "IPv6" if is_ipv6(rows.keys[row]) else "IPv4"
            told.setdefault((key, version), []).append(rows.keys[row])
    return told

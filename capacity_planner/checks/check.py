"""Every rule over an inventory, and the report: findings, verdicts, and what could not be judged."""

from dataclasses import dataclass

from strangler_fig.diagnostics import Diagnostic, Severity, in_file_order

from ..inventory.values import Inventory
from ..limits.values import Limits
from . import blocks, direct_connect, vpcs
from .quotas import Quotas
from .verdict import Verdict
from .view import view


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """What the checks say. `overlaps` and `duplicates` (which are overlaps, too) are exact, whatever is listed.

    `not_judged`: keys of limits of which nobody said what is used of them.
    """

    findings: tuple[Diagnostic, ...]
    verdicts: tuple[Verdict, ...]
    rows: int
    overlaps: int
    duplicates: int
    not_judged: tuple[str, ...]

    @property
    def is_refused(self) -> bool:
        """Whether anything is an error."""
        return self.overlaps > 0 or any(one.severity is Severity.ERROR for one in self.findings)


def check(inventory: Inventory, limits: Limits, *, pairs: int = 100) -> Report:
    """The report on an inventory, in which up to so many pairs of overlapping blocks are named."""
    seen = view(inventory)
    found = blocks.clashes(seen, limit=pairs)
    quotas = Quotas(seen, limits)
    verdicts = (*quotas.verdicts(), *direct_connect.verdicts(seen, limits))
    findings = [
        *found.findings,
        *blocks.shadowed(seen, limit=pairs),
        *blocks.hidden_on_premises(seen),
        *blocks.outside(seen),
        *vpcs.sizes(seen, limits),
        *vpcs.ranges(seen),
        *vpcs.associations(seen),
        *vpcs.routes(seen),
        *direct_connect.uncollapsed(seen, limits),
        *(verdict.finding for verdict in verdicts if verdict.finding),
    ]
    judged = {verdict.limit.key for verdict in verdicts}
    return Report(
        findings=in_file_order(findings),
        verdicts=verdicts,
        rows=len(inventory.allocations),
        overlaps=found.count,
        duplicates=found.duplicates,
        not_judged=tuple(sorted(quotas.not_judged - judged)),
    )

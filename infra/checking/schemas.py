"""What cfn-lint finds: properties that CloudFormation would refuse, in the plan's region."""

import gc
from collections.abc import Iterator, Sequence
from typing import Any

from cfnlint.api import ManualArgs, lint_by_config

from strangler_fig.diagnostics import Diagnostic, Position, Severity

from .template import Template

SCHEMA = "IC201"
ARGUED = {
    "W3010": "AZs are written out because the plan gives each its own subnets; a template is for one region's plan",
}
"""Rules of cfn-lint that are not asked, each with the reason."""


def schema_findings(templates: Sequence[Template], region: str) -> Iterator[Diagnostic]:
    """Everything that cfn-lint says about templates, in our form. All in one run: loading its rules takes 2 s."""
    files = [str(one.path) for one in templates]
    for one in _without_collector(ManualArgs(templates=files, regions=[region], ignore_checks=list(ARGUED))):
        is_error = one.rule.id.startswith("E")
        yield Diagnostic(
            code=SCHEMA,
            message=f"{one.rule.id}: {one.message}",
            position=Position(str(one.filename), one.linenumber, one.columnnumber),
            severity=Severity.ERROR if is_error else Severity.WARNING,
        )


def _without_collector(arguments: ManualArgs) -> list[Any]:
    """What cfn-lint finds. It makes millions of small objects that all live: the collector would take a fifth more."""
    was_on = gc.isenabled()
    gc.disable()
    try:
        found: list[Any] = lint_by_config(arguments)
    finally:
        if was_on:
            gc.enable()
    return found

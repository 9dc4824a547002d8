"""Everything that is wrong with a folder of templates, in file order."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from strangler_fig.diagnostics import Diagnostic, in_file_order

from ..artefacts.reading import read_plan
from .equality import plan_findings
from .rules import rule_findings
from .schemas import schema_findings
from .synthesis_equality import synthesis_findings
from .template import read_templates


def check_folder(
    folder: Path, plan: Path, capacity: Path, made: Mapping[str, Any] | None = None
) -> tuple[Diagnostic, ...]:
    """The findings about the templates of a folder. Raises `Refused` where an input cannot be read.

    `made`: what synthesis gives for the same inputs, by stack; where it is None, that is not compared.
    """
    planned, verdicts = read_plan(plan, capacity)
    templates = read_templates(folder)
    found: list[Diagnostic] = list(plan_findings(templates, planned, verdicts))
    if made is not None:
        found += synthesis_findings(templates, made)
    for one in templates:
        found += rule_findings(one)
    found += schema_findings(templates, planned.region or "us-east-1")
    return in_file_order(found)

"""Everything that is wrong with a folder of templates, in file order."""

from pathlib import Path

from strangler_fig.diagnostics import Diagnostic, in_file_order

from ..artefacts.reading import read_plan
from .equality import plan_findings
from .rules import rule_findings
from .schemas import schema_findings
from .template import read_templates


def check_folder(folder: Path, plan: Path, capacity: Path) -> tuple[Diagnostic, ...]:
    """The findings about the templates of a folder. Raises `Refused` where an input cannot be read."""
    planned, verdicts = read_plan(plan, capacity)
    templates = read_templates(folder)
    found: list[Diagnostic] = list(plan_findings(templates, planned, verdicts))
    for one in templates:
        found += rule_findings(one)
    found += schema_findings(templates, planned.region or "us-east-1")
    return in_file_order(found)

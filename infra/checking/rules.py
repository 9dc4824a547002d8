"""Rules of our own: those in Guard's language (`rules.guard`), and those that need a closer look (`rights`, `doors`).

Guard's binding loses the beginning of any report of more than 8 KiB, so rules are asked one by one, and where that is
still too much, resources too.
"""

import json
from collections.abc import Iterator, Mapping
from importlib import resources
from typing import Any

from cfn_guard_rs import run_checks

from strangler_fig.diagnostics import Diagnostic

from .doors import door_findings
from .rights import rights_findings
from .template import Template

GUARD = "IC301"


def rule_findings(template: Template) -> Iterator[Diagnostic]:
    """Every breach of a rule in a template."""
    yield from _guard(template)
    yield from rights_findings(template)
    yield from door_findings(template)


def _guard(template: Template) -> Iterator[Diagnostic]:
    text = resources.files(__package__).joinpath("rules.guard").read_text(encoding="utf-8")
    for block in text.split("\n\n"):
        if "\nrule " in block:
            yield from _asked(template, block, template.resources)


def _asked(template: Template, block: str, among: Mapping[str, Any]) -> Iterator[Diagnostic]:
    """What one rule finds among some resources."""
    try:
        report = run_checks({"Resources": dict(among)}, block)
    except json.JSONDecodeError:
        if len(among) > 1:
            for name, one in among.items():
                yield from _asked(template, block, {name: one})
        for name in among if len(among) == 1 else ():
            rule = block.partition("\nrule ")[2].split()[0]
            message = f"{name} breaks the rule {rule}"
            yield Diagnostic(code=GUARD, message=message, position=template.at("Resources", name))
        return
    for failed in report.not_compliant:
        found = failed.Rule
        for check in found.checks if found else ():
            yield from _clause(template, found.name, check)


def _clause(template: Template, rule: str, check: Any) -> Iterator[Diagnostic]:
    """A failed clause, or those inside it, as findings."""
    for group in (check.Disjunctions, check.GuardBlock):
        for inner in getattr(group, "checks", ()) or ():
            yield from _clause(template, rule, inner)
    clause = check.Clause
    report = (clause.Unary or clause.Binary) if clause else None
    if report is None:
        return
    resolved, unresolved = report.check.Resolved, report.check.UnResolved
    value: Any = None
    if resolved is not None:
        value = getattr(resolved, "from_", None) or getattr(resolved, "value", None)
    elif unresolved is not None:
        value = getattr(unresolved, "traversed_to", None) or getattr(
            getattr(unresolved, "value", None), "traversed_to", None
        )
    place = value.get("path", "") if isinstance(value, Mapping) else ""
    steps = [step for step in str(place).split("/") if step]
    where = steps[1] if len(steps) > 1 else template.name
    message = f"{where}: {report.messages or rule} (rule {rule})"
    yield Diagnostic(code=GUARD, message=message, position=template.at(*steps))

"""Rules of our own: those in Guard's language (`rules.guard`), and those about policies, which need a closer look.

A principal `*` is allowed in one case: its statement is narrowed to an account, an organisation or a source. Policies
of endpoints need that form, since AWS would take an account's name for its root user there.
"""

from collections.abc import Iterator, Mapping
from importlib import resources
from typing import Any

from cfn_guard_rs import run_checks

from strangler_fig.diagnostics import Diagnostic

from .template import Template

GUARD = "IC301"
PRINCIPAL = "IC302"
EVERYTHING = "IC303"
OPEN_TO_ALL = "IC304"

_NARROWING = frozenset(
    {
        "aws:PrincipalAccount",
        "aws:PrincipalOrgID",
        "aws:SourceAccount",
        "aws:SourceArn",
        "aws:SourceVpce",
        "aws:SourceVpc",
    }
)
_PACKAGES = ":s3:::al2023-repos-"
"""Buckets of AWS that hold the distribution's packages: read without a signature, so no principal can be named."""

_Path = tuple[str | int, ...]


def rule_findings(template: Template) -> Iterator[Diagnostic]:
    """Every breach of a rule in a template."""
    yield from _guard(template)
    for path, statement in _statements(template.resources, ("Resources",)):
        yield from _of_statement(template, path, statement)
    yield from _open_groups(template)


def _guard(template: Template) -> Iterator[Diagnostic]:
    text = resources.files(__package__).joinpath("rules.guard").read_text(encoding="utf-8")
    report = run_checks(dict(template.source.data), text)
    for failed in report.not_compliant:
        rule = failed.Rule
        for check in rule.checks if rule else ():
            yield from _clause(template, rule.name, check)


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


def _statements(value: Any, path: _Path) -> Iterator[tuple[_Path, Mapping[str, Any]]]:
    """Every policy statement below a value, with its path."""
    if isinstance(value, Mapping):
        if "Effect" in value and ("Action" in value or "NotAction" in value):
            yield path, value
        for key, one in value.items():
            yield from _statements(one, (*path, key))
    elif isinstance(value, list):
        for place, one in enumerate(value):
            yield from _statements(one, (*path, place))


def _of_statement(template: Template, path: _Path, statement: Mapping[str, Any]) -> Iterator[Diagnostic]:
    if statement["Effect"] != "Allow":
        return
    principal = statement.get("Principal")
    if _is_anybody(principal) and not _is_narrowed(statement):
        message = f"{path[1]}: anybody may {_words(statement.get('Action'))}"
        hint = "name the principal, or narrow the statement by aws:PrincipalAccount"
        yield Diagnostic(code=PRINCIPAL, message=message, position=template.at(*path), hint=hint)
    if "*" in _list(statement.get("Action")) and "*" in _list(statement.get("Resource")):
        message = f"{path[1]}: everything is allowed on everything"
        yield Diagnostic(code=EVERYTHING, message=message, position=template.at(*path))


def _is_anybody(principal: Any) -> bool:
    return principal == "*" or (isinstance(principal, Mapping) and any("*" in _list(one) for one in principal.values()))


def _is_narrowed(statement: Mapping[str, Any]) -> bool:
    keys = {key for test in statement.get("Condition", {}).values() for key in test}
    packages = all(_PACKAGES in str(one) for one in _list(statement.get("Resource")))
    return bool(keys & _NARROWING) or packages


def _open_groups(template: Template) -> Iterator[Diagnostic]:
    """Ingress from everywhere, wherever it is written."""
    for name, properties in template.of("AWS::EC2::SecurityGroup"):
        for place, rule in enumerate(properties.get("SecurityGroupIngress", [])):
            if _is_everywhere(rule):
                path = ("Resources", name, "Properties", "SecurityGroupIngress", place)
                yield Diagnostic(code=OPEN_TO_ALL, message=f"{name} lets everybody in", position=template.at(*path))
    for name, properties in template.of("AWS::EC2::SecurityGroupIngress"):
        if _is_everywhere(properties):
            position = template.at("Resources", name)
            yield Diagnostic(code=OPEN_TO_ALL, message=f"{name} lets everybody in", position=position)


def _is_everywhere(rule: Mapping[str, Any]) -> bool:
    return rule.get("CidrIp") == "0.0.0.0/0" or rule.get("CidrIpv6") == "::/0"


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [] if value is None else [value]


def _words(actions: Any) -> str:
    return ", ".join(str(one) for one in _list(actions))

"""Rules about rights: who may take a role, what a role may do, and for whom a service may use a key, queue or topic.

A principal `*` is allowed in one case: its statement is narrowed to an account, an organisation or a source. Policies
of endpoints need that form, since AWS would take an account's name for its root user there.
"""

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

from strangler_fig.diagnostics import Diagnostic

from .template import Template

PRINCIPAL = "IC302"
EVERYTHING = "IC303"
TRUST = "IC307"

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
_TESTS = ("StringEquals", "StringEqualsIgnoreCase", "StringLike", "ArnEquals", "ArnLike")
"""Operators that narrow: a negated one does not, nor one that holds where the key is missing (...IfExists)."""
_ANYTHING = re.compile(r"(?:arn)?[*?:]*")
_PACKAGES = ":s3:::al2023-repos-"
"""Buckets of AWS that hold the distribution's packages: read without a signature, so no principal can be named."""
_OF_ONE_RESOURCE = frozenset({"iam", "sts", "lambda", "secretsmanager", "s3", "dynamodb", "sqs", "rds", "kms"})
"""Services whose rights are always on something that can be named; X-Ray's or ENIs' cannot be."""
_MANAGED = re.compile(r":iam::aws:policy/(?:.*/)?(?:AdministratorAccess.*|PowerUserAccess|.*FullAccess.*)$")
_OURS = "${AWS::AccountId}"

_Path = tuple[str | int, ...]


def rights_findings(template: Template) -> Iterator[Diagnostic]:
    """Every statement and managed policy of a template that gives more than any role of ours needs."""
    for path, statement in _statements(template.resources, ("Resources",)):
        if statement["Effect"] == "Allow":
            yield from _of_principal(template, path, statement)
            yield from _of_actions(template, path, statement)
    for name in template.resources:
        properties = template.resources[name].get("Properties", {})
        for place, one in enumerate(_list(properties.get("ManagedPolicyArns"))):
            text = str(one.get("Fn::Sub", "")) if isinstance(one, Mapping) else str(one)
            if _MANAGED.search(text):
                position = template.at("Resources", name, "Properties", "ManagedPolicyArns", place)
                yield Diagnostic(code=EVERYTHING, message=f"{name} has {text.rpartition('/')[2]}", position=position)


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


def _of_principal(template: Template, path: _Path, statement: Mapping[str, Any]) -> Iterator[Diagnostic]:
    principal = statement.get("Principal")
    is_trust = "AssumeRolePolicyDocument" in path
    services = _services(principal)
    if _is_anybody(principal) and not _is_narrowed(statement):
        message = f"{path[1]}: anybody may {_words(statement.get('Action'))}"
        hint = "name the principal, or narrow the statement by aws:PrincipalAccount"
        yield Diagnostic(code=PRINCIPAL, message=message, position=template.at(*path), hint=hint)
    elif is_trust and any(_OURS not in json.dumps(one) for one in _accounts(principal)):
        message = (
            f"{path[1]}: {_words(_accounts(principal))} may take the role, and no role here is for another account"
        )
        yield Diagnostic(code=TRUST, message=message, position=template.at(*path))
    elif "NotPrincipal" in statement:
        message = f"{path[1]}: everybody but some may {_words(statement.get('Action'))}"
        yield Diagnostic(code=PRINCIPAL, message=message, position=template.at(*path))
    elif services and not _is_on_behalf(services, statement, is_trust=is_trust):
        message = f"{path[1]}: {_words(services)} may {_words(statement.get('Action'))} on behalf of anybody"
        hint = "narrow the statement by aws:SourceAccount or aws:SourceArn"
        yield Diagnostic(code=TRUST, message=message, position=template.at(*path), hint=hint)


def _is_on_behalf(services: list[Any], statement: Mapping[str, Any], *, is_trust: bool) -> bool:
    """Whether a service acts for somebody named; one that runs code under a role needs no more than its name."""
    if not is_trust:
        return _has_condition(statement)
    return "rolesanywhere.amazonaws.com" not in services or any(key in _NARROWING for key, _ in _tests(statement))


def _of_actions(template: Template, path: _Path, statement: Mapping[str, Any]) -> Iterator[Diagnostic]:
    actions = [str(one) for one in _list(statement.get("Action"))]
    on_everything = "*" in _list(statement.get("Resource"))
    message = ""
    if "*" in actions and on_everything:
        message = f"{path[1]}: everything is allowed on everything"
    elif "NotAction" in statement:
        message = f"{path[1]}: everything but {_words(statement['NotAction'])} is allowed"
    elif on_everything and str(template.resources[str(path[1])]["Type"]).startswith("AWS::IAM::"):
        wide = [one for one in actions if one.endswith(":*") or _is_wide(one, statement)]
        message = f"{path[1]}: {_words(wide)} on everything" if wide else ""
    if message:
        yield Diagnostic(code=EVERYTHING, message=message, position=template.at(*path))


def _is_wide(action: str, statement: Mapping[str, Any]) -> bool:
    return action.partition(":")[0].lower() in _OF_ONE_RESOURCE and not _has_condition(statement)


def _is_anybody(principal: Any) -> bool:
    return principal == "*" or (isinstance(principal, Mapping) and any("*" in _list(one) for one in principal.values()))


def _services(principal: Any) -> list[Any]:
    return _list(principal.get("Service")) if isinstance(principal, Mapping) else []


def _accounts(principal: Any) -> list[Any]:
    return _list(principal.get("AWS")) if isinstance(principal, Mapping) else []


def _tests(statement: Mapping[str, Any]) -> Iterator[tuple[str, list[Any]]]:
    """The keys that a statement's conditions narrow by, with their values; none that anything would meet."""
    conditions = statement.get("Condition")
    for operator, tests in conditions.items() if isinstance(conditions, Mapping) else ():
        if str(operator).removeprefix("ForAnyValue:") in _TESTS and isinstance(tests, Mapping):
            for key, value in tests.items():
                values = _list(value)
                if values and not any(isinstance(one, str) and _ANYTHING.fullmatch(one) for one in values):
                    yield key, values


def _has_condition(statement: Mapping[str, Any]) -> bool:
    return next(_tests(statement), None) is not None


def _is_narrowed(statement: Mapping[str, Any]) -> bool:
    resources = _list(statement.get("Resource"))
    packages = bool(resources) and all(_PACKAGES in str(one) for one in resources)
    return any(key in _NARROWING for key, _ in _tests(statement)) or packages


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [] if value is None else [value]


def _words(values: Any) -> str:
    return ", ".join(str(one) for one in _list(values))

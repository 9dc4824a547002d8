"""`fig cidr show`: a plan for people, for Terraform, for CloudFormation, or for a slide."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import click

from strangler_fig.diagnostics import Diagnostic, Refused
from strangler_fig.documents import did_you_mean

from ..layout import document
from ..layout.values import Plan
from ..render.cloudformation import cloudformation
from ..render.csv_rows import csv_text
from ..render.markdown import markdown
from ..render.picture.page import picture
from ..render.table import table
from ..render.tfvars import tfvars
from .plan_files import read_plan, write

NO_VPC = "PL106"

_FORMATS: dict[str, Callable[[Plan, str], str]] = {
    "table": lambda plan, _digest: table(plan),
    "json": lambda plan, _digest: document.render(plan),
    "csv": lambda plan, _digest: csv_text(plan),
    "markdown": lambda plan, _digest: markdown(plan),
    "tfvars": tfvars,
    "cfn": cloudformation,
    "svg": lambda plan, _digest: picture(plan),
}


@click.command()
@click.argument("plan_file", metavar="PLAN", type=click.Path(path_type=Path))
@click.option("--format", "form", type=click.Choice(list(_FORMATS)), default="table", show_default=True)
@click.option("--vpc", help="This VPC alone.")
@click.option("-o", "--output", type=click.Path(path_type=Path), help="A file, instead of standard output.")
def show(plan_file: Path, form: str, vpc: str | None, output: Path | None) -> None:
    """Show a plan."""
    if vpc and form == "json":
        message = "--vpc makes a part of a plan, and --format json is the whole plan"
        raise click.UsageError(message)
    plan = read_plan(plan_file)
    digest = document.digest_of(document.to_json(plan))
    text = _FORMATS[form](_one_vpc(plan, vpc) if vpc else plan, digest)
    if output is None:
        click.echo(text, nl=False)
        return
    write(output, text)


def _one_vpc(plan: Plan, name: str) -> Plan:
    """The plan with one VPC and the functions in it."""
    if name not in plan.by_name:
        message = f"the plan has no VPC {name!r}"
        raise Refused([Diagnostic(code=NO_VPC, message=message, hint=did_you_mean(name, plan.by_name))])
    functions = tuple(place for place in plan.functions if place.vpc == name)
    return replace(plan, vpcs=(plan.by_name[name],), functions=functions)

"""The command `fig infra`: from the planner's artefacts to templates, their check, and a picture."""

import json
import sys
from pathlib import Path
from typing import Any

import click

from strangler_fig.diagnostics import Failed, Refused, has_errors

from .artefacts import read_inputs
from .artefacts.reading import read_plan
from .diagram.picture import picture

_FILE = click.Path(dir_okay=False, path_type=Path)


@click.group()
def infra() -> None:
    """Make, check and draw the cloud side of the estate: two VPCs, proxies, functions, routers."""


@infra.command()
@click.option("--plan", type=_FILE, required=True, help="What `fig cidr plan` wrote.")
@click.option("--capacity", type=_FILE, required=True, help="What `fig cidr verdict` wrote.")
@click.option(
    "--estate",
    type=click.Path(path_type=Path),
    required=True,
    help="What `fig compile` wrote: FOLDER/HASH/estate.json, or a folder that holds one.",
)
@click.option("--settings", type=_FILE, help="Targets on-premises, principals, domains: see docs/deploy.md.")
@click.option("-o", "--output", type=click.Path(file_okay=False, path_type=Path), required=True, help="The folder.")
def synth(*, plan: Path, capacity: Path, estate: Path, settings: Path | None, output: Path) -> None:
    """Write a CloudFormation template for each concern.

    `stacks.json` lists them in the order in which they are deployed.
    """
    inputs = read_inputs(plan, capacity, estate, settings)
    for found in inputs.warnings:
        click.echo(str(found), err=True)
    from .synthesis.synthesize import synthesize, write  # noqa: PLC0415 - refusals come before aws_cdk's four seconds

    templates = synthesize(inputs)
    write(templates, output)
    for one in templates:
        click.echo(f"{output / one.name}.json  {one.title}")


@infra.command()
@click.argument("templates", type=click.Path(file_okay=False, path_type=Path))
@click.option("--plan", type=_FILE, required=True, help="The plan that the templates must equal.")
@click.option("--capacity", type=_FILE, required=True, help="The verdicts that reserved concurrency must equal.")
@click.option("--estate", type=click.Path(path_type=Path), help="As for synth: compares with a new synthesis, too.")
@click.option("--settings", type=_FILE, help="As for synth; with --estate.")
@click.option("--json", "as_json", is_flag=True, help="Findings as JSON.")
def check(  # noqa: PLR0913 - the options of a command
    *, templates: Path, plan: Path, capacity: Path, estate: Path | None, settings: Path | None, as_json: bool
) -> None:
    """Hold TEMPLATES against schemas, rules, plan and synthesis.

    The schemas are CloudFormation's, the rules this toolkit's. With --estate every resource is compared with what
    synthesis makes of the same inputs; without it, a template may differ wherever no rule and no plan speaks.
    """
    from .checking.check import check_folder  # noqa: PLC0415 - cfn-lint takes a second to import

    if settings and not estate:
        message = "--settings is for the comparison with synthesis, which needs --estate"
        raise click.UsageError(message)
    made = _made(plan, capacity, estate, settings) if estate else None
    found = check_folder(templates, plan, capacity, made)
    if as_json:
        click.echo(json.dumps([one.to_json() for one in found], indent=2))
    if has_errors(found) and not as_json:
        raise Refused(found)
    if has_errors(found):
        sys.exit(2)
    for one in found if not as_json else ():
        click.echo(str(one), err=True)
    if as_json:
        return
    same = ", every resource what synthesis makes" if made is not None else ""
    click.echo(f"{templates}: no errors; every block, subnet and reserved concurrency is the plan's{same}")
    if made is None:
        click.echo("not compared with a synthesis, which sees every change: give --estate and --settings", err=True)


def _made(plan: Path, capacity: Path, estate: Path, settings: Path | None) -> dict[str, Any]:
    """What synthesis makes of the inputs, by stack."""
    inputs = read_inputs(plan, capacity, estate, settings)
    from .synthesis.synthesize import synthesize  # noqa: PLC0415 - refusals come before aws_cdk's four seconds

    return {one.name: json.loads(one.text) for one in synthesize(inputs)}


@infra.command()
@click.option("--plan", type=_FILE, required=True, help="What `fig cidr plan` wrote.")
@click.option("--capacity", type=_FILE, required=True, help="What `fig cidr verdict` wrote.")
@click.option("-o", "--output", type=_FILE, required=True, help="The SVG file.")
def diagram(*, plan: Path, capacity: Path, output: Path) -> None:
    """Draw the topology with its addresses as SVG."""
    text = picture(*read_plan(plan, capacity))
    try:
        output.write_text(text, encoding="utf-8")
    except OSError as error:
        message = f"{output} cannot be written: {error.strerror}"
        raise Failed(message) from error

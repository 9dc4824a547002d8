"""`fig cidr schema`: the JSON Schema of the demand file."""

import json

import click


@click.command()
def schema() -> None:
    """Print the JSON Schema (2020-12) of the demand file, for editors."""
    from ..demand.schema import demand_schema  # noqa: PLC0415 - pydantic is imported when it is needed

    click.echo(json.dumps(demand_schema(), indent=2))

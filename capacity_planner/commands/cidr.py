"""`fig cidr`: the group. A command's module is imported when it is called, so that `fig cidr size` answers at once."""

import importlib

import click

# name -> (module beside this one, attribute, summary), in the order of a plan's life
_COMMANDS: dict[str, tuple[str, str, str]] = {
    "size": ("size", "size", "Say what one workload needs, with the arithmetic."),
    "schema": ("schema", "schema", "Print the JSON Schema of the demand file, for editors."),
    "plan": ("plan", "plan", "Lay out both VPCs; a re-plan never moves or shrinks a block."),
    "show": ("show", "show", "Show a plan as a table, JSON, CSV, Markdown, tfvars, CloudFormation or a picture."),
    "check": ("check", "check", "Say what is wrong with a plan, a list of allocations, or live accounts."),
    "free": ("free", "free", "Find free blocks among allocations."),
    "path": ("path", "path", "Every hop to on-premises with its load and its limit; the binding one first."),
    "whatif": ("whatif", "whatif", "Say which limit breaks at which factor."),
    "verdict": ("verdict", "verdict", "Write what each function may be given, for releases to read."),
    "limits": ("limits", "limits", "List the limits with their dates and sources."),
    "import": ("import_", "import_", "Make a list of allocations from an account, a CSV or NetBox."),
}


class _Commands(click.Group):
    def list_commands(self, _ctx: click.Context) -> list[str]:
        return list(_COMMANDS)

    def get_command(self, _ctx: click.Context, name: str) -> click.Command | None:
        if name not in _COMMANDS:
            return None
        module, attribute, _ = _COMMANDS[name]
        command: click.Command = getattr(importlib.import_module(f".{module}", __package__), attribute)
        return command

    def format_commands(self, _ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl([(name, summary) for name, (_, _, summary) in _COMMANDS.items()])


@click.group(cls=_Commands)
def cidr() -> None:
    """Size CIDR blocks and the whole path to on-premises, before anyone deploys."""

"""The command `fig`: the one place that knows every package.

A command's module is imported when the command is called, so that an installation with one extra needs that extra only.
Exit codes: 0 done, 1 the world failed, 2 refused (the input or usage is wrong, or things stand in the way), 3 there are
changes, 4 a gate or a limit refused.
"""

import importlib
import sys

import click

from strangler_fig.diagnostics import Diagnostic, Failed, Refused, Severity

_ROUTER = "router"
_LOCAL = "router,local"

# name -> (module, attribute, extras to install), in the order of a migration's life
_COMMANDS: dict[str, tuple[str, str, str]] = {
    "check": ("router.commands.files", "check", _ROUTER),
    "schema": ("router.commands.files", "schema", _ROUTER),
    "compile": ("router.commands.files", "compile_", _ROUTER),
    "explain": ("router.commands.explain", "explain", _ROUTER),
    "simulate": ("router.commands.simulate", "simulate", _ROUTER),
    "plan": ("router.commands.plan", "plan", _ROUTER),
    "control": ("router.commands.control", "control", _ROUTER),
    "node": ("router.commands.node", "node", _ROUTER),
    "publish": ("router.commands.publish", "publish", _ROUTER),
    "status": ("router.commands.status", "status", _ROUTER),
    "shift": ("router.commands.shift", "shift", _ROUTER),
    "apply": ("router.commands.apply", "apply", _ROUTER),
    "approve": ("router.commands.orders", "approve", _ROUTER),
    "pause": ("router.commands.orders", "pause", _ROUTER),
    "resume": ("router.commands.orders", "resume", _ROUTER),
    "abort": ("router.commands.orders", "abort", _ROUTER),
    "rollback": ("router.commands.orders", "rollback", _ROUTER),
    "freeze": ("router.commands.orders", "freeze", _ROUTER),
    "thaw": ("router.commands.orders", "thaw", _ROUTER),
    "history": ("router.commands.history", "history", _ROUTER),
    "cidr": ("capacity_planner.commands.cidr", "cidr", "planner"),
    "observe": ("observability.commands.observe", "observe", "observability"),
    "infra": ("infra.commands", "infra", "infra"),
    "lambda": ("infra.local.commands", "lambda_", "local"),
    "up": ("infra.local.commands", "up", _LOCAL),
}

_OURS = frozenset({"fig", "strangler_fig", "router", "adapters", "capacity_planner", "observability", "infra"})


def _refusal(command: str, error: ModuleNotFoundError) -> Exception:
    """What to raise for a module that is not there: one line that names the extra, or the fault of ours that it is."""
    package = (error.name or "").split(".")[0]
    if package in _OURS or command not in _COMMANDS:
        return error
    message = f"fig {command} needs the package {package}: pip install 'strangler-fig[{_COMMANDS[command][2]}]'"
    return Refused([Diagnostic(code="FIG101", message=message)])


class _Commands(click.Group):
    """Imports a command when it is called, and names the missing extra when it lacks a package."""

    def list_commands(self, _ctx: click.Context) -> list[str]:
        return list(_COMMANDS)

    def get_command(self, _ctx: click.Context, name: str) -> click.Command | None:
        if name not in _COMMANDS:
            return None
        module, attribute, _ = _COMMANDS[name]
        try:
            command: click.Command = getattr(importlib.import_module(module), attribute)
        except ModuleNotFoundError as error:
            raise _refusal(name, error) from error
        return command

    def invoke(self, ctx: click.Context) -> object:
        """Run the command; it may import its heavy packages only now."""
        try:
            return super().invoke(ctx)
        except ModuleNotFoundError as error:
            raise _refusal(ctx.invoked_subcommand or "", error) from error

    def format_commands(self, _ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """List the commands without importing them all, each under its package's installation."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, _SUMMARIES[name]) for name in _COMMANDS])


_SUMMARIES = {
    "check": "Say what is wrong with estate and release files, with file:line:column.",
    "schema": "Print the JSON Schema of the files, for editors.",
    "compile": "Write the Envoy configuration of an estate, for review.",
    "explain": "Say which route a request takes, and on which side its user is.",
    "simulate": "Run a release against simulated users: what would happen, and when.",
    "plan": "Show what a release or a changed estate would do, and what speaks against it.",
    "control": "Run the control process: ledger, weights, snapshots.",
    "node": "Run a router host's Envoy, or roll back on the host alone.",
    "publish": "Check, validate and switch to a changed estate; --back undoes.",
    "status": "Show releases, routes, weights, nodes and traffic.",
    "shift": "Move a route's weight, and wait until it is in force.",
    "apply": "Start the release of a plan, and follow it.",
    "approve": "Let a release that waits for approval go on.",
    "pause": "Stop a release where it is, until it is resumed.",
    "resume": "Let a paused or held release go on.",
    "abort": "End a release where it is; its weights stay.",
    "rollback": "Send everybody of a release back to legacy, at once.",
    "freeze": "Stop all movement towards Lambda.",
    "thaw": "Let movement towards Lambda go on.",
    "history": "Show who moved what, when, and why; --verify checks it.",
    "cidr": "Size CIDR blocks and the path to on-premises, before anyone deploys.",
    "observe": "Receive logs, metrics and traces of both worlds, and ask about them.",
    "infra": "Make, check and draw the templates of the cloud side.",
    "lambda": "Run Lambda functions on this machine, behind the Invoke API.",
    "up": "Run a whole estate on this machine, in the foreground.",
}


@click.group(cls=_Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="strangler-fig")
def fig() -> None:
    """Move HTTP routes from on-premises applications to Lambda, gradually and reversibly."""


def _refuse_what_is_no_text(arguments: list[str]) -> None:
    """Raise `Refused` for bytes that are not UTF-8: they could be neither sent nor printed."""
    if any("\udc80" <= letter <= "\udcff" for argument in arguments for letter in argument):
        raise Refused([Diagnostic(code="FIG102", message="an argument is not UTF-8")])


def main() -> None:
    """Run the command line; the only place that turns refusals and failures into exit codes."""
    try:
        _refuse_what_is_no_text(sys.argv[1:])
        fig.main(prog_name="fig", standalone_mode=True)
    except Refused as refused:
        for found in refused.diagnostics:
            click.echo(str(found), err=True)
        only_warnings = all(found.severity is Severity.WARNING for found in refused.diagnostics)
        sys.exit(0 if refused.diagnostics and only_warnings else 2)
    except Failed as failed:
        click.echo(f"fig: {failed}", err=True)
        sys.exit(1)


if __name__ == "__main__":
    main()

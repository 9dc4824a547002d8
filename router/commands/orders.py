"""`fig approve | pause | resume | abort | rollback RELEASE` and `fig freeze | thaw`: what people order of releases."""

from collections.abc import Callable, Mapping
from typing import Any

import click

from .emergency import emergency_exit
from .options import (
    actor_option,
    control_option,
    json_option,
    name_argument,
    print_json,
    wait_option,
    why_option,
)

_DONE = {
    "approve": "approved",
    "pause": "paused",
    "resume": "resumed",
    "abort": "aborted: it stays where it is",
    "rollback": "rolled back: everybody is on legacy",
}


def _order(name: str, summary: str) -> click.Command:
    """The command that orders it of a release."""

    @click.command(name, help=summary)
    @click.argument("release", callback=name_argument)
    @click.option("--route", callback=name_argument, help="Of this route (and its group) only.")
    @why_option
    @actor_option
    @wait_option("5s")
    @control_option
    @json_option
    def command(  # noqa: PLR0913 - click hands over one argument for each option
        *,
        release: str,
        route: str | None,
        reason: str,
        actor: str,
        wait_seconds: float,
        control: str | None,
        as_json: bool,
    ) -> None:
        from ..client import ControlClient, find_control  # noqa: PLC0415 - heavy imports only when the command runs

        request = {"command": name, "route": route, "actor": actor, "reason": reason, "wait_seconds": wait_seconds}
        with emergency_exit(is_needed=name == "rollback"), ControlClient(find_control(control)) as client:
            answer = client.order(release, request)
        if as_json:
            print_json(answer)
        else:
            _tell(answer)
        if answer.get("lagging"):
            raise SystemExit(1)

    return command


def _for_all(name: str, summary: str) -> click.Command:
    """The command that stops all movement towards Lambda, or lets it go on."""

    @click.command(name, help=summary)
    @why_option
    @actor_option
    @control_option
    @json_option
    def command(*, reason: str, actor: str, control: str | None, as_json: bool) -> None:
        from ..client import ControlClient, find_control  # noqa: PLC0415 - heavy imports only when the command runs

        with ControlClient(find_control(control)) as client:
            ask: Callable[[Mapping[str, Any]], dict[str, Any]] = client.freeze if name == "freeze" else client.thaw
            answer = ask({"actor": actor, "reason": reason})
        if as_json:
            print_json(answer)
            return
        already = answer.get("already")
        if answer["frozen"]:
            click.echo(f"frozen already, {already}" if already else "nothing moves towards Lambda until fig thaw")
        else:
            click.echo(f"{already}: releases go on as they did" if already else "releases go on")
        _warn(answer)

    return command


approve = _order("approve", "Let a release that waits for approval go on.")
pause = _order("pause", "Stop a release where it is, until it is resumed.")
resume = _order("resume", "Let a release that was paused, or that a gate holds, go on.")
abort = _order("abort", "End a release where it is; its weights stay, and are yours again.")
rollback = _order("rollback", "Send everybody of a release back to legacy, at once; also after it ended.")
freeze = _for_all("freeze", "Stop all movement towards Lambda; towards legacy goes on.")
thaw = _for_all("thaw", "Let movement towards Lambda go on after a freeze.")


def _tell(answer: Mapping[str, Any]) -> None:
    routes = ", ".join(answer["routes"])
    force = f", in force after {answer['in_force_ms']:.1f} ms" if answer.get("in_force") else ""
    if already := answer.get("already"):
        click.echo(f"{answer['release']} ({routes}): already {already}; nothing was changed")
    else:
        click.echo(f"{answer['release']} ({routes}): {_DONE[answer['command']]}{force}")
    if answer.get("lagging"):
        click.echo(
            f"not in force yet on: {', '.join(answer['lagging'])} (fig status says more;"
            " on the host itself fig node rollback works without control)",
            err=True,
        )
    _warn(answer)


def _warn(answer: Mapping[str, Any]) -> None:
    if not answer["recorded"]:
        click.echo("warning: the ledger could not take it yet; control tries again", err=True)

"""What `fig up` starts, in which order, and with which arguments: the one place that knows the parts' command lines.

    observe, control, the example's commands, lambda    together
    node                                                once control has written where it listens
    publish                                             once all are ready: the estate comes into force

The parts are the command `fig` again, on the same interpreter, so that this package needs no other one's code.
"""

import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from . import observing
from .child import ReadyAtOnce, ReadyLine, ReadyNode, ReadyObject, ReadyUrl, Spec
from .local_file import LocalFile
from .run_file import NAME as RUN_FILE
from .run_file import ControlAddress

CONTROL_GONE = (
    "Requests go on, with the weights as they are. "
    "fig shift, publish and status need control: for them, end fig up and start it again."
)
OBSERVE_GONE = "Requests go on, and nobody hears of them: end fig up and start it again to observe it."
OBSERVE = "observe"
_READY = ReadyLine("ready")


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """An estate that passed its checks.

    `environment` is the processes' whole one; `chosen` what fig up put into it for commands in other terminals, too,
    among it `ports`. `notes` are sentences for whoever started it.
    """

    estate: Path
    entry: str
    state: Path
    local: LocalFile
    environment: Mapping[str, str]
    chosen: Mapping[str, str]
    ports: Mapping[str, str]
    is_observed: bool
    notes: tuple[str, ...] = ()

    @property
    def run_file(self) -> Path:
        """Where `run.json` stands."""
        return self.state / RUN_FILE

    def addresses(self, control: ControlAddress) -> dict[str, str]:
        """Where each part listens, by name; a command's is its `ready` address without the path."""
        found = {"entry": f"http://{self.entry}", "control": control.url}
        if self.local.local_lambda:
            found["lambda"] = f"http://127.0.0.1:{self.local.local_lambda.port}"
        for command in self.local.commands:
            if command.ready_url:
                found[command.name] = "/".join(command.ready_url.split("/")[:3])
        if self.is_observed:
            found[OBSERVE] = f"http://127.0.0.1:{self.environment[observing.PAGES_PORT]}"
            found["otlp"] = self.environment[observing.ENDPOINT]
        return found


def fig(*arguments: str) -> tuple[str, ...]:
    """The command line that runs `fig` with these arguments (-P: a folder's own `fig.py` is never taken for it)."""
    return (sys.executable, "-P", "-m", "fig", *arguments)


def first(plan: Plan) -> tuple[Spec, ...]:
    """The processes that need nothing else, in this order; they end in the opposite one, and `observe` hears all."""
    control = Spec(
        name="control",
        argv=fig("control", "--state", str(plan.state / "control"), "--port", "0", "--run-file", str(plan.run_file)),
        folder=Path.cwd(),
        environment={**plan.environment, **_credentials(plan)},
        ready=_READY,
        when_gone=CONTROL_GONE,
    )
    return (*_observe(plan), control, *_commands(plan), *_local_lambda(plan))


def node(plan: Plan, control: ControlAddress) -> Spec:
    """The router host's agent, with its Envoy."""
    return Spec(
        name="node",
        # No VIP has to notice anything here, and the end must come before `END_SECONDS` are over.
        argv=fig("node", "--state", str(plan.state / "node"), "--drain", "0s", "--finish", "2s"),
        folder=Path.cwd(),
        environment={**_with_control(plan, control), **_credentials(plan)},
        ready=ReadyNode(control.url, control.token),
    )


def _credentials(plan: Plan) -> Mapping[str, str]:
    """Keys for the local Lambda, which asks for none in particular; the user's own where there are any.

    Envoy signs every call, and control the warm ones: neither must wait for the metadata service of a cloud that is
    not here.
    """
    if not plan.local.local_lambda or "AWS_ACCESS_KEY_ID" in plan.environment:
        return {}
    return {"AWS_ACCESS_KEY_ID": "local", "AWS_SECRET_ACCESS_KEY": "local", "AWS_EC2_METADATA_DISABLED": "true"}


def publish(plan: Plan, control: ControlAddress) -> Spec:
    """The step that brings the estate into force."""
    return Spec(
        name="publish",
        argv=fig("publish", str(plan.estate), "--yes", "--reason", "fig up"),
        folder=Path.cwd(),
        environment=_with_control(plan, control),
    )


def _observe(plan: Plan) -> tuple[Spec, ...]:
    if not plan.is_observed:
        return ()
    places = {"--data": plan.state / "observe.duckdb", "--run-file": plan.state / "observe.json"}
    ports = {"--otlp-port": observing.RECEIVER_PORT, "--port": observing.PAGES_PORT}
    return (
        Spec(
            name=OBSERVE,
            argv=fig(
                "observe",
                *(word for option, place in places.items() for word in (option, str(place))),
                *(word for option, name in ports.items() for word in (option, plan.environment[name])),
                "--json",
            ),
            folder=Path.cwd(),
            environment=plan.environment,
            ready=ReadyObject(),
            when_gone=OBSERVE_GONE,
        ),
    )


def _commands(plan: Plan) -> tuple[Spec, ...]:
    return tuple(
        Spec(
            name=command.name,
            argv=command.argv,
            folder=plan.local.folder,
            environment={**observing.of_command(command.ready_url), **plan.environment},
            ready=ReadyUrl(command.ready_url) if command.ready_url else ReadyAtOnce(),
        )
        for command in plan.local.commands
    )


def _local_lambda(plan: Plan) -> tuple[Spec, ...]:
    described = plan.local.local_lambda
    if described is None:
        return ()
    return (
        Spec(
            name="lambda",
            argv=fig("lambda", str(described.functions), "--port", str(described.port)),
            folder=Path.cwd(),
            environment=plan.environment,
            ready=_READY,
        ),
    )


def _with_control(plan: Plan, control: ControlAddress) -> dict[str, str]:
    return {**plan.environment, "FIG_CONTROL": control.url, "FIG_TOKEN": control.token}

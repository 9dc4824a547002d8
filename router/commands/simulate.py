"""`fig simulate RELEASE`: what the release would do to users who do not exist, and when."""

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from strangler_fig.diagnostics import Diagnostic, Refused, Severity
from strangler_fig.units import FULL_SHARE, UnitError, format_seconds, share

from .options import Duration, Rate, json_option, print_json, progress

if TYPE_CHECKING:  # pydantic costs start-up time that --help should not pay
    from ..simulation.outcome import RouteRun, Simulation
    from .release_files import ReadRelease

_NOT_COMPLETED = 4
_MILLISECONDS = 1000.0
_DAY_SECONDS = 86_400.0
UNWRITABLE = "SM101"
NEVER_DECIDES = "SM102"


class Share(click.ParamType[float]):
    """A percentage such as `0.4%`, as a fraction."""

    name = "share"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        """Give the fraction that the text stands for."""
        if isinstance(value, float):
            return value
        try:
            return share(str(value)) / FULL_SHARE
        except UnitError as error:
            self.fail(str(error), param, ctx)


@click.command()
@click.argument("release", type=click.Path(path_type=Path))
@click.option("--estate", type=click.Path(path_type=Path), help="The estate whose routes the release names.")
@click.option("--traffic", type=Rate(), required=True, help="Requests to each route, as in 50rps.")
@click.option("--users", type=click.IntRange(1, 2_000_000), required=True, help="So many users send them.")
@click.option("--lambda-errors", type=Share(), default="0.1%", show_default=True, help="The share that Lambda fails.")
@click.option("--legacy-errors", type=Share(), default="0.1%", show_default=True, help="The share that legacy fails.")
@click.option("--lambda-latency", type=Duration(), default="40ms", show_default=True, help="Lambda's median.")
@click.option("--legacy-latency", type=Duration(), default="40ms", show_default=True, help="Legacy's median.")
@click.option(
    "--unlucky", type=click.FloatRange(1, 1000), default=1.0, help="2% of the users meet so many times the errors."
)
@click.option("--seed", type=int, default=1, show_default=True, help="Another seed, other users.")
@click.option(
    "--start", type=click.DateTime(["%Y-%m-%d", "%Y-%m-%dT%H:%M"]), help="When it is applied, in UTC. Default: now."
)
@click.option(
    "--approve-after", type=Duration(), help="Each approval comes so long after it is asked for. Default: at once."
)
@click.option(
    "--nobody-approves", is_flag=True, help="No approval comes: the release is held at the first that it asks for."
)
@click.option("--svg", type=click.Path(path_type=Path), help="Write a picture of the first route's run.")
@click.option("--detailed-exit-code", is_flag=True, help="Exit 4 when a route does not reach its last step.")
@json_option
def simulate(**options: Any) -> None:
    """Run RELEASE against simulated users, by the code that decides in control, and show what happens when.

    Windows, holds and verdicts take the time that they would take; the same seed gives the same run.
    """
    if options["nobody_approves"] and options["approve_after"] is not None:
        message = "--approve-after and --nobody-approves exclude each other"
        raise click.UsageError(message)
    with progress("simulating"):
        simulation = _simulated(options)
    if options["svg"]:
        _write_picture(simulation, options["svg"])
    if options["as_json"]:
        print_json(simulation.to_json())
    else:
        for line in _told(simulation):
            click.echo(line)
    if options["detailed_exit_code"] and any(run.ending.value != "completed" for run in simulation.runs):
        raise SystemExit(_NOT_COMPLETED)


def _simulated(options: dict[str, Any]) -> "Simulation":
    from ..simulation.run import Course, simulate  # noqa: PLC0415 - heavy imports only when the command runs
    from ..simulation.traffic import SideAssumption, Traffic  # noqa: PLC0415
    from .release_files import read_release  # noqa: PLC0415

    read = read_release(options["release"], options["estate"])
    for found in _undecidable(read, options["traffic"]):
        click.echo(str(found), err=True)
    traffic = Traffic(
        requests_per_second=options["traffic"],
        users=options["users"],
        legacy=SideAssumption(errors=options["legacy_errors"], latency_ms=options["legacy_latency"] * _MILLISECONDS),
        lambda_=SideAssumption(errors=options["lambda_errors"], latency_ms=options["lambda_latency"] * _MILLISECONDS),
        seed=options["seed"],
        unlucky_times=options["unlucky"],
    )
    start: datetime | None = options["start"]
    course = Course(
        begins=start.replace(tzinfo=UTC) if start else datetime.now(UTC).replace(microsecond=0),
        approves_after_seconds=None if options["nobody_approves"] else options["approve_after"] or 0.0,
        salts=tuple((route.name, route.salt) for route in read.estate.routes) if read.estate else (),
    )
    return simulate(read.release, traffic, course)


def _undecidable(read: "ReadRelease", requests_per_second: float) -> Iterator[Diagnostic]:
    """Steps whose gate asks for more requests than come in the time that anybody waits."""
    from ..plan.verdict_time import LONGEST_SECONDS, minimum_seconds  # noqa: PLC0415 - only where it is called
    from ..release.places import ReleasePlaces  # noqa: PLC0415

    for ramp in read.release.ramps:
        for step in ramp.steps:
            takes = minimum_seconds(ramp.gate, step.weight, requests_per_second) if step.needs_pass else 0.0
            if takes > LONGEST_SECONDS:
                days = takes / _DAY_SECONDS
                message = (
                    f"{ramp.name}: step {step.number} ({step}): the gate can never decide: minimum_requests of "
                    f"{ramp.gate.minimum_requests:,} take {days:,.0f} days at {requests_per_second:g} requests/s"
                )
                yield Diagnostic(
                    code=NEVER_DECIDES,
                    message=message,
                    position=ReleasePlaces(read.document).step(ramp, step),
                    hint="ask for fewer, or begin with a higher share",
                    severity=Severity.WARNING,
                )
                break


def _write_picture(simulation: "Simulation", path: Path) -> None:
    from ..simulation.picture import picture  # noqa: PLC0415

    try:
        path.write_text(picture(simulation.runs[0]), encoding="utf-8")
    except OSError as error:
        message = f"{path} cannot be written: {error.strerror or error}"
        raise Refused([Diagnostic(code=UNWRITABLE, message=message)]) from error


def _told(simulation: "Simulation") -> Iterator[str]:
    """Each ramp once: the routes of a group have one course."""
    ramps: dict[str, list[RouteRun]] = {}
    for run in simulation.runs:
        ramps.setdefault(run.ramp, []).append(run)
    for runs in ramps.values():
        routes = ", ".join(run.route for run in runs)
        yield from _run_told(runs[0], f"group {runs[0].ramp} ({routes})" if len(runs) > 1 else f"route {routes}")


def _run_told(run: "RouteRun", who: str) -> Iterator[str]:
    yield f"{who}: {run.ending.value} after {_clock(run.seconds)}, highest weight {run.highest}"
    said = ""
    for moment in run.moments:
        if moment.text == said:
            continue  # the moves of a glide
        said = moment.text
        yield f"  {_clock(moment.seconds):>12}  {moment.weight!s:>6}  {moment.text}"
    why = "" if run.reason in said else f"; {run.reason}"
    yield f"  {len(run.looks)} looks of the gate{why}"


def _clock(seconds: float) -> str:
    """A time as days, hours, minutes and seconds, without what is zero in front."""
    whole = round(seconds)
    days, rest = divmod(whole, 86_400)
    hours, rest = divmod(rest, 3600)
    minutes, left = divmod(rest, 60)
    parts = [(days, "d"), (hours, "h"), (minutes, "m"), (left, "s")]
    said = " ".join(f"{number}{unit}" for number, unit in parts if number)
    return said or format_seconds(0)

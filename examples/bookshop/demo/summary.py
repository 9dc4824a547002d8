"""How the story ended: the closing table, the report as JSON, and whether it held."""

import json
from dataclasses import dataclass

from rich.console import Console

from .estate import Shift
from .observed import Observed
from .sides import Held

_MOSTLY = 0.5
"""The part of its reads that a Lambda that is well must answer: on a busy machine much goes beyond its concurrency."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Summary:
    """What was counted; `held` has what was seen after each of `shifts`.

    `reads` are those of `requests` that went to the route that moved. `fallbacks_while_well` are those of `fallbacks`
    that happened before Lambda was broken or after it was mended. `answered_by_lambda_while_broken` and `silent`
    (answers that did not say which side they came from) must be 0.
    """

    requests: int
    reads: int
    failed: int
    users: int
    bounced_users: int
    fallbacks: int
    answered_by_lambda: int
    fallbacks_while_well: int
    answered_by_lambda_while_broken: int
    silent: int
    shifts: tuple[Shift, ...]
    held: tuple[Held, ...]
    faults: tuple[str, ...] = ()
    observed: Observed | None = None

    @property
    def problems(self) -> tuple[str, ...]:
        """Why the story did not hold, in words; empty when it did."""
        found = []
        if self.failed:
            found.append(f"{self.failed} requests failed: " + "; ".join(self.faults))
        if self.bounced_users:
            found.append(f"{self.bounced_users} users changed their side other than by the ramp")
        if not self.fallbacks:
            found.append("legacy never answered for Lambda")
        well = self.answered_by_lambda + self.fallbacks_while_well
        if self.answered_by_lambda < _MOSTLY * well or not well:
            found.append(f"of {well} reads for Lambda, while it was well, it answered {self.answered_by_lambda}")
        if self.answered_by_lambda_while_broken:
            found.append(f"{self.answered_by_lambda_while_broken} reads were answered by a Lambda that was broken")
        if self.silent:
            found.append(f"{self.silent} answers did not say which side they came from")
        if self.observed and not self.observed.crosses_both_worlds:
            found.append(f"trace {self.observed.trace_id} does not lead through both worlds")
        if self.observed and not sum(self.observed.requests.values()):
            found.append(f"fig observe has heard of none of {self.reads} reads")
        found += [
            f"at {held.weight:g}% {held.share:.1f}% of {held.users} users were on Lambda"
            for held in self.held
            if not held.is_plausible
        ]
        return tuple(found)

    @property
    def story_held(self) -> bool:
        """Whether all that the demo promises was so."""
        return not self.problems

    def to_json(self) -> str:
        """The report's text."""
        shifts = [{"weight": _number(shift.weight), "in_force_ms": shift.in_force_ms} for shift in self.shifts]
        values = {
            "requests": self.requests,
            "failed": self.failed,
            "users": self.users,
            "bounced_users": self.bounced_users,
            "fallbacks": self.fallbacks,
            "fallbacks_while_well": self.fallbacks_while_well,
            "answered_by_lambda": self.answered_by_lambda,
            "shifts": shifts,
            "shares": [
                {"weight": _number(held.weight), "users_on_lambda_percent": round(held.share, 2)} for held in self.held
            ],
            "observed": self.observed.to_json() if self.observed else None,
            "problems": list(self.problems),
        }
        return json.dumps(values, indent=2) + "\n"

    def show(self, console: Console) -> None:
        """Print the summary."""
        rows = (
            ("requests sent", f"{self.requests}"),
            ("failed", f"{self.failed}"),
            ("users", f"{self.users}"),
            ("changed side other than by the ramp", f"{self.bounced_users}"),
            ("answered by Lambda", f"{self.answered_by_lambda}"),
            ("answered by legacy for Lambda", f"{self.fallbacks} ({self.fallbacks_while_well} while Lambda was well)"),
        )
        console.print("\n[bold]Summary[/]")
        for name, value in rows:
            console.print(f"  {name:<36} {value}", markup=False, soft_wrap=True)
        console.print("\n  weight   in force after   users on Lambda", markup=False)
        for shift, held in zip(self.shifts, self.held, strict=True):
            line = f"  {f'{shift.weight:g}%':>6} {f'{shift.in_force_ms:.1f} ms':>16} {f'{held.share:.1f}%':>17}"
            console.print(line, markup=False)
        if self.observed:
            self._show_observed(console, self.observed)
        console.print()
        for problem in self.problems:
            console.print(f"  !! {problem}", style="bold red", markup=False, soft_wrap=True)
        if self.story_held:
            console.print("Nothing failed, and nobody was moved but by the ramp.", style="bold green")

    def _show_observed(self, console: Console, observed: Observed) -> None:
        counted = sum(observed.requests.values())
        sides = ", ".join(f"{side} {number}" for side, number in sorted(observed.requests.items()))
        weight = "-" if observed.weight is None else f"{observed.weight:g}%"
        console.print("\n[bold]As fig observe saw it[/]")
        line = f"  books-read: {counted} requests ({sides}), {observed.fallbacks} fallbacks, weight now {weight}"
        console.print(line, markup=False, soft_wrap=True)
        line = f"  one request through both worlds, with {observed.log_lines} log lines, trace {observed.trace_id}:"
        console.print(line, markup=False, soft_wrap=True)
        for hop in observed.hops:
            name = "  " * hop.depth + hop.name
            console.print(f"    {name:<36} {hop.service:<12} {hop.milliseconds:>8.1f} ms", markup=False, soft_wrap=True)


def _number(percent: float) -> float | int:
    """The percentage as people write it: 5, not 5.0."""
    return int(percent) if percent == int(percent) else percent

"""Takes the evidence out of a node's report; what cannot be read is said once, and never cuts the node off."""

import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from ..gate import wire
from .evidence import Evidence


@dataclass(slots=True)
class Intake:
    """The way of evidence from a report to its windows. `wake` lets the ramps be looked at."""

    evidence: Evidence
    wake: Callable[[], None]
    problems: dict[str, str] = field(default_factory=dict)

    def heard(self, node: str, said: Mapping[str, Any] | None, *, has_left: bool = False) -> None:
        """Take what the node counted; what cannot be read is left out."""
        if has_left:
            self.evidence.forget(node)
            self.problems.pop(node, None)
        if said is None:
            return
        try:
            reading = replace(wire.from_json(said), node=node)
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            self._note(node, f"the evidence of {node} cannot be read: {error!r}")
            return
        self.evidence.heard(reading)
        self.problems.pop(node, None)
        self.wake()

    def _note(self, node: str, problem: str) -> None:
        if node not in self.problems:
            sys.stderr.write(f"control: {problem}\n")
        self.problems[node] = problem

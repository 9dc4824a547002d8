"""Numbers as an engineer checks them: rounding up without floating-point surprises, and a calculation as lines."""

import math
from dataclasses import dataclass

_SLACK = 1e-12
"""How much of a number may be floating point's own: some thousand times its precision."""


@dataclass(frozen=True, slots=True)
class Line:
    """One line of a calculation: `label` = `expression` = `result`, each as text."""

    label: str
    expression: str
    result: str

    def to_json(self) -> dict[str, str]:
        """The line as JSON values."""
        return {"label": self.label, "expression": self.expression, "result": self.result}


def up(value: float) -> int:
    """The smallest integer that is not below `value`; 30 x 0.1 is 3, not 4 because of the last bit."""
    return math.ceil(value - _SLACK * max(1.0, abs(value)))


def down(value: float) -> int:
    """The largest integer that is not above `value`, with the same care for the last bit."""
    return math.floor(value + _SLACK * max(1.0, abs(value)))


def exceeds(load: float, capacity: float) -> bool:
    """Whether `load` is above `capacity` by more than rounding."""
    return load > capacity + _SLACK * max(1.0, abs(capacity))


def number(value: float) -> str:
    """The number as people read it: thousands apart, at most three decimals below 10, none above 1,000."""
    if not math.isfinite(value):
        return "unbounded"
    if value == int(value) or abs(value) >= 1_000:  # noqa: PLR2004 - decimals say nothing there
        return f"{value:,.0f}"
    decimals = 1 if abs(value) >= 10 else 3  # noqa: PLR2004
    return f"{value:,.{decimals}f}".rstrip("0").rstrip(".")


def count(many: int, noun: str) -> str:
    """So many of something: `1 zone`, `3 zones`."""
    return f"{many:,} {noun}{'' if many == 1 else 's'}"

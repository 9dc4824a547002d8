"""What came through the door since the process began, and what did not, by signal and reason."""

from collections import Counter
from dataclasses import dataclass, field

from strangler_fig.masking import mask_text

from .refusal import Reason


@dataclass(slots=True)
class Counts:
    """Records taken by signal, requests refused by signal and reason. Used from the event loop alone."""

    since: float
    taken: Counter[str] = field(default_factory=Counter)
    requests: Counter[str] = field(default_factory=Counter)
    refused: Counter[tuple[str, str]] = field(default_factory=Counter)
    invalid_ids: Counter[str] = field(default_factory=Counter)
    repeated: Counter[str] = field(default_factory=Counter)
    last_refusal: str = ""

    def took(self, signal: str, records: int, invalid_ids: int = 0) -> None:
        """Count a request whose records are stored, and ids in it that were none."""
        if invalid_ids:
            self.invalid_ids[signal] += invalid_ids
        self.taken[signal] += records
        self.requests[signal] += 1

    def repeat(self, signal: str, records: int) -> None:
        """Count records that came again, and were stored before."""
        if records:
            self.repeated[signal] += records

    def refuse(self, signal: str, reason: Reason, message: str) -> None:
        """Count a request that was not taken."""
        self.refused[signal, reason.value] += 1
        self.last_refusal = mask_text(message)

    def to_json(self) -> dict[str, object]:
        """The counts as JSON values."""
        return {
            "since": self.since,
            "records": dict(self.taken),
            "requests": dict(self.requests),
            "refused": [
                {"signal": signal, "reason": reason, "requests": number}
                for (signal, reason), number in sorted(self.refused.items())
            ],
            "invalid_ids": dict(self.invalid_ids),
            "repeated": dict(self.repeated),
            "last_refusal": self.last_refusal,
        }

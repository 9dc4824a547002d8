"""What stands on-premises: databases, services, and the legacy applications that may have to take everything back."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Database:
    """A database and what of it functions may hold.

    `sessions` it allows in all, `share` of them (a fraction of one) for functions, `others` of these already held by
    somebody else. `endpoints`: how many IP and port pairs it listens on.
    """

    name: str
    sessions: int
    share: float = 1.0
    others: int = 0
    endpoints: int = 1

    @property
    def budget(self) -> int:
        """How many sessions all functions together may hold."""
        return max(0, int(self.sessions * self.share + 1e-9) - self.others)


@dataclass(frozen=True, slots=True, kw_only=True)
class Service:
    """Another on-premises service that functions call: `endpoints` IP and port pairs."""

    name: str
    endpoints: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Legacy:
    """A legacy application with today's limits, and the functions whose traffic would come back to it.

    `rate` it was seen to carry, `concurrency` its workers, `duration` (seconds) of one request there, `sessions` that
    it may hold of each database. None: nobody said.
    """

    name: str
    functions: tuple[str, ...]
    rate: float | None = None
    concurrency: int | None = None
    duration: float | None = None
    sessions: tuple[tuple[str, int], ...] = ()

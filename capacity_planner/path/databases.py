"""The databases' sessions: what environments hold, against what functions may have.

A frozen environment keeps its sessions: they follow environments alive, not requests in flight.
"""

from collections.abc import Iterator

from ..arithmetic import number
from ..demand.on_premises import Database
from ..limits.values import Kind as LimitKind
from ..limits.values import Limit
from .loads import Loads
from .measure import Basis, Kind, Measure, Over
from .network import Network

HOP = "database"
SESSIONS = Kind("database-sessions", HOP, "database's sessions", "sessions", Basis.CONCURRENCY, Over.DATABASE)


def measures(loads: Loads, network: Network) -> Iterator[Measure]:
    """The databases' limits in one case."""
    for database in network.demand.databases:
        yield Measure(
            kind=SESSIONS,
            subject=database.name,
            load=loads.sessions.get(database.name, 0),
            capacity=database.budget,
            limit=budget_limit(database),
            capacity_of=_budget(database),
        )


def budget_limit(database: Database) -> Limit:
    """What functions may hold of a database, as a limit whose source is the demand file."""
    return Limit(
        key=f"database_sessions.{database.name}",
        kind=LimitKind.FIGURE,
        value=database.budget,
        unit="sessions",
        scope=f"all functions at {database.name}",
        adjustable_to=None,
        as_of="",
        source=f"the demand file, databases.{database.name}: {_budget(database)}",
        note="",
        overridden=True,
    )


def _budget(database: Database) -> str:
    others = f" - {number(database.others)} of others" if database.others else ""
    return f"{number(database.sessions)} x {database.share:.0%}{others}"

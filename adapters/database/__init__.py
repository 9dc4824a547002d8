"""MySQL and MariaDB on-premises, through SQLAlchemy and PyMySQL, within the invocation's deadline.

Database (target) -> engine -> pool: liveness -> login -> connection.way
                            -> statements: bounded on the server, too
failures: whatever a driver raises -> `adapters.errors`
"""

from .engine import create_engine
from .target import Database

__all__ = ["Database", "create_engine"]

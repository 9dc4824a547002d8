"""AWS's wrapper on the database of `adapters_calls.py`, which runs this in the peers' environment.

    .venv/peers/bin/python benchmarks/adapters_wrapper.py PORT CA_FILE ROUNDS

It wraps mysql-connector only, so that stands beside it without the wrapper. Its plugins that need a cluster are off.
"""

import json
import sys
import time
from typing import Any

import sqlalchemy
from sqlalchemy import text

_ONE = text("select 1")
_CALLS = 20
_DIALECTS = {"warm": "aws_wrapper_mysqlconnector", "bare": "mysqlconnector"}


def main() -> None:
    """Print microseconds and milliseconds as JSON."""
    port, ca, rounds = sys.argv[1], sys.argv[2], int(sys.argv[3])
    engines = {name: _engine(dialect, port, ca) for name, dialect in _DIALECTS.items()}
    found = dict.fromkeys(engines, float("inf"))
    connect = float("inf")
    for _ in range(rounds):
        for name, engine in engines.items():
            begin = time.perf_counter()
            for _ in range(_CALLS):
                with engine.connect() as connection:
                    connection.execute(_ONE).scalar()
            found[name] = min(found[name], (time.perf_counter() - begin) / _CALLS)
        engines["warm"].dispose()
        begin = time.perf_counter()
        with engines["warm"].connect():
            connect = min(connect, time.perf_counter() - begin)
    print(json.dumps({"warm_us": found["warm"] * 1e6, "bare_us": found["bare"] * 1e6, "connect_ms": connect * 1e3}))


def _engine(dialect: str, port: str, ca: str) -> Any:
    url = f"mysql+{dialect}://app:pw@127.0.0.1:{port}/shop"
    more: dict[str, Any] = {"ssl_ca": ca, "ssl_verify_cert": True}
    if dialect.startswith("aws"):
        more["plugins"] = ""
    return sqlalchemy.create_engine(url, connect_args=more, pool_size=1, max_overflow=0)


if __name__ == "__main__":
    main()

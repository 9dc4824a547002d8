"""What a call through `adapters` costs, beside plain SQLAlchemy with PyMySQL and beside AWS's own wrapper.

    python benchmarks/adapters_calls.py [--rounds 150]

A MariaDB of its own, over TLS on loopback. Every figure is the best of its rounds, and the rounds of what is compared
take turns: what disturbs a round only ever makes it dearer. Imports are processor time of fresh interpreters.
"""

import argparse
import json
import ssl
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Mapping
from contextlib import ExitStack, closing
from pathlib import Path
from typing import Any

import pymysql
import sqlalchemy
from sqlalchemy import text

sys.path.insert(0, str(Path(__file__).parent.parent))  # a script's folder is on the path, the repository's is not

from adapters import telemetry
from adapters.credentials import provider_for
from adapters.database import Database
from adapters.database.login import open_connection
from adapters.database.statements import bound
from adapters.deadline import Deadline, in_force
from adapters.profiles.document import database
from benchmarks.measuring import PEERS
from tests.adapters.faults import FaultProxy, fault_proxy
from tests.adapters.mariadb import NAME, MariaDb, running

_ONE, _READ = text("select 1"), text("select title from books where id = 7")
_CALLS = 20
_LOGIN: dict[str, Any] = {"user": "app", "password": "pw", "database": "shop"}
_HANGS_SECONDS = 5.0
_LIBRARIES = "import sqlalchemy, pymysql, urllib3, opentelemetry.trace, opentelemetry.metrics, opentelemetry.propagate"
_EXPORTS = "from adapters import *; import adapters.events"
_CLIENTS = f"{_EXPORTS}; from adapters import stores; stores._made(lambda config: __import__('boto3'))"
Call = Callable[[], object]


def best(calls: Mapping[str, Call], *, rounds: int, number: int) -> dict[str, float]:
    """The seconds that each call takes in its best round; they take turns."""
    found = dict.fromkeys(calls, float("inf"))
    for _ in range(rounds):
        for name, call in calls.items():
            begin = time.perf_counter()
            for _ in range(number):
                call()
            found[name] = min(found[name], (time.perf_counter() - begin) / number)
    return found


def profile_of(server: MariaDb, port: int, **changes: Any) -> Any:
    """The profile of the database on that port."""
    document = {
        "endpoints": f"127.0.0.1:{port}",
        "tls": {"name": NAME, "ca_file": str(server.ca)},
        "credentials": {"user": "app", "password": "pw"},
        "database": "shop",
    }
    return database("orders", document | changes)


def plain_engine(server: MariaDb, port: int, **options: Any) -> sqlalchemy.Engine:
    """SQLAlchemy with PyMySQL and one connection, which verifies, too: by hand, since no option does it."""
    context = ssl.create_default_context(cafile=str(server.ca))
    context.check_hostname = False  # the name is the database's, and PyMySQL checks that of the socket

    def connect() -> Any:
        return pymysql.connect(host="127.0.0.1", port=port, ssl=context, **_LOGIN)

    return sqlalchemy.create_engine("mysql+pymysql://", creator=connect, pool_size=1, max_overflow=0, **options)


def once(connect: Callable[[], Any], statement: Any = _ONE) -> Call:
    """A call that takes a connection from a pool and asks `select 1`, or something else."""

    def call() -> None:
        with connect() as connection:
            connection.execute(statement).scalar()

    return call


def warm(server: MariaDb, stack: ExitStack, rounds: int) -> dict[str, float]:
    """Microseconds of `select 1` on a connection that is there."""
    orders = Database(profile_of(server, server.port))
    plain = plain_engine(server, server.port)
    stack.callback(orders.dispose)
    stack.callback(plain.dispose)
    bounded = once(orders.connect)

    def in_time() -> None:
        with in_force(Deadline(30.0)):
            bounded()

    calls = {
        "plain SQLAlchemy + PyMySQL": once(plain.connect),
        "adapters": bounded,
        "adapters, within a deadline": in_time,
        "plain, begin()": once(plain.begin),
        "adapters, begin()": once(orders.begin),
        "plain, a row of a table": once(plain.connect, _READ),
        "adapters, a row of a table": once(orders.connect, _READ),
    }
    return {name: seconds * 1e6 for name, seconds in best(calls, rounds=rounds, number=_CALLS).items()}


def connecting(server: MariaDb, rounds: int) -> dict[str, float]:
    """Milliseconds of a new connection over TLS, until it is logged in."""
    profile = profile_of(server, server.port)
    provider = provider_for(profile.credentials, profile.name)
    address: dict[str, Any] = {"host": "127.0.0.1", "port": server.port, **_LOGIN}
    calls: dict[str, Call] = {
        "PyMySQL's default (not verified)": lambda: closing(pymysql.connect(**address)).__exit__(None, None, None),
        "adapters (verified)": lambda: closing(open_connection(profile, provider)).__exit__(None, None, None),
    }
    return {name: seconds * 1e3 for name, seconds in best(calls, rounds=max(1, rounds // 5), number=2).items()}


def recovery(server: MariaDb) -> dict[str, float]:
    """Seconds until an answer when the idle connection has become a black hole; infinite where it hangs."""
    found: dict[str, float] = {}
    with fault_proxy(server.port) as way:
        orders = Database(profile_of(server, way.port, ping_after="1ms"))
        found["adapters"] = min(_recovered(once(orders.connect), way) for _ in range(5))
        orders.dispose()
        for name, pings in (("plain, pool_pre_ping", True), ("plain", False)):
            engine = plain_engine(server, way.port, pool_pre_ping=pings)
            found[name] = _recovered(once(engine.connect), way)
            way.cut()
            engine.dispose()
    return found


def _recovered(call: Call, way: FaultProxy) -> float:
    call()
    time.sleep(0.01)
    way.lose()
    took: list[float] = []

    def ask() -> None:
        begin = time.perf_counter()
        call()
        took.append(time.perf_counter() - begin)

    asking = threading.Thread(target=_quietly, args=(ask,), daemon=True)
    asking.start()
    asking.join(_HANGS_SECONDS)
    return took[0] if took else float("inf")


def _quietly(call: Call) -> None:
    try:
        call()
    except Exception:  # noqa: BLE001 - a peer that hung is cut off at the end, and fails as it likes
        return


def overhead(rounds: int) -> dict[str, float]:
    """Microseconds that the deadline, the bound on the server and telemetry without an SDK add to a statement.

    Measured on SQLite in memory, where nothing is waited for.
    """
    login = {"user": "u", "password": ""}
    profile = database("orders", {"endpoints": "h:1", "tls": {"name": "n"}, "credentials": login})
    engines = {name: sqlalchemy.create_engine("sqlite://") for name in ("bare", "with", "told")}
    for name in ("with", "told"):
        engines[name].dialect.is_mariadb = False  # type: ignore[attr-defined]  # what the listener asks MySQL's dialect
        bound(engines[name], profile)
    telemetry.watch(engines["told"], profile)
    connections = {name: engine.connect() for name, engine in engines.items()}

    def in_time(connection: Any) -> Call:
        def call() -> None:
            with in_force(Deadline(30.0)):
                connection.execute(_ONE).scalar()

        return call

    calls: dict[str, Call] = {name: in_time(one) for name, one in connections.items() if name != "bare"}
    calls["bare"] = lambda: connections["bare"].execute(_ONE).scalar()
    times = best(calls, rounds=rounds, number=_CALLS)
    for connection in connections.values():
        connection.close()
    names = {"with": "deadline and bound", "told": "deadline, bound and telemetry"}
    return {text: (times[name] - times["bare"]) * 1e6 for name, text in names.items()}


def imports() -> dict[str, float]:
    """Milliseconds of processor time of imports, in interpreters that have json, logging and re, as Lambda's has.

    Without `cryptography`, which the extra does not bring: where it is, PyMySQL imports it.
    """
    found = {}
    for name, code in (
        ("import adapters", "import adapters"),
        ("the libraries alone", _LIBRARIES),
        ("everything", _EXPORTS),
        ("and AWS's clients", _CLIENTS),
    ):
        script = (
            "import json, logging, re, sys, time; sys.modules['cryptography'] = None; "
            f"b = time.process_time(); {code}; print((time.process_time() - b) * 1e3)"
        )
        runs = [
            subprocess.run([sys.executable, "-c", script], check=True, capture_output=True, text=True).stdout
            for _ in range(5)
        ]
        found[name] = min(float(run) for run in runs)
    return found


def wrapper(server: MariaDb, rounds: int) -> dict[str, float] | None:
    """What `adapters_wrapper.py` says of AWS's wrapper in the peers' environment; None where that is not installed."""
    python = PEERS / "bin" / "python"
    script = Path(__file__).with_name("adapters_wrapper.py")
    if not python.exists():
        return None
    command = [str(python), str(script), str(server.port), str(server.ca), str(rounds)]
    run = subprocess.run(command, capture_output=True, text=True, check=False, timeout=120)
    if run.returncode:
        print(run.stderr[-1000:], file=sys.stderr)
        return None
    found: dict[str, float] = json.loads(run.stdout)
    return found


def show(title: str, unit: str, figures: Mapping[str, float], base: str = "") -> None:
    """Print one table."""
    print(f"\n| {title} | {unit} | {'ratio' if base else ''} |\n|---|---:|---:|")
    for name, figure in figures.items():
        ratio = f"{figure / figures[base]:.2f}" if base else ""
        shown = f"> {_HANGS_SECONDS:.0f} (hangs)" if figure == float("inf") else f"{figure:.3g}"
        print(f"| {name} | {shown} | {ratio} |")


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--rounds", type=int, default=150, help="short ones: a long one is disturbed more surely")
    rounds = parser.parse_args().rounds
    with tempfile.TemporaryDirectory() as folder, running(Path(folder)) as server, ExitStack() as stack:
        peer = wrapper(server, rounds)
        calls, new = warm(server, stack, rounds), connecting(server, rounds)
        if peer is not None:
            calls["aws-advanced-python-wrapper (mysql-connector)"] = peer["warm_us"]
            calls["mysql-connector without it"] = peer["bare_us"]
            new["aws-advanced-python-wrapper"] = peer["connect_ms"]
        show("warm `select 1`, pool and all", "µs", calls, base="plain SQLAlchemy + PyMySQL")
        show("new connection over TLS", "ms", new)
        show("answer after a black hole", "s", recovery(server))
    show("added to a statement, without an SDK", "µs", overhead(10 * rounds))
    show("import", "ms", imports())


if __name__ == "__main__":
    main()

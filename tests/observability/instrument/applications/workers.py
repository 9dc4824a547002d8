"""A Flask application whose server forks two workers, as gunicorn does with `--preload`; its books are in `DATABASE`.

python -m tests.observability.instrument.applications.workers      prints its port, ends by SIGTERM
"""

import logging
import os
import signal
import socket
import sys
from typing import Any

import flask
import sqlalchemy
from werkzeug.serving import WSGIRequestHandler, make_server

from observability import instrument

engine = sqlalchemy.create_engine(os.environ["DATABASE"], connect_args={"ssl_ca": os.environ["DATABASE_CA"]})
app = flask.Flask("shop")


@app.get("/books/<int:number>")
def book(number: int) -> Any:
    """Show a book, and which worker did."""
    with engine.connect() as connection:
        found = connection.execute(sqlalchemy.text("select title from books where id = :id"), {"id": number})
        title = found.scalar()
    logging.getLogger("shop").warning("book %s", number)
    return {"title": title, "worker": os.getpid()}


@app.get("/raise")
def fail() -> Any:
    """Fail."""
    message = "planted"
    raise KeyError(message)


@app.get("/health")
def health() -> Any:
    """Say that it serves."""
    return {"worker": os.getpid()}


app = instrument.legacy(app, service="workers", engine=engine)


class Handler(WSGIRequestHandler):
    """Prints nothing."""

    protocol_version = "HTTP/1.0"

    def log(self, *_arguments: Any) -> None:
        """Nothing."""


def work(listening: socket.socket) -> None:
    """Serve until SIGTERM."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    server = make_server("127.0.0.1", 0, app, request_handler=Handler, fd=listening.fileno())
    listening.close()  # the server has one of its own
    try:
        server.serve_forever()
    finally:
        server.server_close()


def main() -> None:
    """Fork the workers, and end them."""
    listening = socket.socket()
    listening.bind(("127.0.0.1", 0))
    listening.listen(64)
    workers = []
    for _ in range(2):
        worker = os.fork()
        if worker == 0:
            work(listening)
        workers.append(worker)

    def end(*_arguments: object) -> None:
        for one in workers:
            os.kill(one, signal.SIGTERM)

    signal.signal(signal.SIGTERM, end)
    print(listening.getsockname()[1], flush=True)  # noqa: T201 - what the test reads
    for one in workers:
        os.waitpid(one, 0)
    listening.close()


if __name__ == "__main__":
    main()

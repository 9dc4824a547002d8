"""A Starlette application under uvicorn, with an application mounted in it and its books in SQLite.

python -m tests.observability.instrument.applications.served       prints its port, ends by SIGTERM
"""

import logging
import socket

import sqlalchemy
import uvicorn
from sqlalchemy.pool import StaticPool
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Mount, Route

from observability import instrument


async def book(request: Request) -> Response:
    """Show a book."""
    with engine.connect() as connection:
        connection.execute(sqlalchemy.text("select 'Moss' where 1 = :id"), {"id": 1}).scalar()
    logging.getLogger("shop").warning("book %s", request.path_params["id"])
    return JSONResponse({"book": request.path_params["id"]})


async def fail(_request: Request) -> Response:
    """Fail."""
    message = "planted"
    raise KeyError(message)


app = instrument.legacy(
    Starlette(routes=[Mount("/shop", routes=[Route("/books/{id:int}", book)]), Route("/raise", fail)])
)
# Made after the line, so nobody has to hand it over.
engine = sqlalchemy.create_engine("sqlite://", poolclass=StaticPool, connect_args={"check_same_thread": False})

if __name__ == "__main__":
    listening = socket.socket()
    listening.bind(("127.0.0.1", 0))
    print(listening.getsockname()[1], flush=True)  # noqa: T201 - what the test reads
    uvicorn.Server(uvicorn.Config(app, log_config=None)).run(sockets=[listening])

"""The bookshop as it has run on-premises for years: one process, its carts in memory, its answers in 5 to 10 ms.

It knows nothing of the migration; one line at its end makes it tell of its requests by OpenTelemetry. `LEGACY_PORT` is
where it listens (default 8081); where `SHOP_DATABASE` names its database (see `database.py`), it reads the books from
there when it starts.
"""

import asyncio
import html
import itertools
import json
import logging
import os
import random
import secrets
from collections import Counter
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, Response, StreamingResponse
from starlette.routing import Route

from observability import instrument

# One file for both sides, so that their answers can be compared; the function's folder is deployed as it is.
FILE = Path(__file__).parent / "functions" / "books" / "books.json"


def stock(place: str) -> dict[int, dict[str, Any]]:
    """The books by their numbers: from the database at `place`, or from the file."""
    if not place:
        return {book["id"]: book for book in json.loads(FILE.read_text(encoding="utf-8"))}
    import pymysql  # noqa: PLC0415 - only where there is a database

    url = urlsplit(place)
    with (
        pymysql.connect(
            host=url.hostname,
            port=url.port or 3306,
            user=url.username,
            password=url.password or "",
            database=url.path[1:],
            ssl_disabled=True,
        ) as connection,
        connection.cursor() as cursor,
    ):
        cursor.execute("select id, title, author, year from books order by id")
        return {row[0]: dict(zip(("id", "title", "author", "year"), row, strict=True)) for row in cursor.fetchall()}


log = logging.getLogger("bookshop")
log.setLevel(logging.INFO)
BOOKS = stock(os.environ.get("SHOP_DATABASE", ""))
WORK_SECONDS = (0.005, 0.010)
"""What the database behind it would take, at least and at most."""
MAX_CARTS = 10_000

ON_SHELF = 100
"""How many there are of each book in the morning."""
carts: dict[str, list[int]] = {}
sold: Counter[int] = Counter()
order_numbers = itertools.count(1)
latest_order = 0


async def work() -> None:
    """Take as long as the database would."""
    await asyncio.sleep(random.uniform(*WORK_SECONDS))  # noqa: S311 - a delay, not a secret


async def health(_request: Request) -> Response:
    """Say that the application can serve."""
    return JSONResponse({"ok": True})


async def books(_request: Request) -> Response:
    """List all books."""
    await work()
    return JSONResponse({"books": list(BOOKS.values())})


async def book(request: Request) -> Response:
    """Show one book."""
    await work()
    found = BOOKS.get(request.path_params["id"])
    if found is None:
        return JSONResponse({"error": "no such book"}, status_code=404)
    return JSONResponse(found)


async def stock_of(request: Request) -> Response:
    """Show how many there are of one book: this application takes the orders, so only it knows."""
    await work()
    found = BOOKS.get(request.path_params["id"])
    if found is None:
        return JSONResponse({"error": "no such book"}, status_code=404)
    left = max(ON_SHELF - sold[found["id"]], 0)
    log.info("stock of book %d: %d", found["id"], left)
    return JSONResponse({"id": found["id"], "title": found["title"], "stock": left})


async def search(request: Request) -> Response:
    """List the books whose title or author has the words of `q`."""
    await work()
    words = request.query_params.get("q", "").lower()
    return JSONResponse(
        {"books": [book for book in BOOKS.values() if words in f"{book['title']} {book['author']}".lower()]}
    )


async def cart(request: Request) -> Response:
    """Show the cart of this browser's session as a page; a POST puts the book of `?book=` into it."""
    await work()
    session = request.cookies.get("session", "")
    if session not in carts:
        if len(carts) >= MAX_CARTS:
            carts.pop(next(iter(carts)))  # the oldest
        session = secrets.token_urlsafe(12)
        carts[session] = []
    wanted = request.query_params.get("book", "")
    if request.method == "POST" and wanted.isdecimal() and int(wanted) in BOOKS:
        carts[session].append(int(wanted))
    lines = "".join(f"<li>{html.escape(BOOKS[number]['title'])}</li>" for number in carts[session])
    page = HTMLResponse(f"<!doctype html><title>Cart</title><h1>Your cart</h1><ul>{lines}</ul>")
    page.set_cookie("session", session, httponly=True, samesite="lax")
    return page


async def order(request: Request) -> Response:
    """Take an order: a JSON object with `book`, the number of one."""
    global latest_order  # noqa: PLW0603 - an application of its age
    await work()
    try:
        wanted = (await request.json())["book"]
        title = BOOKS[wanted]["title"]
        sold[wanted] += 1
    except (ValueError, KeyError, TypeError):
        return JSONResponse({"error": "an order is a JSON object with the number of a book"}, status_code=400)
    latest_order = next(order_numbers)
    return JSONResponse({"order": latest_order, "title": title}, status_code=201)


async def live(_request: Request) -> Response:
    """Stream the number of the latest order, as server-sent events."""

    async def events() -> AsyncIterator[str]:
        while True:
            yield f"data: {latest_order}\n\n"
            await asyncio.sleep(1)

    return StreamingResponse(events(), media_type="text/event-stream")


app = Starlette(
    routes=[
        Route("/health", health),
        Route("/books", books),
        Route("/books/{id:int}", book),
        Route("/books/{id:int}/stock", stock_of),
        Route("/search", search),
        Route("/cart", cart, methods=["GET", "POST"]),
        Route("/orders", order, methods=["POST"]),
        Route("/live", live),
    ]
)
app = instrument.legacy(app, service="bookshop")

if __name__ == "__main__":
    uvicorn.run(
        app,
        host="127.0.0.1",
        port=int(os.environ.get("LEGACY_PORT", "8081")),
        log_level="warning",
        access_log=False,
        # longer than the router keeps an idle connection, so that it is never the one that closes under a request
        timeout_keep_alive=120,
        # an open stream must not hold up the end
        timeout_graceful_shutdown=1,
    )

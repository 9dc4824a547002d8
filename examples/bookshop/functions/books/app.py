"""The bookshop's reads as a Lambda function: the same answers as the legacy application gives.

Written for API Gateway's HTTP API events (payload version 2), as any function could be; `handler` turns what the router
sends into one of those, and the answer back; `instrument.lambda_` tells of each invocation by OpenTelemetry. Where a
profile `shop` is configured, the books are read from the legacy application's own database, which stayed on-premises;
else from the copy that is deployed with the function. How many there are of a book only the legacy application knows:
it is asked, by the profile `bookshop`.
"""

import json
import logging
import os
from pathlib import Path
from typing import Any

import adapters
from adapters.events.handler import fallback_safe
from observability import instrument

log = logging.getLogger("books")
log.setLevel(logging.INFO)
LEGACY = adapters.HttpService.named("bookshop") if os.environ.get("ADAPTERS_SERVICE_BOOKSHOP") else None
SHOP = adapters.Database.named("shop") if os.environ.get("ADAPTERS_DATABASE_SHOP") else None
BOOKS = {book["id"]: book for book in json.loads(Path(__file__).with_name("books.json").read_text(encoding="utf-8"))}


@instrument.lambda_
@adapters.handler(route="books-read")
def handler(event: dict[str, Any], _context: object) -> dict[str, Any]:
    """Answer a read: all books, one book, how many there are of it, or those that match `q`."""
    path = event["rawPath"]
    if path == "/books":
        return answer(200, {"books": all_books()})
    if path == "/search":
        words = event.get("queryStringParameters", {}).get("q", "").lower()
        return answer(200, {"books": [book for book in all_books() if words in described(book)]})
    number, _, more = path.removeprefix("/books/").partition("/")
    found = one_book(int(number)) if number.isdecimal() and more in {"", "stock"} else None
    if found is None:
        return answer(404, {"error": "no such book"})
    return stock_of(found) if more else answer(200, found)


def stock_of(book: dict[str, Any]) -> dict[str, Any]:
    """How many there are of a book, as legacy says; who cannot ask it leaves the request to it."""
    if LEGACY is None:
        return {**fallback_safe("legacy knows")}
    left = LEGACY.get(f"/books/{book['id']}/stock").expect().json()["stock"]
    log.info("stock of book %d asked of legacy: %d", book["id"], left)
    return answer(200, {"id": book["id"], "title": book["title"], "stock": left})


def all_books() -> list[dict[str, Any]]:
    """Every book, by its number."""
    if SHOP is None:
        return list(BOOKS.values())
    with SHOP.begin() as connection:
        rows = connection.exec_driver_sql("select id, title, author, year from books order by id")
        return [dict(row) for row in rows.mappings()]


def one_book(number: int) -> dict[str, Any] | None:
    """The book of that number, if there is one."""
    if SHOP is None:
        return BOOKS.get(number)
    with SHOP.begin() as connection:
        rows = connection.exec_driver_sql("select id, title, author, year from books where id = %s", (number,))
        row = rows.mappings().first()
        return dict(row) if row else None


def described(book: dict[str, Any]) -> str:
    """The words by which a book is found."""
    return f"{book['title']} {book['author']}".lower()


def answer(status: int, body: object) -> dict[str, Any]:
    """An answer in API Gateway's form."""
    return {
        "statusCode": status,
        "headers": {"content-type": "application/json"},
        # the same bytes as the legacy application writes
        "body": json.dumps(body, ensure_ascii=False, separators=(",", ":")),
    }

"""The bookshop's reads as a Lambda function: the same answers as the legacy application gives.

Written for API Gateway's HTTP API events (payload version 2), as any handler could be; `gateway_handler` turns what the
router sends into one of those, and the answer back.
"""

import json
from pathlib import Path
from typing import Any

from adapters.events import gateway_handler

BOOKS = {book["id"]: book for book in json.loads(Path(__file__).with_name("books.json").read_text(encoding="utf-8"))}


def books(event: dict[str, Any], _context: object) -> dict[str, Any]:
    """Answer a read: all books, one book, or those that match `q`."""
    path = event["rawPath"]
    if path == "/books":
        return answer(200, {"books": list(BOOKS.values())})
    if path == "/search":
        words = event.get("queryStringParameters", {}).get("q", "").lower()
        return answer(200, {"books": [book for book in BOOKS.values() if words in described(book)]})
    number = path.removeprefix("/books/")
    found = BOOKS.get(int(number)) if number.isdecimal() else None
    if found is None:
        return answer(404, {"error": "no such book"})
    return answer(200, found)


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


handler = gateway_handler(books)
